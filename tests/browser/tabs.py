"""Tabs with the browser client in them, on the service's own origin or on one elsewhere."""

import http.server
import json
import threading
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD, counter

CLIENT = Path(__file__).resolve().parents[2] / "clients" / "js"
PASSWORD = "a quiet harbour at dawn"
PAGE = """<!doctype html><html lang="en"><title>A page</title><script type="module">
import {createClient, memoryStore} from "./client/index.js";
const options = JSON.parse(decodeURIComponent(location.hash.slice(1)));
if (options.store) options.store = options.store === "memory" ? memoryStore() : window[options.store];
window.become = more => {
    window.client?.close();
    window.heard = [];
    window.client = createClient({...options, ...more});
    client.subscribe(({signedIn, user}) => heard.push([signedIn, user && user.email]));
};
become();
</script></html>"""
TYPES = {".js": "text/javascript", ".html": "text/html"}


class Pages:
    """An origin of pages, apart from the service: http.server, in a thread."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                kind, body = page_or_file(self.path)
                self.send_response(200 if kind else 404)
                self.send_header("Content-Type", kind or "text/plain")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Nobody reads it."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def page_or_file(path):
    if path == "/page":
        return "text/html", PAGE.encode()
    file = CLIENT / path.removeprefix("/client/")
    return (TYPES[file.suffix], file.read_bytes()) if file.is_file() else (None, b"")


def serve_on(context, origin):
    """The page and the client, as if the service's own host had them."""

    def fulfil(route):
        kind, body = page_or_file(route.request.url.removeprefix(origin))
        route.fulfill(content_type=kind, body=body)

    context.route(f"{origin}/page", fulfil)
    context.route(f"{origin}/client/*", fulfil)


class Tab:
    def __init__(self, page, origin, **options):
        self.page = page
        self.options = options
        self.asked = []
        page.on("request", lambda request: self.asked.append(request.url.partition("?")[0]))
        page.goto(f"{origin}/page#{quote(json.dumps(options))}")
        page.wait_for_function("window.client")

    def become(self, **options):
        """Another client in the same page."""
        self.page.evaluate("options => become(options)", options)

    def later(self, seconds):
        """Both of the page's clocks go on by so much, and stand still."""
        self.page.evaluate(
            """seconds => {
            const wall = Date.now() + seconds * 1000, steady = performance.now() + seconds * 1000;
            Date.now = () => wall;
            performance.now = () => steady;
        }""",
            seconds,
        )

    def lose_next_answer(self):
        """The browser gets it, cookies and all, and the page does not."""
        self.page.evaluate("""() => {
            const send = window.fetch;
            window.fetch = async (...sent) => {
                window.fetch = send;
                await send(...sent);
                throw new TypeError("lost");
            };
        }""")

    def refreshes(self):
        return sum(url.endswith("/jwt/refresh") for url in self.asked)

    def run(self, expression, argument=None):
        """What the promise comes to; an AuthError as (status, code)."""
        return self.page.evaluate(
            f"async argument => {{ try {{ return await ({expression}); }} catch (error) {{"
            " if (error.name !== 'AuthError') throw error; return [error.status, error.code]; } }",
            argument,
        )

    def begin(self, expression):
        """Without waiting: `finish` does."""
        self.page.evaluate(
            f"() => {{ window.begun = ({expression}).catch(error => [error.status, error.code, String(error)]); }}"
        )

    def finish(self):
        return self.page.evaluate("window.begun")

    def login(self, account):
        return self.run("client.login(argument)", account)

    def me(self):
        """The status of an ordinary request."""
        return self.run("client.fetch(argument).then(answer => answer.status)", self.service() + "/auth/me")

    def service(self):
        return self.options["url"]

    def state(self):
        return self.page.evaluate("[client.state.signedIn, client.state.user && client.state.user.email]")

    def hears(self, signed_in):
        self.page.wait_for_function("wanted => client.state.signedIn === wanted", arg=signed_in)

    def reload(self):
        self.page.reload()
        self.page.wait_for_function("window.client")


def ask(server, path, body=None, token=None, method=None, headers=None):
    """From outside of any browser: status, and what stands in the answer."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    sent |= {"Authorization": f"Bearer {token}"} if token else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, sent, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


class Office:
    """The administrator of a server."""

    def __init__(self, server):
        self.server = server
        body = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
        self.token = self._asked("/auth/login", body)["accessToken"]

    def add_application(self, **fields):
        return self._asked("/admin/applications", {"name": f"Shop {next(counter)}", **fields})["id"]

    def add_account(self):
        account = {"email": f"user{next(counter)}@example.com", "password": PASSWORD}
        self._asked("/admin/users", account)
        return account

    def generation(self, tab):
        """How many steps the sign-in of this tab has taken, and how many sign-ins its user has."""
        for _ in range(10):  # one that lives for a second may be over when it gets here
            status, answer = ask(self.server, "/jwt/refresh", token=tab.run("client.accessToken()"))
            if status == 200:
                break
        [mine] = [item for item in answer["data"]["items"] if item["current"]]
        return mine["generation"], len(answer["data"]["items"])

    def alarms(self, account):
        """Kinds of the events that told of a thief of this user."""
        users = self._asked(f"/admin/users?email={quote(account['email'])}")["items"]
        return [one["kind"] for one in self._asked(f"/admin/events?subjectId={users[0]['id']}&outcome=alarm")["items"]]

    def _asked(self, path, body=None):
        status, answer = ask(self.server, path, body, getattr(self, "token", None))
        assert status in (200, 201), answer
        return answer["data"]
