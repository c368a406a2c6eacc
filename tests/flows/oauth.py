"""OAuth clients, as a program of somebody else's would write them: forms in, JSON out."""

import base64
from urllib.parse import quote_plus, urlencode

from tests.conftest import BASE_URL
from tests.flows.administering import add_application

FORM = "application/x-www-form-urlencoded"
DEAD = b'{"active":false}'


def basic(name, secret):
    """As RFC 6749 section 2.3.1 has it: each half form-encoded, then joined."""
    return raw_basic(f"{quote_plus(name)}:{quote_plus(secret)}")


def raw_basic(text):
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


def post(app, path, body, headers=None, content_type=FORM):
    """`body`: parameters as a dict or a list of pairs, or a text as it is."""
    data = body if isinstance(body, (str, bytes)) else urlencode(body)
    stranger = app.test_client(use_cookies=False)
    return stranger.post(path, data=data, headers=headers or {}, content_type=content_type, base_url=BASE_URL)


def assert_uncached(answer):
    assert answer.headers["Cache-Control"].startswith("no-store")
    assert answer.headers["Pragma"] == "no-cache"


def no(answer, status, error):
    """The answer is this refusal, in the form of RFC 6749 section 5.2."""
    assert (answer.status_code, answer.json and answer.json["error"]) == (status, error), answer.text
    assert set(answer.json) == {"error", "error_description"}
    # The characters that section 5.2 allows.
    assert all(" " <= letter <= "~" and letter not in '"\\' for letter in answer.json["error_description"])
    assert answer.mimetype == "application/json"
    assert_uncached(answer)
    assert ("Retry-After" in answer.headers) == (status in (429, 503))
    challenge = answer.headers.get("WWW-Authenticate", "")
    if error == "invalid_client":
        assert challenge == 'Basic realm="authsvc"'
    else:
        assert bool(challenge) == (status == 401 or error == "insufficient_scope")
    return answer


def yes(answer):
    assert answer.status_code == 200, answer.text
    assert_uncached(answer)
    return answer.json


class Client:
    """An application with what it proves itself with; a public one has nothing."""

    def __init__(self, app, application):
        self.app, self.application = app, application
        self.id, self.secret = application["id"], application.get("clientSecret")

    def header(self):
        return basic(self.id, self.secret) if self.secret else {}

    def ask(self, path, headers=None, **form):
        named = {} if self.secret else {"client_id": self.id}
        return post(self.app, path, {**named, **form}, {**self.header(), **(headers or {})})

    def token(self, scope=None, **more):
        asked = {} if scope is None else {"scope": scope}
        return self.ask("/oauth/token", grant_type="client_credentials", **asked, **more)

    def access_token(self, scope=None):
        return yes(self.token(scope))["access_token"]

    def refresh(self, refresh_token, headers=None, **more):
        return self.ask("/oauth/token", headers, grant_type="refresh_token", refresh_token=refresh_token, **more)

    def introspect(self, token, **more):
        return self.ask("/oauth/introspect", token=token, **more)

    def revoke(self, token, **more):
        return self.ask("/oauth/revoke", token=token, **more)


def add_client(admin, headers=None, **fields):
    """A new application, through the administrator's door."""
    return Client(admin.app, add_application(admin, headers, **fields))


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def me(app, token):
    return app.test_client(use_cookies=False).get("/auth/me", headers=bearer(token), base_url=BASE_URL)
