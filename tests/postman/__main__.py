"""`make postman`: a fresh service on a port of its own, and the whole collection against it in both transports.

With the name of a file, newman's report of the first run goes there: the saved answers are made of it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from clients.postman.source.files import TRANSPORTS
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.postman import newman
from tests.servers.gunicorn import Gunicorn


def main(report: str | None = None) -> int:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        server = Gunicorn(f"sqlite:///{folder}/authsvc.db", log, workers=2)
        failed = False
        try:
            for transport in TRANSPORTS:
                reporting = newman.reported_to(Path(report)) if report and transport == "body" else ()
                command = newman.command(server.url, transport, ADMIN_EMAIL, ADMIN_PASSWORD, *reporting)
                failed |= subprocess.run(command, check=False).returncode != 0
        finally:
            server.stop()
        if failed:
            sys.stderr.write(f"The server's log:\n{log.read_text()}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
