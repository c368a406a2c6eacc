"""The service as it is deployed: gunicorn, with its own configuration and real workers, on a port of its own."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.servers.postgresql import end_with_parent, free_port

ROOT = Path(__file__).resolve().parents[2]


class Gunicorn:
    def __init__(
        self,
        database_url: str,
        log: Path,
        *,
        workers: int = 4,
        app: str = "wsgi:app",
        arguments: tuple[str, ...] = (),
        prepared: bool = False,
        **settings: str,
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self.app = app
        self.arguments = arguments
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "AUTHSVC_ENV": "testing",
            "AUTHSVC_BASE_URL": self.url,
            "AUTHSVC_DATABASE_URL": database_url,
            "AUTHSVC_WORKERS": str(workers),
            "AUTHSVC_ADMIN_PASSWORD": "correct horse battery staple",
            "PYTHONDONTWRITEBYTECODE": "1",
        } | {f"AUTHSVC_{name}": value for name, value in settings.items()}
        if not prepared:
            self.flask("prepare")
        self.start()

    def flask(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def command(self) -> list[str]:
        return [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", *self.arguments, self.app]

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.url}/readyz", timeout=2).close()
                return
            except (urllib.error.URLError, OSError):
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.05)
        raise AssertionError(f"The server is not ready:\n{self.log.read_text()}")

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def kill(self) -> None:
        """As a power cut would: every process at once, no last words."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


class Development(Gunicorn):
    """Werkzeug's server instead, as `flask run` starts it."""

    def command(self) -> list[str]:
        return [sys.executable, "-m", "flask", "--app", self.app, "run", "--port", str(self.port), *self.arguments]
