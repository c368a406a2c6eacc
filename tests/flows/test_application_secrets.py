"""What a confidential application proves itself with: shown once, kept as a digest, followed by others, ended."""

import hashlib
from datetime import timedelta

import pytest

from authsvc import clock
from authsvc.caller import Caller
from authsvc.errors import InvalidClient
from authsvc.services import clients
from tests.answers import refused
from tests.flows.administering import UNKNOWN, add_application, change_application, change_tenant, told


@pytest.fixture
def confidential(admin):
    return add_application(admin, confidential=True)


@pytest.fixture
def proves(app):
    """Whether this secret proves that application, so much later."""

    def ask(application, secret, tenant="default", **later):
        now = clock.utcnow() + timedelta(**later)
        with app.app_context():
            try:
                found = clients.recognised(application["id"], secret, tenant_name=tenant, caller=Caller(), now=now)
            except InvalidClient:
                return False
        assert found.id == application["id"]
        return True

    return ask


def make_secret(admin, application, **body):
    answer = admin.ask("POST", f"/admin/applications/{application['id']}/secret", body or None)
    assert answer.status_code == 201, answer.json
    return answer.json["data"]


def test_a_confidential_application_is_answered_with_a_secret_once(app, admin, confidential, rows):
    secret = confidential.pop("clientSecret")
    prefix, _, random = secret.partition("_")
    assert prefix == "asvcs"
    assert len(random) >= 43
    assert secret.isascii()
    assert confidential["confidential"] is True
    path = f"/admin/applications/{confidential['id']}"
    assert admin.get(path).json["data"] == confidential
    assert change_application(admin, confidential, confidential=True, name="Till") == {**confidential, "name": "Till"}
    assert admin.get("/admin/applications?slug=shop").json["data"]["items"] == [{**confidential, "name": "Till"}]
    assert "clientSecret" not in add_application(admin, name="Other")


def test_only_the_digest_is_kept_and_no_answer_or_event_has_either(app, admin, confidential, rows):
    secrets = [confidential["clientSecret"], make_secret(admin, confidential)["clientSecret"]]
    digests = [hashlib.sha256(secret.encode()).hexdigest() for secret in secrets]
    assert rows(app, "SELECT digest FROM client_secrets ORDER BY id") == [(digest,) for digest in digests]
    path = f"/admin/applications/{confidential['id']}"
    later = [
        admin.get(path),
        admin.get("/admin/applications"),
        admin.ask("PATCH", path, {"name": "Till"}),
        admin.ask("DELETE", path),
    ]
    events = str(rows(app, "SELECT * FROM events"))
    for hidden in (*secrets, *digests, "asvcs_", "clientSecret", "digest"):
        assert not any(hidden in answer.text for answer in later)
        assert hidden not in events


def test_the_next_secret_works_beside_the_one_before_until_the_overlap_has_ended(
    app, admin, confidential, proves, rows
):
    first = confidential["clientSecret"]
    following = make_secret(admin, confidential, overlap=3600)
    second = following.pop("clientSecret")
    assert following == {name: value for name, value in confidential.items() if name != "clientSecret"}
    assert second != first
    assert proves(confidential, first)
    assert proves(confidential, second)
    assert not proves(confidential, first, seconds=3601)
    assert proves(confidential, second, days=3650)
    [(*_, detail)] = told(rows, app, "application.secret_made")
    assert detail == {"slug": "shop", "overlap": 3600}


def test_the_overlap_is_a_day_unless_it_is_given(admin, confidential, proves):
    first = confidential["clientSecret"]
    make_secret(admin, confidential)
    assert proves(confidential, first, hours=23, minutes=59)
    assert not proves(confidential, first, hours=24, seconds=1)


def test_without_an_overlap_those_before_end_at_once(app, admin, confidential, proves, rows):
    secrets = [confidential["clientSecret"], make_secret(admin, confidential)["clientSecret"]]
    last = make_secret(admin, confidential, overlap=0)["clientSecret"]
    assert [proves(confidential, secret) for secret in (*secrets, last)] == [False, False, True]
    assert len(rows(app, "SELECT 1 FROM client_secrets")) == 1


def test_a_later_overlap_stretches_none_that_ends_sooner(admin, confidential, proves):
    first = confidential["clientSecret"]
    second = make_secret(admin, confidential, overlap=60)["clientSecret"]
    make_secret(admin, confidential, overlap=30 * 24 * 3600)
    assert [proves(confidential, first, seconds=s) for s in (0, 61)] == [True, False]
    assert [proves(confidential, second, days=d) for d in (29, 31)] == [True, False]


@pytest.mark.parametrize("overlap", [-1, 30 * 24 * 3600 + 1, 0.5, 60.0, "60", True, None, []])
def test_an_overlap_is_whole_seconds_up_to_thirty_days(app, admin, confidential, rows, overlap):
    path = f"/admin/applications/{confidential['id']}/secret"
    refused(admin.ask("POST", path, {"overlap": overlap}), 422, "validation_failed", ["overlap"])
    refused(admin.ask("POST", path, {"clientSecret": "mine"}), 422, "validation_failed", ["clientSecret"])
    assert len(rows(app, "SELECT 1 FROM client_secrets")) == 1


def test_one_that_is_not_confidential_has_no_secret(app, admin, rows):
    made = add_application(admin)
    refused(admin.ask("POST", f"/admin/applications/{made['id']}/secret"), 409, "conflict")
    refused(admin.ask("POST", f"/admin/applications/{UNKNOWN}/secret"), 404, "not_found")
    assert rows(app, "SELECT 1 FROM client_secrets") == []


def test_becoming_confidential_answers_a_secret_and_ceasing_to_be_ends_all_of_them(app, admin, proves, rows):
    made = add_application(admin)
    changed = change_application(admin, made, confidential=True)
    secret = changed.pop("clientSecret")
    assert changed == {**made, "confidential": True}
    assert proves(made, secret)
    assert change_application(admin, made, confidential=False) == made
    assert rows(app, "SELECT 1 FROM client_secrets") == []
    again = change_application(admin, made, confidential=True)["clientSecret"]
    assert [proves(made, one) for one in (secret, again)] == [False, True]
    changes = [detail["changed"] for *_, detail in told(rows, app, "application.updated")]
    assert changes == [["confidential"]] * 3


def test_nothing_but_a_secret_of_that_very_application_proves_it(app, admin, make_tenant, confidential, proves):
    make_tenant(app, "east")
    secret = confidential["clientSecret"]
    other = add_application(admin, name="Other", confidential=True)
    public = add_application(admin, name="Public")
    digest = hashlib.sha256(secret.encode()).hexdigest()
    wrong = [
        "",
        " ",
        secret[:-1],
        secret + "A",
        secret.upper(),
        secret + "\n",
        f" {secret}",
        digest,
        "é",
        "\ud800",
        "\0",
    ]
    assert not any(proves(confidential, one) for one in (*wrong, other["clientSecret"]))
    assert not proves(other, secret)
    assert not proves(public, secret)
    assert not proves(public, "")
    assert not proves(confidential, secret, tenant="east")
    assert proves(confidential, secret)


def test_what_is_turned_off_proves_nothing(app, admin, proves):
    east = admin.ask("POST", "/admin/tenants", {"name": "East", "slug": "east"}).json["data"]
    header = {"X-Tenant-Id": "east"}
    made = add_application(admin, header, confidential=True)
    secret = made["clientSecret"]
    for turn in (
        lambda active: change_application(admin, made, header, active=active),
        lambda active: change_tenant(admin, east, active=active),
    ):
        assert proves(made, secret, tenant="east")
        turn(False)
        assert not proves(made, secret, tenant="east")
        turn(True)
    assert proves(made, secret, tenant="east")
