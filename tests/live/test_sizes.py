"""What docs/growing.md says of rows and refreshes can be measured again."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_rows_and_refreshes_are_measured_on_both_databases():
    command = [sys.executable, "-m", "bench.sizes", "200"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    told = done.stdout
    for table, count in {
        "users": 101,
        "user_roles": 103,
        "refresh_tokens": 200,
        "api_tokens": 200,
        "events": 200,
    }.items():
        rows = re.findall(rf"^{table} +{count} +(\d+)", told, re.M)
        assert len(rows) == 2, told
        assert all(int(size) > 0 for size in rows), told
    # Nothing that a refresh writes is indexed: where there is room, it is written in place.
    assert len(re.findall(r"pages 90 % full.* again: +\d+ 100\.0%", told)) == 2, told
    for kind in ("postgresql", "sqlite"):
        assert f"prune on {kind}: 100 of 200 rows" in told
