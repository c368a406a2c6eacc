"""The page in examples/browser: as its README starts it, at two widths, light and dark."""

import functools
import http.server
import re
import subprocess
import sys
import threading

import pytest

from tests.browser.conftest import violations
from tests.browser.tabs import PASSWORD
from tests.conftest import counter
from tests.servers.gunicorn import ROOT

REFUSED = "Failed to load resource"  # the browser says so at every 4xx, and that is all
EXAMPLE = ROOT / "examples" / "browser"


@pytest.fixture
def address(server):
    """The page where http.server serves it, allowed as the README says, with the tests' own ports."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            """Nobody reads it."""

        def copyfile(self, source, outputfile):
            outputfile.write(source.read().replace(b"http://127.0.0.1:8000", server.url.encode()))

        def send_header(self, keyword, value):
            if keyword != "Content-Length":  # the port may be longer than the one that is printed
                super().send_header(keyword, value)

    pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=EXAMPLE))
    pages.daemon_threads = True
    thread = threading.Thread(target=pages.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    [block] = re.findall(r"^```sh page\n(.*?)^```", (EXAMPLE / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    allow, serve = (
        block.replace(".venv/bin/", f"{sys.prefix}/bin/").replace("8080", str(pages.server_port)).splitlines()
    )
    assert f"http.server {pages.server_port} --bind 127.0.0.1 --directory examples/browser" in serve
    done = subprocess.run(["sh", "-c", allow], cwd=ROOT, env=server.environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    yield f"http://127.0.0.1:{pages.server_port}/"
    pages.shutdown()
    pages.server_close()
    thread.join()


def test_the_page_signs_people_in_and_keeps_them(address, context):
    page, beside = context.new_page(), context.new_page()
    wrong = []
    page.on(
        "console", lambda said: wrong.append(said.text) if said.type == "error" and REFUSED not in said.text else None
    )
    page.on("pageerror", lambda error: wrong.append(str(error)))
    email = f"example{next(counter)}@example.com"
    page.goto(address)
    page.get_by_text("Nobody is signed in.").wait_for()
    shown(page, "Nobody is signed in.")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Make an account").click()
    page.locator("#status.bad").wait_for()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make an account").click()
    page.get_by_role("heading", name=f"Hello, {email}").wait_for()
    shown(page, "You are signed in.")
    context.set_offline(True)
    page.get_by_role("button", name="Ask again").click()
    page.get_by_text("You stay signed in.").wait_for()
    context.set_offline(False)
    page.get_by_role("button", name="Ask again").click()
    page.get_by_text("You are signed in.").wait_for()
    beside.goto(address)
    beside.get_by_role("heading", name=f"Hello, {email}").wait_for()
    page.reload()
    page.get_by_role("heading", name=f"Hello, {email}").wait_for()
    page.get_by_text("once").wait_for()
    page.get_by_role("button", name="Sign out", exact=True).click()
    for tab in (page, beside):
        tab.get_by_text("Nobody is signed in.").wait_for()
    assert wrong == []


def shown(page, said):
    """Nothing hides, nothing overflows, and axe has nothing to say."""
    for width, scheme in ((1280, "light"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        page.get_by_text(said).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert violations(page) == []
