"""What passes nginx and Caddy, what reaches the API behind them, and what their logs hold."""

from tests.conftest import counter
from tests.proxies.conftest import Person, ask

HERE = "/restaurants/7"
IDENTITY = ("X-Auth-User-Id", "X-Auth-Tenant-Id", "X-Auth-Application-Id", "X-Auth-Scopes", "X-Auth-Via")
SMUGGLED = [
    *IDENTITY,
    *(name.lower() for name in IDENTITY),
    *(name.upper() for name in IDENTITY),
    *(name.replace("-", "_") for name in IDENTITY),
    *(name.lower().replace("-", "_") for name in IDENTITY),
    "X-Auth_User-Id",
    "X_Auth-User-Id",
    "x-auth-user_ID",
]
SPELLINGS = [
    "?token={}",
    "?%74oken={}",
    "?%74%6F%6b%65%6E={}",
    "?a=1&token={}",
    "?token={}&a=1",
    "?a=1&token={}&b=%26+%2B",
    "?+token={}",
    "??token={}",
    "?%20token+={}",
    "?%3ftoken%23={}",
]


def by(token):
    return {"Authorization": f"Bearer {token}"}


def identity(heard):
    """What the API would take for each of the five, whichever way it reads headers."""
    found = {name.lower(): [] for name in IDENTITY}
    for name, value in heard["headers"]:
        spelled = name.lower().replace("_", "-")
        if spelled.startswith("x-auth"):
            assert spelled == name.lower(), name
            found[spelled].append(value)
    assert set(found) == {name.lower() for name in IDENTITY}
    return [" ".join(values) for values in found.values()]


def heard_by(api, *request, **how):
    """What reached the API of a request; None if it did not."""
    before = len(api.reached)
    answer = ask(*request, **how)
    assert len(api.reached) - before == (answer.status == 200)
    return answer, api.reached[-1] if answer.status == 200 else None


def test_who_passes_and_what_the_api_learns_of_them(proxy, api, admin, member):
    answer, _ = heard_by(api, proxy.port, "GET", HERE)
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="authsvc"')
    answer, _ = heard_by(api, proxy.port, "GET", HERE, by("junk"))
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="authsvc", error="invalid_token"')
    answer, heard = heard_by(api, proxy.port, "GET", HERE, admin.bearer())
    assert answer.status == 200
    user, tenant, _, scopes, via = identity(heard)
    assert (user, via) == (admin.id, "access_token")
    assert "*" in scopes.split()
    api_token_id, token = admin.api_token("restaurants:read")
    for headers in (by(token), {"Authorization": f"Token {token}"}, {"X-Api-Key": token}):
        _, heard = heard_by(api, proxy.port, "GET", f"{HERE}?a=1", headers)
        assert identity(heard) == [admin.id, tenant, "", "restaurants:read", "api_token"]
        assert heard["path"] == f"{HERE}?a=1"
    for headers in (member.bearer(), by(admin.api_token("restaurants:write")[1])):
        assert heard_by(api, proxy.port, "GET", HERE, headers)[0].status == 403
    assert heard_by(api, proxy.port, "GET", HERE, by(token) | {"X-Tenant-Id": "elsewhere"})[0].status == 403
    assert heard_by(api, proxy.port, "GET", HERE, by(token) | {"X-Api-Key": token})[0].status == 401
    assert admin.send("DELETE", f"/api-tokens/{api_token_id}", headers=admin.bearer()).status == 200
    assert heard_by(api, proxy.port, "GET", HERE, by(token))[0].status == 401
    assert heard_by(api, proxy.port, "GET", "/elsewhere", admin.bearer())[0].status == 404
    assert heard_by(api, proxy.port, "GET", "/auth/me", admin.bearer())[0].status == 404


def test_where_no_scope_is_named_whoever_is_signed_in_passes(make_proxy, api, member):
    proxy = make_proxy(scoped=False)
    for query in ("", "?a=1", "?scope=keys:rotate&a=1"):
        assert heard_by(api, proxy.port, "GET", HERE + query)[0].status == 401
        _, heard = heard_by(api, proxy.port, "GET", HERE + query, member.bearer())
        assert (heard["path"], identity(heard)[0]) == (HERE + query, member.id)


def test_nobody_smuggles_an_identity(proxy, api, admin):
    evil = [(name, "evil") for name in SMUGGLED]
    _, token = admin.api_token("restaurants:read")
    for headers in ([], evil, *([one] for one in evil), [*evil, *evil]):
        assert heard_by(api, proxy.port, "GET", HERE, headers)[0].status == 401
        _, heard = heard_by(api, proxy.port, "GET", HERE, [*headers, *by(token).items()])
        user, _, *rest = identity(heard)
        assert (user, rest) == (admin.id, ["", "restaurants:read", "api_token"])
        assert "evil" not in str(heard)
        for method, path in (("GET", "/public/menu"), ("OPTIONS", HERE), ("OPTIONS", "/public/menu")):
            for credential in ({}, by(token)):
                _, heard = heard_by(api, proxy.port, method, path, [*headers, *credential.items()])
                assert identity(heard) == [""] * 5
                assert "evil" not in str(heard)


def test_nobody_has_an_identity_dropped(proxy, api, admin):
    for named in IDENTITY:
        for header in (named, f"close, {named.lower()}", "X-Forwarded-Uri, X-Forwarded-Method, X-Forwarded-For"):
            answer, heard = heard_by(api, proxy.port, "GET", HERE, {**admin.bearer(), "Connection": header})
            assert answer.status in (200, 400)
            assert heard is None or identity(heard)[0] == admin.id


def test_a_body_reaches_the_api_whole(proxy, api, admin):
    body = b'{"name": "' + b"a quiet harbour " * 20000 + b'"}'
    for chunked in (False, True):
        for method in ("POST", "PUT"):
            how = {"body": body, "chunked": chunked}
            headers = {"Content-Type": "application/json", **admin.bearer()}
            answer, heard = heard_by(api, proxy.port, method, HERE, headers, **how)
            assert answer.status == 200
            assert (heard["method"], heard["body"]) == (method, body.decode())
            assert heard_by(api, proxy.port, method, HERE, {}, **how)[0].status == 401


def test_a_token_in_the_address_reaches_no_api_and_no_log(proxy, api, admin, authsvc):
    _, good = admin.api_token("restaurants:read", allowInQuery=True)
    _, weak = admin.api_token("restaurants:write", allowInQuery=True)
    _, plain = admin.api_token("restaurants:read")
    for spelling in SPELLINGS:
        for token, status in ((good, 200), (weak, 403), (plain, 401), (admin.access_token, 401)):
            path = HERE + spelling.format(token)
            answer, heard = heard_by(api, proxy.port, "GET", path, {"Referer": f"http://page.example.org{path}"})
            assert answer.status == status, (spelling, answer.text)
            if heard:
                assert identity(heard)[-1] == "api_token"
                rest = [pair for pair in spelling[1:].split("&") if "{}" not in pair]
                assert [pair for pair in heard["path"].partition("?")[2].split("&") if pair] == rest, spelling
        _, heard = heard_by(api, proxy.port, "GET", f"/public/menu{spelling.format(good)}")
        assert good[:12] not in heard["path"], spelling
    for query in (f"?token={good}&token={good}", f"?token={good}&%74oken=x", f"?TOKEN={good}", f"?token={good}&Token"):
        for path in (HERE, "/public/menu"):
            answer, heard = heard_by(api, proxy.port, "GET", path + query)
            assert answer.status in (400, 401) or (path == "/public/menu" and good[:12] not in heard["path"]), query
    # What was not asked to be taken out stays as it was.
    _, heard = heard_by(api, proxy.port, "GET", f"{HERE}/a%20b%2Fc?tokens=1&atoken=%26&a=token", by(good))
    assert heard["path"] == f"{HERE}/a%20b%2Fc?tokens=1&atoken=%26&a=token"
    for text in (good, weak, plain, admin.access_token):
        assert_not_logged(text, proxy, authsvc)


def assert_not_logged(text, proxy, authsvc):
    for log in (proxy.logged(), authsvc.log.read_text()):
        assert log
        assert text not in log
        assert text[:12] not in log or text.startswith("eyJ")  # every JWT begins alike


def test_what_is_away_lets_nothing_pass_and_logs_no_token(make_proxy, api, admin, authsvc, nowhere):
    _, token = admin.api_token("restaurants:read", allowInQuery=True)
    before = len(api.reached)
    for proxy in (make_proxy(authsvc_port=nowhere), make_proxy(api_port=nowhere)):
        for path, headers in ((f"{HERE}?token={token}", {}), (HERE, {"X-Api-Key": token}), (HERE, by(token))):
            assert ask(proxy.port, "GET", path, headers).status in (500, 502, 503)
        assert ask(proxy.port, "GET", f"/public/menu?token={token}").status in (200, 502)
        proxy.stop()  # what it still had to write is written
        assert_not_logged(token, proxy, authsvc)
    assert [heard["path"] for heard in api.reached[before:]] in (["/public/menu"], ["/public/menu?"])


def test_with_a_cookie_the_original_method_counts_whatever_a_client_says(proxy, api, admin, authsvc):
    admin.make("/admin/applications", name="Pages", slug=f"pages{next(counter)}", transport="cookie")
    page = {"email": f"page{next(counter)}@example.com", "password": "a quiet harbour at dawn"}
    slug = admin.send("GET", "/admin/applications", headers=admin.bearer()).json["data"]["items"][0]["slug"]
    person = Person(authsvc, "/auth/register", **page, applicationId=slug)
    cookies = dict(one.split(";")[0].split("=", 1) for one in person.signed_in.headers.get_all("Set-Cookie"))
    sent = {"Cookie": f"access_token={cookies['access_token']}"}
    proven = sent | {"X-CSRF-TOKEN": person.signed_in.json["data"]["csrfToken"]}
    # Signed in, but without the permission: the 403 says that the credential was believed.
    assert heard_by(api, proxy.port, "GET", HERE, sent)[0].status == 403
    for smuggled in (
        {},
        {"X-Forwarded-Method": "GET"},
        {"X-Original-Method": "GET"},
        {"Connection": "X-Original-Method"},
    ):
        for method in ("POST", "PUT", "DELETE"):
            assert heard_by(api, proxy.port, method, HERE, sent | smuggled)[0].status == 401
            assert heard_by(api, proxy.port, method, HERE, proven | smuggled)[0].status == 403


def test_the_address_is_the_clients_and_not_one_that_it_names(proxy, api, admin):
    _, near = admin.api_token("restaurants:read", allowedIps=["127.0.0.1"])
    _, far = admin.api_token("restaurants:read", allowedIps=["192.0.2.1"])
    for headers in ({}, {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.1, 127.0.0.1"}):
        assert heard_by(api, proxy.port, "GET", HERE, by(near) | headers)[0].status == 200
        assert heard_by(api, proxy.port, "GET", HERE, by(far) | headers)[0].status == 403
