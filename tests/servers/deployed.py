"""nginx and HAProxy exactly as deploy/ has them, but for addresses, the name and the certificate, which are ours."""

import os
import socket
import subprocess
import time

from tests.servers.certificates import certify
from tests.servers.gunicorn import ROOT
from tests.servers.postgresql import end_with_parent, free_port
from tests.servers.proxies import NGINX_AROUND, program

DEPLOY = ROOT / "deploy"
NAME = "auth.example.org"
SERVERS = ("10.20.30.11:8000", "10.20.30.12:8000")  # as the configurations have them


class Deployed:
    """One that stands before these two ports; `port` speaks TLS, `plain` does not."""

    file = ""
    other_places: tuple = ()

    def __init__(self, folder, ports):
        self.folder, self.port, self.plain = folder, free_port(), free_port()
        folder.mkdir()
        certify(folder, NAME)
        self.certificate = folder / "fullchain.pem"
        text = (DEPLOY / self.file).read_text()
        servers = zip(SERVERS, (f"127.0.0.1:{port}" for port in ports), strict=True)
        for place, ours in (*servers, ("auth.your-company.com", NAME), *self.places()):
            assert place in text, place
            text = text.replace(place, ours)
        self.configuration = folder / self.file
        self.configuration.write_text(self.within(text))
        self.log = folder / "output.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                self.command(),
                stdout=output,
                stderr=output,
                env={"PATH": os.environ["PATH"], "HOME": str(folder)},
                preexec_fn=end_with_parent,
            )
        self.wait()

    def wait(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None, self.logged()
                time.sleep(0.02)
        raise AssertionError(f"{self.file} is not ready:\n{self.logged()}")

    def within(self, text):
        return text

    def logged(self):
        """Whatever it wrote to any file."""
        return "".join(path.read_text(errors="replace") for path in self.folder.rglob("*.log"))

    def complaints(self):
        """What it says of its configuration when it is asked to look at it and no more."""
        done = subprocess.run([*self.command(), *self.looking], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Nginx(Deployed):
    file, looking = "nginx.conf", ("-t",)

    def places(self):
        return (
            ("listen 80;", f"listen 127.0.0.1:{self.plain};"),
            ("listen 443 ", f"listen 127.0.0.1:{self.port} "),
            ("/etc/ssl/authsvc", str(self.folder)),
            ("/var/log/nginx", str(self.folder)),
        )

    def within(self, text):
        user = "user root;" if os.geteuid() == 0 else ""
        return NGINX_AROUND.format(folder=self.folder, user=user, block=text)

    def command(self):
        started = str(self.folder / "start.log")
        return [program("nginx"), "-p", str(self.folder), "-e", started, "-c", str(self.configuration)]


class Haproxy(Deployed):
    file, looking = "haproxy.cfg", ("-c",)

    def places(self):
        return (
            ("bind :80\n", f"bind 127.0.0.1:{self.plain}\n"),
            ("bind :443 ", f"bind 127.0.0.1:{self.port} "),
            ("/etc/haproxy", str(self.folder)),
            # Only root can become somebody else.
            *((("    user haproxy\n", ""), ("    group haproxy\n", "")) if os.geteuid() else ()),
        )

    def command(self):
        return [program("haproxy"), "-db", "-f", str(self.configuration)]


DEPLOYED = {kind.file: kind for kind in (Nginx, Haproxy)}
