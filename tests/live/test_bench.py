"""The benchmarks still work: in small, beside nobody who needs an environment of their own."""

import json
import os
import subprocess
import sys

import pytest

from bench import tables, targets
from bench.load import Ask, Spoiled, drive
from bench.tables import NOTHING
from tests.servers.gunicorn import ROOT, Gunicorn

SMALL = {
    "BENCH": "throughput contention",
    "STEPS": "bare,guarded,refresh",
    "DATABASES": "sqlite",
    "PEERS": "none",
    "ROUNDS": "1",
    "DURATION": "1",
    "WARM_UP": "0",
    "CONNECTIONS": "4",
    "API_TOKENS": "10",
    "REPEATS": "2",
}


def test_every_row_of_a_small_run_has_its_figures(tmp_path):
    environment = {"PATH": os.environ["PATH"], "INTO": str(tmp_path), **SMALL}
    command = [sys.executable, "-m", "bench"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    measured = results["throughput"]["sqlite"]
    assert set(measured) == {"bare", "guarded", "refresh", "guarded again", "bare again"}
    for step in measured.values():
        assert min(step[figure] for figure in ("rate", "cpu", "p50", "p99")) > 0
        assert sum(step["runs"][0]["connections"]) == 4
    crowds = results["contention"]["sqlite"]
    assert {name: (told["served"], told["distinct"], told["steps"]) for name, told in crowds.items()} == {
        f"authsvc {size}": (size, 1, 1) for size in (1, 2, 8, 32)
    }
    told = tables.throughput("sqlite", measured)
    assert [row[0] for row in told.rows] == ["bare Flask", "`@requires()`, access token", "refresh"]
    assert all(NOTHING not in row[:4] + row[-3:] for row in told.rows)
    page = (tmp_path / "benchmarks.md").read_text()
    for table in tables.all_of(results):
        assert table.markdown() in page
    assert {row[0] for row in targets.table(results).rows} == {
        "refresh that steps each time",
        "protected request, access token",
    }
    assert "authsvc" in (tmp_path / "pictures" / "benchmarks.svg").read_text()


def test_a_wrong_answer_spoils_a_run(tmp_path):
    url = f"sqlite:///{tmp_path / 'none.db'}"
    server = Gunicorn(url, tmp_path / "log", app="bench.served.bare:app", workers=1, prepared=True)
    try:
        for path, proof in (("/nowhere", ""), ("/restaurants", "somebody else")):
            with pytest.raises(Spoiled, match="wrong answers"):
                drive(server.url, Ask("GET", path), [("-", proof)], seconds=1, connections=1)
        assert drive(server.url, Ask("GET", "/restaurants"), [("-", "for")], seconds=1, connections=1).wrong == 0
    finally:
        server.stop()
