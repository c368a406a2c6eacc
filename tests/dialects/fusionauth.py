"""An operator's FusionAuth client, and who it is for."""

from fusionauth.fusionauth_client import FusionAuthClient

from tests.dialects.in_process import HOST
from tests.flows.api_tokens import make_api_token

BASE = "/fusionauth"
SCOPES = ("users:read", "users:write", "tokens:read", "tokens:revoke")


def client_with(key, base=HOST + BASE):
    return FusionAuthClient(key, base)


def client_of(person, *scopes):
    """A client whose API key is an API token of that person's."""
    return client_with(make_api_token(person, *scopes)["token"])


def ok(answer):
    """What it says; the client keeps no body where there was none."""
    assert answer.was_successful(), (answer.status, answer.error_response)
    return answer.success_response


def codes(answer):
    """Of a 400: what is wrong with which field."""
    assert answer.status == 400, answer.status
    assert answer.response.headers["Content-Type"].startswith("application/json")
    told = answer.error_response
    fields = {name: [one["code"] for one in said] for name, said in told.get("fieldErrors", {}).items()}
    return fields or [one["code"] for one in told["generalErrors"]]


def empty(answer):
    """The status of an answer without a body."""
    assert answer.response.content == b""
    return answer.status
