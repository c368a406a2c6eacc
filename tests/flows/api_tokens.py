"""API tokens, made and used."""

import time
from datetime import datetime

from authsvc.models import ApiToken
from authsvc.models.engine import transaction

OWN = ("restaurants:read", "restaurants:write", "api-tokens:write", "auth:refresh")


def make_api_token(person, *scopes, **more):
    """Make one; answers its data, with the text under `token`."""
    answer = person.ask("POST", "/api-tokens", {"name": "script", "scopes": scopes, **more}, person.tenant)
    assert answer.status_code == 201, answer.json
    return {**answer.json["data"]["apiToken"], "token": answer.json["data"]["token"]}


def by(token):
    return {"Authorization": f"Bearer {token}"}


def use(person, token, path="/auth/me", **how):
    """Ask as the script that has the token, not as the person who is signed in there."""
    return person.client.get(path, base_url="https://auth.example.org", **({"headers": by(token)} | how))


def code(answer):
    return (answer.status_code, (answer.json.get("error") or {}).get("code"))


def set_expiry(app, api_token_id, ends):
    with app.app_context(), transaction() as session:
        session.get(ApiToken, api_token_id).expires_at = ends


def eventually(ask, wanted=bool):
    """What is written behind is there a moment later."""
    deadline = time.monotonic() + 10
    while not wanted(found := ask()):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def moment(text):
    return datetime.fromisoformat(text)


def lived(made):
    return moment(made["expiresAt"]) - moment(made["createdAt"])
