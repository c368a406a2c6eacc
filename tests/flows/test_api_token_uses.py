"""When an API token was used last is written behind, once a minute, whichever workers it reaches."""

from datetime import UTC, datetime, timedelta

from tests.conftest import finish_writing
from tests.flows.api_tokens import by, eventually, make_api_token, use
from tests.flows.people import told


def test_the_last_use_is_written_behind_and_once_a_minute(app, owner, rows):
    made = make_api_token(owner)
    path = f"/api-tokens/{made['id']}"
    assert owner.get(path).json["data"]["lastUsedAt"] is None
    use(owner, made["token"], environ_overrides={"REMOTE_ADDR": "192.0.2.1"})
    first = eventually(lambda: owner.get(path).json["data"], lambda data: data["lastUsedAt"])
    assert first["lastUsedIp"] == "192.0.2.1"
    for _ in range(3):
        use(owner, made["token"], environ_overrides={"REMOTE_ADDR": "192.0.2.2"})
    finish_writing(app)
    assert owner.get(path).json["data"] == first
    [event] = told(app, "api_token.first_used")
    assert (event.api_token_id, event.ip, event.subject_id) == (made["id"], "192.0.2.1", owner.account.id)


def test_two_workers_write_one_use_a_minute(app, make_app, owner, rows):
    made = make_api_token(owner)
    for worker, address in ((app, "192.0.2.1"), (make_app(), "192.0.2.2")):
        worker.test_client().get(
            "/auth/me",
            headers=by(made["token"]),
            base_url="https://auth.example.org",
            environ_overrides={"REMOTE_ADDR": address},
        )
        finish_writing(worker)
    assert rows(app, "SELECT last_used_ip FROM api_tokens") == [("192.0.2.1",)]
    assert len(told(app, "api_token.first_used")) == 1
    # A minute later the next one is written.
    set_last_use(app, made["id"], datetime.now(UTC) - timedelta(minutes=1))
    use_at = make_app().test_client()
    use_at.get("/auth/me", headers=by(made["token"]), base_url="https://auth.example.org")
    eventually(lambda: rows(app, "SELECT last_used_ip FROM api_tokens"), lambda found: found == [("127.0.0.1",)])


def set_last_use(app, api_token_id, at):
    from authsvc.models import ApiToken
    from authsvc.models.engine import transaction

    with app.app_context(), transaction() as session:
        session.get(ApiToken, api_token_id).last_used_at = at


def test_a_use_that_cannot_be_written_harms_nothing(app, owner, monkeypatch):
    from sqlalchemy.exc import OperationalError

    made = make_api_token(owner)

    def failing(*_, **__):
        raise OperationalError("no", {}, Exception())

    with monkeypatch.context() as patch:
        patch.setattr("authsvc.models.api_token.note_use", failing)
        assert use(owner, made["token"]).status_code == 200
        assert use(owner, made["token"]).status_code == 200
    path = f"/api-tokens/{made['id']}"
    assert eventually(lambda: owner.get(path).json["data"]["lastUsedAt"])
