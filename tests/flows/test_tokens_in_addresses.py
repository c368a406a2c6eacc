"""API-08, API-09: what stands in `?token=` says who asks, or nothing."""

import pytest

from tests.flows.api_tokens import code, make_api_token, use


@pytest.fixture
def owner(make_person):
    return make_person("restaurants:read", "api-tokens:write", "auth:refresh")


def test_junk_in_an_address_is_refused_like_junk_in_a_header(app, owner, monkeypatch):
    asked = []
    monkeypatch.setattr("authsvc.services.api_tokens.single_statements", lambda: asked.append(1))
    for text in (
        "",
        "a",
        "asvc_",
        "asvc_" + "0" * 36,
        "0" * 8192,
        "%00",
        "%ff%fe",
        "%E2%98%83",
        "a%20b",
        "eyJ.eyJ.eyJ",
    ):
        answer = use(owner, "", f"/auth/me?token={text}", headers={})
        assert code(answer) == (401, "token_invalid"), text
    assert asked == []


def test_a_token_in_an_address_never_says_what_to_end(owner):
    """API-08: `?token=` is who asks. What is asked to end stands in the body."""
    script, own = make_api_token(owner, allowInQuery=True)["token"], owner.bearer()
    for text, headers, expected in (
        (owner.refresh_token, {}, (401, "token_invalid")),
        (owner.refresh_token, own, (400, "ambiguous_request")),
        (script, own, (400, "ambiguous_request")),
        (script, {}, (400, "selector_missing")),
    ):
        answer = owner.client.delete(f"/jwt/refresh?token={text}", base_url="https://auth.example.org", headers=headers)
        assert code(answer) == expected, text
        assert text[-12:] not in answer.text + str(answer.headers)
    assert owner.me().status_code == 200
    body = {"tokenString": owner.refresh_token}
    assert owner.ask("DELETE", "/jwt/refresh", body).json["data"]["revoked"] == 1
