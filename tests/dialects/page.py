"""A page in a browser, written for another system: cookies, and the Origin on all that changes something."""

from tests.drivers import HOST

DOMAIN = "auth.example.org"


class Page:
    def __init__(self, app, base):
        self.client, self.base = app.test_client(), base

    def ask(self, method, path, body=None, **headers):
        sent = {} if method == "GET" else {"Origin": HOST}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in sent.items() if value is not None}
        return self.client.open(self.base + path, method=method, json=body, headers=sent, base_url=HOST)

    def held(self, name):
        found = self.client.get_cookie(name, DOMAIN)
        return found and found.value

    def hold(self, name, value):
        self.client.set_cookie(name, value, domain=DOMAIN, secure=True)


def set_by(answer):
    """The cookies of an answer, by name, with their attributes."""
    found = {}
    for line in answer.headers.getlist("Set-Cookie"):
        pair, *attributes = line.split("; ")
        name, _, value = pair.partition("=")
        found[name] = {"value": value} | {
            key: worth or True for key, _, worth in (one.partition("=") for one in attributes)
        }
    return found
