"""API tokens: mine, which I make and replace, and the tenant's, which are looked after."""

import re
from datetime import timedelta

from authsvc import clock
from tests.console.browsing import title
from tests.drivers import HOST
from tests.flows.api_tokens import by, make_api_token, set_expiry

MINE = "/console/account/api-tokens"
EVIL = "<script>alert(1)</script>"


def shown_once(answer):
    """The text of the API token or the secret, which stands in this answer alone."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return re.search(r'<code id="once">([^<]+)</code>', answer.text)[1]


def listed(browser, path):
    rows = re.search(r'<section id="rows".*?</section>', browser.get(path).text, re.S)[0]
    return re.findall(r'api-tokens/([0-9a-f-]{36})"', rows)


def status(app, text, path="/auth/me"):
    return app.test_client().get(path, base_url=HOST, headers=by(text)).status_code


def test_i_make_one_and_its_text_is_shown_once(app, somebody):
    me = somebody("api-tokens:write", "users:read", "restaurants:read")
    form = me.get(f"{MINE}/new").text
    offered = set(re.findall(r'name="scopes" value="([^"]+)"', form))
    assert offered == {"users:read", "restaurants:read"}
    assert "Other scopes" not in form
    until = f"{clock.utcnow() + timedelta(days=7):%Y-%m-%d}"
    fields = {"name": EVIL, "scopes": "users:read", "expiresAt": until, "allowedIps": "127.0.0.1\r\n2001:db8::/32"}
    text = shown_once(me.send(f"{MINE}/new", allowInQuery="on", **fields))
    assert status(app, text, "/admin/users") == 200
    assert app.test_client().get("/auth/me", query_string={"token": text}, base_url=HOST).status_code == 200
    [made] = listed(me, MINE)
    page = me.get(f"{MINE}/{made}").text
    for wanted in ("127.0.0.1/32", "2001:db8::/32", f"{until} 00:00 UTC", "users:read", "allowed as ?token="):
        assert wanted in page
    for path in (MINE, f"{MINE}/{made}", f"{MINE}/{made}/edit", f"{MINE}/{made}/revoke"):
        answer = me.get(path).text
        assert "&lt;script&gt;alert(1)" in answer
        assert EVIL not in answer
        assert text not in answer


def test_what_i_may_not_give_or_mistyped_is_told_in_the_form_and_nothing_is_made(somebody):
    me, bare = somebody("api-tokens:write", "users:read"), somebody("users:read")
    for fields, code, sentence in (
        ({"scopes": "users:write"}, 403, "users:write"),
        ({"scopes": "api-tokens:write"}, 403, "No API token can have the scope"),
        ({"name": "", "scopes": "users:read"}, 422, "name-hint"),
        ({}, 422, "Missing data"),
        ({"scopes": "users:read", "allowedIps": "nowhere"}, 422, "this is no IP address"),
        ({"scopes": "users:read", "expiresAt": "2001-01-01"}, 422, "This is over already."),
        ({"scopes": "users:read", "expiresAt": "2999-01-01"}, 422, "An API token lives for at most"),
    ):
        answer = me.send(f"{MINE}/new", **{"name": "kept"} | fields)
        assert (answer.status_code, sentence in answer.text) == (code, True), fields
        assert 'id="once"' not in answer.text
    assert listed(me, MINE) == []
    assert "New API token" not in bare.get(MINE).text
    assert bare.send(f"{MINE}/new", name="x", scopes="users:read").status_code == 403


def test_who_holds_everything_made_up_gives_what_no_role_names_yet(console, app):
    text = shown_once(console.send(f"{MINE}/new", name="n", scopes=["users:read", "boats:sail\r\nboats:moor"]))
    [made] = listed(console, MINE)
    page = console.get(f"{MINE}/{made}").text
    assert all(f"<code>{scope}</code>" in page for scope in ("boats:moor", "boats:sail", "users:read"))
    assert status(app, text) == 200


def test_i_replace_narrow_and_revoke_mine(app, somebody):
    me = somebody("api-tokens:write", "users:read", "tokens:read")
    old = make_api_token(me.device, "users:read", "tokens:read", allowInQuery=True)
    path = f"{MINE}/{old['id']}"
    answer = me.send(f"{path}/rotate", overlap="3600")
    new = shown_once(answer)
    assert "The one before it still works" in answer.text
    assert (status(app, old["token"]), status(app, new)) == (200, 200)
    again = me.send(f"{path}/rotate", overlap="0")
    assert (again.status_code, "was replaced already" in again.text) == (409, True)
    [successor] = set(listed(me, MINE)) - {old["id"]}
    path = f"{MINE}/{successor}"
    wider = me.send(f"{path}/edit", name="less", scopes="users:write")
    assert wider.status_code in (403, 422)
    answer = me.send(f"{path}/edit", name="less", scopes="users:read", allowedIps="127.0.0.0/8")
    assert (answer.status_code, answer.location) == (303, path)
    page = me.get(path).text
    assert ("tokens:read" in page, "127.0.0.0/8" in page, "In addresses</dt><dd>never" in page) == (False, True, True)
    assert me.send(f"{path}/edit", name="less", scopes="users:read").status_code == 422  # from anywhere again
    question = me.get(f"{path}/revoke")
    assert title(question) == "Revoke the API token less?"
    assert "It was never used." in question.text or "It was last used at" in question.text
    assert status(app, new) == 200
    assert me.send(f"{path}/revoke").status_code == 303
    assert (status(app, new), status(app, old["token"])) == (401, 200)
    final = make_api_token(me.device, "users:read")
    assert "has ended" in me.send(f"{MINE}/{final['id']}/rotate", overlap="0").text
    assert status(app, final["token"]) == 401


def test_my_account_is_about_mine_and_a_keeper_narrows_and_revokes_the_tenants(app, somebody, make_tenant):
    make_tenant(app, "acme")
    ann = somebody("api-tokens:write", "restaurants:read", "users:read")
    abroad = somebody("api-tokens:write", "users:read", tenant="acme")
    keeper = somebody("api-tokens:admin", "users:read")
    hers = make_api_token(ann.device, "restaurants:read", "users:read", name="backup")
    theirs = make_api_token(abroad.device, "users:read")
    dead, over = make_api_token(ann.device, "users:read"), make_api_token(ann.device, "users:read")
    set_expiry(app, over["id"], clock.utcnow() - timedelta(seconds=1))
    ann.device.ask("DELETE", f"/api-tokens/{dead['id']}")
    for query, found in (
        ("", {hers["id"]}),
        (f"user={ann.account.email.upper()}", {hers["id"]}),
        (f"user={keeper.account.id}", set()),
        ("state=revoked", {dead["id"]}),
        ("state=expired", {over["id"]}),
        (f"user={ann.account.id}&state=all", {hers["id"], dead["id"], over["id"]}),
    ):
        assert set(listed(keeper, f"/console/api-tokens?{query}")) == found, query
    for one in (hers["id"], theirs["id"]):
        for page in ("", "/edit", "/revoke", "/rotate"):
            assert keeper.get(f"{MINE}/{one}{page}").status_code == 404
    for page in ("", "/edit", "/revoke"):
        assert keeper.get(f"/console/api-tokens/{theirs['id']}{page}").status_code == 404
    path = f"/console/api-tokens/{hers['id']}"
    page = keeper.get(path).text
    assert ("Replace" in page, hers["hint"] in page, ann.account.email in page) == (False, True, True)
    # A name is given by whoever does not hold what it may do; nothing that the keeper lacks is given anew.
    both = ["restaurants:read", "users:read"]
    assert keeper.send(f"{path}/edit", name="old backup", scopes=both).status_code == 303
    assert keeper.send(f"{path}/edit", name="old backup", scopes="restaurants:read").status_code == 403
    assert keeper.send(f"{path}/edit", name="old backup", scopes="users:read").status_code == 303
    assert "restaurants:read" not in keeper.get(path).text
    assert keeper.send(f"{path}/revoke").status_code == 303
    assert (status(app, hers["token"]), status(app, theirs["token"])) == (401, 200)
