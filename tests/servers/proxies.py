"""nginx and Caddy as docs/forward-auth.md sets them up, each an ordinary process on a port of its own; and an API."""

import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from tests.servers.postgresql import end_with_parent, free_port

DOCS = Path(__file__).resolve().parents[2] / "docs" / "forward-auth.md"
AUTHSVC, API = "127.0.0.1:8000", "127.0.0.1:9000"  # as the documentation has them
NGINX_AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/start.log;
{user}
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {block}
}}
"""


class Proxy:
    def __init__(self, folder, authsvc_port, api_port, *, scoped=True):
        self.folder, self.port = folder, free_port()
        self.folder.mkdir()
        told = {AUTHSVC: f"127.0.0.1:{authsvc_port}", API: f"127.0.0.1:{api_port}", **self.own_places()}
        told |= {} if scoped else {self.scope: self.no_scope}
        text = documented(self.language)
        for place, ours in told.items():
            assert place in text, place
            text = text.replace(place, ours)
        self.file = folder / "configuration"
        self.file.write_text(self.within(text))
        self.output = folder / "output.log"
        with self.output.open("wb") as output:
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
        raise AssertionError(f"{self.language} is not ready:\n{self.logged()}")

    def logged(self):
        """Whatever it wrote to any file."""
        return "".join(path.read_text(errors="replace") for path in self.folder.rglob("*.log"))

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Nginx(Proxy):
    language, scope, no_scope = "nginx", "/auth/verify?scope=$auth_scope", "/auth/verify"

    def own_places(self):
        return {"listen 80;": f"listen 127.0.0.1:{self.port};", "/var/log/nginx": str(self.folder)}

    def within(self, block):
        user = "user root;" if os.geteuid() == 0 else ""
        return NGINX_AROUND.format(folder=self.folder, user=user, block=block)

    def command(self):
        started = str(self.folder / "start.log")
        return [program("nginx"), "-p", str(self.folder), "-e", started, "-c", str(self.file)]


class Caddy(Proxy):
    language, scope, no_scope = "caddy", "/auth/verify?scope=restaurants:read", "/auth/verify?"

    def own_places(self):
        return {"\napi.example.org {": f"\nhttp://127.0.0.1:{self.port} {{"}

    def within(self, text):
        return text.replace("{\n", "{\n\tadmin off\n\tdefault_bind 127.0.0.1\n", 1)

    def command(self):
        return [program("caddy"), "run", "--config", str(self.file), "--adapter", "caddyfile"]


PROXIES = {kind.language: kind for kind in (Nginx, Caddy)}


def documented(language):
    """The one block of the documentation in this language, word by word."""
    [block] = re.findall(rf"^```{language}\n(.*?)^```", DOCS.read_text(), re.M | re.S)
    return block


def program(name):
    """Debian keeps servers where only root's PATH leads."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, f"{name} is not there: `make packages` installs it."
    return found


class Api:
    """What stands behind a proxy: it answers with what reached it, and remembers it."""

    def __init__(self):
        self.reached = reached = []

        class Echo(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one write for each answer: two of them wait for each other's acknowledgement

            def answer(self):
                heard = {
                    "method": self.command,
                    "path": self.path,
                    "headers": self.headers.items(),
                    "body": self.body().decode(),
                }
                reached.append(heard)
                text = json.dumps(heard).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def body(self):
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)

            def log_message(self, *arguments):
                pass

        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
            setattr(Echo, f"do_{method}", Echo.answer)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
