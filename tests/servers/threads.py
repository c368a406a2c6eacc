"""A WSGI app on a port of its own, served by threads of this process, with connections that are kept alive."""

import contextlib
import socket
import threading

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.servers.postgresql import free_port


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_):
        """The tests listen to other logs."""


class Served:
    """`asked` has every request as (method, path, environ); `connections` has those that were opened."""

    def __init__(self, app=None, *, port=None):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.app = app
        self.asked = []
        self.connections = []
        self.server = None

    def start(self):
        served = self

        class Handler(_Handler):
            def setup(self):
                super().setup()
                served.connections.append(self.connection)

        self.server = make_server("127.0.0.1", self.port, self._answer, threaded=True, request_handler=Handler)
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

    def _answer(self, environ, start_response):
        self.asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], dict(environ)))
        return self.app(environ, start_response)


class Scripted:
    """A WSGI app that answers what it is told to: by path, a status, headers and a body, or a function that says so."""

    def __init__(self, **_):
        self.answers = {}

    def __call__(self, environ, start_response):
        answer = self.answers.get(environ["PATH_INFO"], ("404 Not Found", {}, b""))
        status, headers, body = answer(environ) if callable(answer) else answer
        start_response(status, [*headers.items(), ("Content-Length", str(len(body)))])
        return [body]
