"""What does not say plainly which sign-ins it means ends none of them."""

import itertools

import pytest

from tests.answers import refused
from tests.flows.sign_ins import NOBODY, PATH

BLANKS = ["", " ", "\t", "null", "undefined", "NULL", "Undefined", None, [], {}]
WORDS = ("userId", "applicationId", "tokenId", "tokenString", "all")


@pytest.fixture
def unharmed(town):
    """Nothing may have died when the test is over."""
    yield town
    assert town.dead() == set()


def test_no_selector_is_never_all(unharmed):
    for body in [None, {}, {"preview": True}, {"except": [NOBODY]}, {"all": False}]:
        for device in (unharmed.admin, unharmed.me):
            refused(device.ask("DELETE", PATH, body), 400, "selector_missing")


def test_no_selector_in_a_query_is_never_all(unharmed):
    for query in ["", "?", "?preview=true", f"?except={NOBODY}", "?all=false"]:
        refused(unharmed.admin.ask("DELETE", PATH + query), 400, "selector_missing")


def test_an_empty_selector_is_none(unharmed):
    for blank, name in itertools.product(BLANKS, WORDS):
        refused(unharmed.admin.ask("DELETE", PATH, {name: blank}), 400, "selector_missing")
        refused(unharmed.admin.ask("DELETE", PATH, {name: blank, "all": False}), 400, "selector_missing")
        if isinstance(blank, str) and name != "tokenString":
            refused(unharmed.admin.ask("DELETE", f"{PATH}?{name}={blank}"), 400, "selector_missing")


def test_an_empty_selector_beside_a_good_one_is_named(unharmed):
    for blank, name in itertools.product(BLANKS, WORDS):
        good = {"userId": unharmed.me.account.id} if name != "userId" else {"applicationId": unharmed.office}
        refused(unharmed.admin.ask("DELETE", PATH, good | {name: blank}), 422, "validation_failed", [name])
        if isinstance(blank, str) and name != "tokenString":
            [(other, value)] = good.items()
            answer = unharmed.admin.ask("DELETE", f"{PATH}?{other}={value}&{name}={blank}")
            refused(answer, 422, "validation_failed", [name])


def test_an_unknown_selector_is_named(unharmed):
    for name in ["user_id", "userID", "user", "id", "userId[]", "limit", "tenantId", "sub", "email"]:
        me = unharmed.me.account.id
        for more in ({}, {"userId": me}):
            refused(unharmed.admin.ask("DELETE", PATH, {name: me} | more), 422, "validation_failed", [name])
        for more in ("", f"&userId={me}"):
            refused(unharmed.admin.ask("DELETE", f"{PATH}?{name}={me}{more}"), 422, "validation_failed", [name])


def test_what_is_no_id_is_named(unharmed):
    for value, name in itertools.product(
        ["*", "%", "1", "0", "abc", "a" * 65, "me", NOBODY[:-1], NOBODY.replace("-", ""), f"{NOBODY}\0"],
        ["userId", "applicationId", "tokenId"],
    ):
        refused(unharmed.admin.ask("DELETE", PATH, {name: value}), 422, "validation_failed", [name])
        if "\0" not in value:
            answer = unharmed.admin.ask("DELETE", f"{PATH}?{name}={value.replace('%', '%25')}")
            refused(answer, 422, "validation_failed", [name])


def test_a_selector_of_the_wrong_type_is_named(unharmed):
    for value, name in itertools.product(
        [1, True, [NOBODY], {"$ne": NOBODY}, 1.5], ["userId", "applicationId", "tokenId", "tokenString"]
    ):
        refused(unharmed.admin.ask("DELETE", PATH, {name: value}), 422, "validation_failed", [name])


def test_a_switch_in_a_body_is_true_or_false(unharmed):
    for value, name in itertools.product(["true", "yes", 1, 0, "false", [True]], ["all", "preview"]):
        body = {"applicationId": unharmed.office, name: value}
        refused(unharmed.admin.ask("DELETE", PATH, body), 422, "validation_failed", [name])


def test_a_switch_in_a_query_is_true_or_false(unharmed):
    for value, name in itertools.product(["1", "yes", "True", "TRUE", "on"], ["all", "preview"]):
        query = f"?applicationId={unharmed.office}&{name}={value}"
        refused(unharmed.admin.ask("DELETE", PATH + query), 422, "validation_failed", [name])


def test_who_is_spared_is_named_by_ids(unharmed):
    for value in ["", None, [], "x", ["x"], [NOBODY, 1], 1, {"id": NOBODY}, [NOBODY] * 201, True]:
        body = {"all": True, "except": value}
        refused(unharmed.admin.ask("DELETE", PATH, body), 422, "validation_failed", ["except"])


def test_one_selector_twice_is_ambiguous(unharmed):
    me, other = unharmed.me.account.id, unharmed.other.account.id
    for query in (f"?userId={me}&userId={other}", f"?userId={me}&userId={me}", f"?userId={me}&all=true&all=true"):
        refused(unharmed.admin.ask("DELETE", PATH + query), 400, "ambiguous_request")
    both = {"applicationId": unharmed.office, "applicationsId": unharmed.office}
    refused(unharmed.admin.ask("DELETE", PATH, both), 400, "ambiguous_request")
    token = {"tokenId": unharmed.me.refresh_token_id, "tokenString": unharmed.me.refresh_token}
    refused(unharmed.admin.ask("DELETE", PATH, token), 400, "ambiguous_request")


def test_query_and_body_at_once_are_ambiguous(unharmed):
    me, other = unharmed.me.account.id, unharmed.other.account.id
    for body in ({"userId": other}, {"userId": me}, {"preview": True}, {"all": True}):
        refused(unharmed.admin.ask("DELETE", f"{PATH}?userId={me}", body), 400, "ambiguous_request")
    refused(unharmed.admin.ask("DELETE", f"{PATH}?preview=true", {"userId": me}), 400, "ambiguous_request")


def test_a_refresh_token_stands_in_no_address(unharmed):
    for name in ("tokenString", "TokenString"):
        answer = unharmed.admin.ask("DELETE", f"{PATH}?{name}={unharmed.me.refresh_token}")
        refused(answer, 422, "validation_failed", [name])
        assert "body" in answer.json["message"]
        assert unharmed.me.refresh_token[:12] not in answer.text
    # As a credential it is one too many, and taken out of the address before anybody sees it.
    answer = unharmed.admin.ask("DELETE", f"{PATH}?token={unharmed.me.refresh_token}")
    refused(answer, 400, "ambiguous_request")
    assert unharmed.me.refresh_token[:12] not in answer.text
    for name in ("refreshToken", "refresh_token"):
        refused(
            unharmed.admin.ask("DELETE", f"{PATH}?{name}={unharmed.me.refresh_token}"), 422, "validation_failed", [name]
        )


def test_nobody_who_is_not_signed_in_ends_anything(unharmed, script):
    me = unharmed.me
    for headers in ({}, {"Authorization": "Bearer junk"}, {"Cookie": f"__Host-refresh_token={me.refresh_token}"}):
        for method, path, body in (
            ("DELETE", PATH, {"userId": me.account.id}),
            ("DELETE", PATH, {"all": True}),
            ("DELETE", f"{PATH}/{me.refresh_token_id}", None),
            ("POST", PATH, {"tokenId": me.refresh_token_id}),
            ("POST", PATH, {"TokenString": me.refresh_token}),
            ("POST", f"{PATH}/{me.refresh_token_id}", {"applicationsId": unharmed.office}),
            ("GET", f"{PATH}/{me.refresh_token_id}", None),
            ("GET", PATH, None),
        ):
            answer = script.send(method, path, body, headers)
            refused(answer, 401, "token_invalid" if "Authorization" in headers else "credentials_missing")


def test_a_path_that_is_no_id_is_not_there(unharmed):
    for text in ("abc", "*", "%00", "0", "undefined", "null", "'--", NOBODY + "x", "%F0%9F%98%80", "1e400"):
        for method in ("GET", "DELETE", "POST"):
            refused(unharmed.admin.ask(method, f"{PATH}/{text}"), 404, "not_found")


def test_a_body_that_is_not_json_ends_nothing(unharmed):
    sent = unharmed.admin.client.delete(
        PATH, data="userId=x", content_type="application/x-www-form-urlencoded", headers=unharmed.admin.bearer()
    )
    refused(sent, 415, "unsupported_media_type")
    for text in ("[]", "null", '"all"', "{", '{"all":true,"all":true}', '{"all":NaN}'):
        headers = unharmed.admin.bearer()
        sent = unharmed.admin.client.delete(PATH, data=text, content_type="application/json", headers=headers)
        refused(sent, 400, "malformed_json")
