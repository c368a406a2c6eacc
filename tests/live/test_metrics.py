"""Two real workers count together, to the last request, also when one of them dies."""

import os
import signal
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.servers.gunicorn import Gunicorn

ASKED = 200


@pytest.fixture
def server(tmp_path):
    place = tmp_path / "tmp"
    place.mkdir()

    class Counting(Gunicorn):
        def start(self):
            self.environment |= {"TMPDIR": str(place), "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "somebody-elses")}
            super().start()

    server = Counting(f"sqlite:///{tmp_path / 'authsvc.db'}", tmp_path / "log", workers=2, METRICS_READERS="127.0.0.1")
    yield server
    server.stop()


def ask(server, path, **headers):
    """On a connection of its own: the kernel chooses the worker."""
    try:
        with urllib.request.urlopen(urllib.request.Request(server.url + path, headers=headers), timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.read().decode()


def number(server, name, **labels):
    """What is counted, as whichever worker says."""
    families = text_string_to_metric_families(ask(server, "/metrics"))
    samples = (sample for family in families for sample in family.samples)
    return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


def refused(server):
    return number(server, "authsvc_requests_total", route="/auth/me", status="401")


def test_counts_are_those_of_all_workers(server, tmp_path):
    with ThreadPoolExecutor(16) as crowd:
        for future in [crowd.submit(ask, server, "/auth/me") for _ in range(ASKED)]:
            future.result()
    # A worker counts as it answers: whoever has all answers finds all of them counted, whichever worker tells.
    assert {refused(server) for _ in range(8)} == {ASKED}
    assert number(server, "authsvc_request_seconds_count", route="/auth/me") == ASKED
    assert number(server, "authsvc_refusals_total", code="credentials_missing") == ASKED
    [folder] = (tmp_path / "tmp").glob("authsvc-metrics-*")
    assert len(list(folder.glob("counter_*.db"))) == 2
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not (tmp_path / "somebody-elses").exists()

    before = set(server.workers())
    os.kill(min(before), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while len(set(server.workers()) - before) != 1 or number(server, "authsvc_workers") != 2:
        assert time.monotonic() < deadline, server.log.read_text()
    assert refused(server) == ASKED
    assert "not_found" in ask(server, "/metrics", **{"X-Forwarded-For": "127.0.0.1"})

    server.stop()
    assert not folder.exists()
