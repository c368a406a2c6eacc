"""HAProxy as docs/operations.md sets it up before several servers, on a port of its own."""

import os
import re
import socket
import subprocess
import time
from pathlib import Path

from tests.servers.postgresql import end_with_parent
from tests.servers.proxies import program

DOCS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
NAMES = ("a", "b", "c")


class Haproxy:
    def __init__(self, folder, ports, port):
        """Before servers on these three ports."""
        folder.mkdir()
        self.port, self.socket = port, folder / "admin.sock"
        self.log, file = folder / "log", folder / "haproxy.cfg"
        [text] = re.findall(r"^```haproxy\n(.*?)^```", DOCS.read_text(), re.M | re.S)
        own = {
            "bind :443 ssl crt /etc/haproxy/auth.pem": f"bind 127.0.0.1:{port}",
            "X-Forwarded-Proto https": "X-Forwarded-Proto http",
            "/run/haproxy/admin.sock": str(self.socket),
        } | {f"10.0.7.1{number}:8000": f"127.0.0.1:{at}" for number, at in enumerate(ports)}
        for theirs, ours in own.items():
            assert theirs in text, theirs
            text = text.replace(theirs, ours)
        file.write_text(text)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program("haproxy"), "-db", "-f", file],
                stdout=log,
                stderr=log,
                env={"PATH": os.environ["PATH"]},
                preexec_fn=end_with_parent,
            )
        self._until(lambda: self.socket.exists() and all(map(self.takes, NAMES)))

    def say(self, command):
        """To the socket of whoever runs it."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.socket))
            line.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: line.recv(65536), b"")).decode()

    def takes(self, name):
        """Whether requests go to this server."""
        rows = [row.split(",") for row in self.say("show stat").splitlines()]
        [status] = [row[17] for row in rows if row[:2] == ["authsvc", name]]
        return status == "UP"

    def wait_for(self, name):
        self._until(lambda: self.takes(name))

    def _until(self, holds):
        deadline = time.monotonic() + 30
        while True:
            try:
                if holds():
                    return
            except OSError:
                pass
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
