"""A browser without scripts: it keeps cookies, follows links and sends the forms that are there."""

import html
import re

from tests.drivers import HOST


class Browser:
    def __init__(self, app):
        self.app = app
        self.client = app.test_client()
        self.account = None

    def get(self, path, **headers):
        return self.client.get(path, base_url=HOST, headers=headers)

    def send(self, path, _csrf=None, _headers=None, **fields):
        """A form as its page would send it: with the csrf value that stands in every page."""
        fields["csrf"] = self.csrf() if _csrf is None else _csrf
        return self.client.post(path, base_url=HOST, data=fields, headers=_headers or {})

    def csrf(self):
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/console/account").text)
        return found[1] if found else ""

    def sign_in(self, account, tenant=""):
        fields = {"identifier": account.email, "password": account.password, "tenant": tenant}
        answer = self.client.post("/console/sign-in", base_url=HOST, data=fields)
        assert answer.status_code == 303, answer.text
        self.account = account
        return self

    def cookie(self, name="__Host-console"):
        return self.client.get_cookie(name, domain="auth.example.org")

    def hold(self, value, name="__Host-console"):
        self.client.set_cookie(name, value, domain="auth.example.org", secure=True)

    def sign_in_id(self):
        from tests.claims import claims_of

        return claims_of(self.cookie().value)["sid"]


def title(answer):
    """What the page is, in its own words."""
    return html.unescape(re.search(r"<h1[^>]*>\s*(.*?)\s*</h1>", answer.text, re.S)[1])


def sections(answer):
    nav = re.search(r'aria-label="Sections">(.*?)</nav>', answer.text, re.S)[1]
    return re.findall(r">([^<]+)</a>", nav)


def is_at_the_door(answer):
    return answer.status_code == 303 and answer.location.partition("?")[0] == "/console/sign-in"
