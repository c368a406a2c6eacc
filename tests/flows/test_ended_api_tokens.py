"""An API token ends with what it hangs on, and does not come back with it."""

from tests.flows.api_tokens import OWN, code, make_api_token, use
from tests.flows.people import told


def test_with_its_owner_it_is_disabled_for_good_and_deleted(app, admin, owner):
    made = make_api_token(owner)
    user = f"/admin/users/{owner.account.id}"
    admin.ask("PATCH", user, {"active": False})
    assert code(use(owner, made["token"])) == (401, "token_revoked")
    admin.ask("PATCH", user, {"active": True})
    assert code(use(owner, made["token"])) == (401, "token_revoked")
    [event] = told(app, "user.disabled")
    assert event.detail["apiTokens"] == 1
    admin.ask("DELETE", user)
    assert code(use(owner, made["token"])) == (401, "token_invalid")


def test_with_its_application_it_is_disabled_for_good_and_deleted(admin, owner):
    shop = admin.ask("POST", "/admin/applications", {"name": "Shop"}).json["data"]["id"]
    bound, free = make_api_token(owner, applicationId="shop"), make_api_token(owner)
    assert bound["applicationId"] == shop
    for active in (False, True):
        admin.ask("PATCH", f"/admin/applications/{shop}", {"active": active})
        assert code(use(owner, bound["token"])) == (401, "token_revoked")
    again = make_api_token(owner, applicationId=shop)
    admin.ask("DELETE", f"/admin/applications/{shop}")
    assert code(use(owner, again["token"])) == (401, "token_invalid")
    assert use(owner, free["token"]).status_code == 200


def test_with_its_tenant_it_is_disabled_for_good(app, admin, make_tenant, make_person):
    tenant = make_tenant(app, "elsewhere")
    stranger = make_person(*OWN, tenant="elsewhere")
    made = make_api_token(stranger)
    for active in (False, True):
        admin.ask("PATCH", f"/admin/tenants/{tenant}", {"active": active})
        assert code(use(stranger, made["token"])) == (401, "token_revoked")


def test_a_new_password_leaves_api_tokens_as_they_are(owner):
    made = make_api_token(owner)
    body = {"currentPassword": owner.account.password, "newPassword": "another harbour at dusk"}
    assert owner.ask("POST", "/auth/password", body).status_code == 200
    assert use(owner, made["token"]).status_code == 200
