"""The collection as Postman's runner runs it: top to bottom, by newman, against a service that is running."""

import shutil
import subprocess
from pathlib import Path

from clients.postman.source.files import COLLECTION, PLACE, environment_file
from tests.servers.node import PLACE as PROGRAMS

NEWMAN = PROGRAMS / "node_modules" / ".bin" / "newman"


def run(url: str, transport: str, email: str, password: str, *options: str) -> subprocess.CompletedProcess[str]:
    """With nothing filled in but these three. It says what failed."""
    assert NEWMAN.exists(), "newman is not installed: make .venv/node"
    node = shutil.which("node")
    assert node is not None
    filled_in = {"baseUrl": url, "adminEmail": email, "adminPassword": password}
    arguments = [word for name, value in filled_in.items() for word in ("--env-var", f"{name}={value}")]
    return subprocess.run(
        [node, NEWMAN, "run", PLACE / COLLECTION, "-e", PLACE / environment_file(transport), *arguments, *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def reported_to(place: Path) -> tuple[str, ...]:
    return ("--reporters", "cli,json", "--reporter-json-export", str(place))
