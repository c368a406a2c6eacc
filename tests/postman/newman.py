"""The collection as Postman's runner runs it: top to bottom, by newman, against a service that is running."""

import shutil
from pathlib import Path

from clients.postman.source.files import COLLECTION, PLACE, environment_file
from tests.servers.node import PLACE as PROGRAMS

NEWMAN = PROGRAMS / "node_modules" / ".bin" / "newman"


def command(url: str, transport: str, email: str, password: str, *options: str) -> list[str]:
    """With nothing filled in but these three. What passes is not told one by one."""
    assert NEWMAN.exists(), "newman is not installed: make .venv/node"
    filled_in = {"baseUrl": url, "adminEmail": email, "adminPassword": password}
    variables = [word for name, value in filled_in.items() for word in ("--env-var", f"{name}={value}")]
    files = [str(PLACE / COLLECTION), "-e", str(PLACE / environment_file(transport))]
    quiet = ("--reporter-cli-no-success-assertions", "--reporter-cli-no-banner")
    return [str(shutil.which("node")), str(NEWMAN), "run", *files, *variables, *quiet, *options]


def reported_to(place: Path) -> tuple[str, ...]:
    return ("--reporters", "cli,json", "--reporter-json-export", str(place))
