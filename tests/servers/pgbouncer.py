"""pgbouncer as docs/operations.md sets it up, on a port of its own: between the service and a PostgreSQL."""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tests.servers.postgresql import end_with_parent, free_port
from tests.servers.proxies import program

DOCS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
FEW = 3


class Pgbouncer:
    def __init__(self, postgresql_port, user):
        self.folder = Path(tempfile.mkdtemp(prefix="authsvc-pgbouncer-"))
        self.folder.chmod(0o755)
        self.user = "nobody" if os.geteuid() == 0 else None  # it refuses to run as root
        self.port = free_port()
        self.log = self.folder / "log"
        users = self.folder / "users.txt"
        users.write_text(f'"{user}" ""\n')
        own = {
            "* = host=db.example.org port=5432": f"* = host=127.0.0.1 port={postgresql_port}",
            "listen_addr = *": "listen_addr = 127.0.0.1",
            "listen_port = 6432": f"listen_port = {self.port}\nunix_socket_dir =",
            "auth_type = scram-sha-256": "auth_type = trust",
            "/etc/pgbouncer/userlist.txt": str(users),
            "default_pool_size = 20": f"default_pool_size = {FEW}",
        }
        [text] = re.findall(r"^```ini pgbouncer\n(.*?)^```", DOCS.read_text(), re.M | re.S)
        for theirs, ours in own.items():
            assert theirs in text, theirs
            text = text.replace(theirs, ours)
        self.file = self.folder / "pgbouncer.ini"
        self.file.write_text(text)
        self.start()

    def start(self):
        account = pwd.getpwnam(self.user) if self.user else None
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [program("pgbouncer"), self.file],
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.environ["PATH"]},
                preexec_fn=end_with_parent,
                **identity,
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.02)

    def halt(self):
        """All that go through it are cut off."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)
