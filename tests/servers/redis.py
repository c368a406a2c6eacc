"""A real Redis: Debian's, on a port of its own, which keeps nothing on any disk."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from redis import Redis as Client
from redis import RedisError

from tests.servers.postgresql import end_with_parent, free_port


class Redis:
    def __init__(self, *options, password=""):
        self.program = shutil.which("redis-server")
        assert self.program, "redis-server is not there: `make packages` installs Debian's package."
        self.folder = Path(tempfile.mkdtemp(prefix="authsvc-redis-"))
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.options = (*options, *(("--requirepass", password) if password else ()))
        self.client = Client(port=self.port, decode_responses=True, password=password or None)
        self.start()

    def start(self):
        told = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "save": "", "appendonly": "no"}
        words = [word for name, value in told.items() for word in (f"--{name}", str(value))]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, *words, *map(str, self.options)],
                stdout=log,
                stderr=log,
                env={"PATH": os.environ["PATH"]},
                preexec_fn=end_with_parent,
            )
        self.wait()

    def wait(self):
        deadline = time.monotonic() + 30
        while True:
            try:
                self.client.ping()
                return
            except RedisError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.02)

    def hang(self):
        """It takes connections and questions, and answers none."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def as_new(self):
        """Whatever a test did to it, the next one finds it so."""
        if self.process.poll() is not None:
            self.start()
        self.go_on()
        self.wait()
        self.client.flushall()
        self.client.config_resetstat()

    def stop(self):
        self.kill()
        self.client.close()
        shutil.rmtree(self.folder, ignore_errors=True)
