"""The sign-ins' pages, and everybody's own devices."""

import re

import pytest

from authsvc import clock
from authsvc.caller import Caller
from authsvc.mandate import Mandate
from authsvc.permissions import EVERYTHING
from authsvc.services import tenants, token_admin
from authsvc.services.token_admin import Filters, Selection
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.console.browsing import Browser, is_at_the_door, title
from tests.drivers import Account

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def listed(console, query=""):
    """The ids of the sign-ins on the page."""
    answer = console.get(f"/console/sign-ins?{query}")
    assert answer.status_code == 200, answer.text
    rows = re.search(r'<section id="rows".*?</section>', answer.text, re.S)[0]
    return set(re.findall(r"/console/sign-ins/([0-9a-f-]{36})\"", rows))


def sign_in_from(person, ip="127.0.0.1", user_agent="Werkzeug"):
    """One more sign-in of a person; answers its id."""
    client = person.app.test_client()
    client.environ_base = {"REMOTE_ADDR": ip, "HTTP_USER_AGENT": user_agent}
    body = {"email": person.account.email, "password": person.account.password}
    return client.post("/auth/login", base_url="https://auth.example.org", json=body).json["data"]["refreshTokenId"]


def test_sign_ins_are_found_by_user_application_address_browser_and_state(console, admin, make_person, rows):
    ann, ben = make_person("auth:refresh"), make_person("auth:refresh")
    abroad, fox = sign_in_from(ann, ip="192.0.2.7"), sign_in_from(ben, user_agent=FIREFOX)
    admin.ask("DELETE", f"/jwt/refresh/{fox}")
    [own] = [one for one in admin.get("/admin/applications").json["data"]["items"] if one["slug"] == "console"]
    mine, anns, bens = console.sign_in_id(), ann.refresh_token_id, ben.refresh_token_id
    for query, found in (
        (f"user={ann.account.id}", {anns, abroad}),
        (f"user={ann.account.email.upper()}", {anns, abroad}),
        ("ip=192.0.2.7", {abroad}),
        (f"user={ann.account.id}&ip=192.0.2.7&userAgent=&applicationId=", {abroad}),
        (f"applicationId={own['id']}", {mine}),
        ("userAgent=firefox&state=all", {fox}),
        ("state=revoked", {fox}),
        ("state=expired", set()),
        ("", {mine, admin.refresh_token_id, anns, abroad, bens}),
    ):
        assert listed(console, query) == found, query
    assert console.get("/console/sign-ins?user=nobody@example.com").status_code == 404
    assert console.get("/console/sign-ins?ip=nonsense").status_code == 422


def test_one_is_ended_after_a_question(console, make_person):
    ann = make_person("auth:refresh")
    path = f"/console/sign-ins/{ann.refresh_token_id}"
    assert title(console.get(f"{path}/end")) == f"End this sign-in of {ann.account.email}?"
    assert ann.me().status_code == 200
    answer = console.send(f"{path}/end")
    assert (answer.status_code, answer.location) == (303, path)
    assert ann.me().status_code == 401
    assert "revoked</span> (revoked)" in console.get(path).text


def test_all_that_fit_are_ended_after_they_were_shown(console, make_person):
    ann, ben = make_person("auth:refresh"), make_person("auth:refresh")
    sign_in_from(ann)
    path = f"/console/sign-ins/end?user={ann.account.email}"
    preview = console.get(path)
    assert title(preview) == "End 2 sign-ins?"
    assert preview.text.count(ann.account.email) >= 2
    assert ben.account.email not in preview.text
    assert ann.me().status_code == 200
    assert console.send(path).status_code == 303
    assert (ann.me().status_code, ben.me().status_code) == (401, 200)
    assert "There is nothing to end" in console.get(path).text


def test_everybody_is_ended_but_whoever_does_it_if_they_want_to_stay(console, make_person):
    ann = make_person("auth:refresh")
    assert "This is everybody in this tenant." in console.get("/console/sign-ins/end").text
    assert console.send("/console/sign-ins/end", spareMine="on").status_code == 303
    assert ann.me().status_code == 401
    assert listed(console) == {console.sign_in_id()}
    console.send("/console/sign-ins/end")
    assert is_at_the_door(console.get("/console/sign-ins"))


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])
def test_what_is_ended_by_address_and_browser_is_what_was_shown(app, admin, make_person):
    ann = make_person("auth:refresh")
    abroad = sign_in_from(ann, ip="192.0.2.7", user_agent=FIREFOX)
    others = [sign_in_from(ann, ip="192.0.2.7"), sign_in_from(ann, user_agent=FIREFOX)]
    filters = Filters(ip="192.0.2.7", user_agent="firefox")
    with app.app_context():
        tenant_id = tenants.selected(None).id
        mandate = Mandate(tenant_id, None, EVERYTHING, Caller("", "", ""), clock.utcnow())
        everybody = Selection(everyone=True)
        assert token_admin.preview(mandate, everybody, filters=filters).ids == [abroad]
        assert token_admin.revoke(mandate, everybody, filters=filters).ids == [abroad]
        assert token_admin.revoke(mandate, everybody, filters=filters).count == 0
        assert all(token_admin.get(mandate, one).revoked_at is None for one in others)


def test_my_devices_are_signed_out_one_by_one_or_all_but_this(console, app):
    mine = Account(ADMIN_EMAIL, ADMIN_PASSWORD)
    phone, tablet, desk = (Browser(app).sign_in(mine) for _ in range(3))
    assert console.get("/console/account").text.count("Sign out …") == 3
    path = f"/console/account/devices/{phone.sign_in_id()}/end"
    assert title(console.get(path)) == "Sign this device out?"
    assert console.send(path).status_code == 303
    assert is_at_the_door(phone.get("/console/account"))
    assert tablet.get("/console/account").status_code == 200
    assert "2 other sign-ins of yours will end" in console.get("/console/account/devices/end-others").text
    assert console.send("/console/account/devices/end-others").status_code == 303
    assert all(is_at_the_door(one.get("/console/account")) for one in (tablet, desk))
    assert console.get("/console/account").status_code == 200


def test_my_password_is_changed_with_the_current_one(console, app):
    other = Browser(app).sign_in(Account(ADMIN_EMAIL, ADMIN_PASSWORD))
    fields = {"currentPassword": "wrong", "newPassword": "another quiet harbour"}
    refused = console.send("/console/account/password", **fields)
    assert (refused.status_code, "The current password is wrong." in refused.text) == (403, True)
    assert other.get("/console/account").status_code == 200
    assert console.send("/console/account/password", **fields | {"currentPassword": ADMIN_PASSWORD}).status_code == 303
    assert is_at_the_door(other.get("/console/account"))
    assert console.get("/console/account").status_code == 200
    Browser(app).sign_in(Account(ADMIN_EMAIL, "another quiet harbour"))
