"""A WSGI app on a port of its own, served by threads of this process, with connections that are kept alive."""

import contextlib
import io
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from tests.servers.postgresql import free_port


class _Handler(BaseHTTPRequestHandler):
    """As much of WSGI as our apps need, on the plainest server there is that keeps connections."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def setup(self):
        super().setup()
        self.server.served.connections.append(self.connection)

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        environ |= {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": self.client_address[0],
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
        }
        served = self.server.served
        served.asked.append((self.command, environ["PATH_INFO"], dict(environ)))
        content = served.app(environ, self.start)
        try:
            self.wfile.write(b"".join(content))
        finally:
            getattr(content, "close", lambda: None)()

    do_GET = do_POST = answer  # noqa: N815 (http.server calls them so)

    def start(self, status, headers):
        code, _, phrase = status.partition(" ")
        self.send_response_only(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        """The tests listen to other logs."""


class _Server(ThreadingHTTPServer):
    served = None

    def handle_error(self, *_):
        """Whoever asked did not wait for the answer."""


class Served:
    """`asked` has every request as (method, path, environ); `connections` has those that were opened."""

    def __init__(self, app=None):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.app = app
        self.asked = []
        self.connections = []
        self.server = None

    def start(self):
        self.server = _Server(("127.0.0.1", self.port), _Handler)
        self.server.served = self
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()
        return self

    def stop(self):
        if self.server is not None:
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()
            self.server = None
            self.hang_up()

    def hang_up(self):
        """Close what is kept open, as a server does that has waited long enough."""
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def count(self, path):
        return [asked for _, asked, _ in self.asked].count(path)


class Scripted:
    """A WSGI app that answers what it is told to: by path, a status, headers and a body, or a function that says so."""

    def __init__(self):
        self.answers = {}

    def __call__(self, environ, start_response):
        answer = self.answers.get(environ["PATH_INFO"], ("404 Not Found", {}, b""))
        status, headers, body = answer(environ) if callable(answer) else answer
        start_response(status, [*headers.items(), ("Content-Length", str(len(body)))])
        return [body]
