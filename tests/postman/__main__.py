"""`make postman`: a fresh service on a port of its own, and the whole collection against it in both transports.

With the name of a file, newman's report of the first run goes there: the saved answers are made of it.
"""

import sys
import tempfile
from pathlib import Path

from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.postman import newman
from tests.servers.gunicorn import Gunicorn

QUIET = ("--reporter-cli-no-success-assertions", "--reporter-cli-no-banner", "--color", "off")


def main(report: str | None) -> int:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        server = Gunicorn(f"sqlite:///{folder}/authsvc.db", log, workers=2)
        failed = 0
        try:
            for transport in ("body", "cookie"):
                reporting = newman.reported_to(Path(report)) if report and transport == "body" else ()
                done = newman.run(server.url, transport, ADMIN_EMAIL, ADMIN_PASSWORD, *QUIET, *reporting)
                print(f"# {transport} transport\n{done.stdout}{done.stderr}", flush=True)  # noqa: T201
                failed += done.returncode != 0
        finally:
            server.stop()
        if failed:
            print(log.read_text(), file=sys.stderr)  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or [None])))
