"""A server in a process of its own, started by a command; what it says goes into a log."""

import os
import signal
import socket
import subprocess
import time

from tests.servers.gunicorn import ROOT
from tests.servers.postgresql import end_with_parent


class Process:
    def __init__(self, command, port, log, environment):
        self.log = log
        self.url = f"http://127.0.0.1:{port}"
        with log.open("ab") as said:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(20)
