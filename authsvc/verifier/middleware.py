"""WSGI: a guard around a whole app, whatever framework it is written in."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from authsvc import presenting, refused
from authsvc.errors import CredentialsMissing, Refusal
from authsvc.principals import Principal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PRINCIPAL = "authsvc.principal"


class Guarded:
    """Lets through who may, and answers all others itself."""

    def __init__(
        self,
        app: "WSGIApplication",
        identify: "Callable[[WSGIEnvironment], Principal | None]",
        permission: str | None,
        *,
        optional: bool,
    ) -> None:
        self.app = app
        self.identify = identify
        self.permission = permission
        self.optional = optional

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            environ[PRINCIPAL] = self._admitted(environ)
        except Refusal as error:
            return _refuse(error, environ, start_response)
        return self.app(environ, start_response)

    def _admitted(self, environ: "WSGIEnvironment") -> Principal | None:
        who = self.identify(environ)
        if who is None and not self.optional:
            raise CredentialsMissing
        if who is not None and self.permission is not None:
            who.require(self.permission)
        return who


def _refuse(error: Refusal, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    request_id = presenting.request_id(environ)
    body = refused.body_of(error, request_id)
    headers = refused.headers_of(error, request_id) | {"Content-Length": str(len(body))}
    start_response(f"{error.status} {HTTPStatus(error.status).phrase}", list(headers.items()))
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
