"""Programs in JavaScript that ask a running service: what the others' own clients make of its answers."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

PLACE = Path(__file__).resolve().parents[1] / "clients" / "node"


def told_by(program: str, asked: Any) -> Any:
    """Run one of the programs in tests/clients/node with this on its standard input; answers what it writes."""
    assert (PLACE / "node_modules").is_dir(), "The clients in JavaScript are not installed: make .venv/node"
    done = subprocess.run(
        [shutil.which("node"), PLACE / program],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
