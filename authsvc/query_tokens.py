"""WSGI: API tokens that travel as `?token=`, taken out of the request before anything else reads or logs it.

They are taken out of the query, of the request line as servers keep it for their logs, of the Referer, and of the
address that a proxy asks about. Only the guard gets them, by `taken` and `forwarded`. What merely looks like one, such
as `;token=` or `%3Ftoken=` in the path, is nobody's credential, and hidden all the same.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from authsvc.hiding import without_query_tokens, without_secrets

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NAME = "token"
# Where a proxy that asks about a request says which one: nginx as our documents have it; Caddy and Traefik.
FORWARDED = ("HTTP_X_ORIGINAL_URI", "HTTP_X_FORWARDED_URI")
_ADDRESSES = ("RAW_URI", "REQUEST_URI", "HTTP_REFERER")
_TAKEN, _FORWARDED_TAKEN = "authsvc.query_tokens", "authsvc.forwarded_query_tokens"
_BEFORE = re.compile(r"[?#]")
_PRIVATE = [("Cache-Control", "no-store, private"), ("Referrer-Policy", "no-referrer")]
_REPLACED = frozenset({"cache-control", "etag", "expires", "referrer-policy"})


class Hidden(tuple[str, ...]):
    """Texts that don't show when somebody prints the request's environment."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} hidden>"


class QueryTokens:
    """Around everything: what lies within never meets a `?token=`. Answers to a request that had one are private."""

    def __init__(self, app: "WSGIApplication") -> None:
        self.app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        query, found = _without_tokens(environ.get("QUERY_STRING", ""))
        environ["QUERY_STRING"] = query
        environ["PATH_INFO"] = without_query_tokens(environ.get("PATH_INFO", ""))
        for name in _ADDRESSES:
            _strip(environ, name)
        asked_about = dict.fromkeys(tuple(_strip(environ, name)) for name in FORWARDED)
        if any(asked_about):
            environ[_FORWARDED_TAKEN] = Hidden(token for tokens in asked_about for token in tokens)
        if not found:
            return self.app(environ, start_response)
        environ[_TAKEN] = Hidden(found)

        def start_privately(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            kept = [(name, value) for name, value in headers if name.lower() not in _REPLACED]
            return start_response(status, kept + _PRIVATE, *rest)

        return self.app(environ, start_privately)


def taken(environ: "WSGIEnvironment") -> tuple[str, ...]:
    """What stood in this request's own query."""
    found: tuple[str, ...] = environ.get(_TAKEN, ())
    return found


def forwarded(environ: "WSGIEnvironment") -> tuple[str, ...]:
    """What stood in the query of the request that a proxy asks about. Two headers that say the same are one address."""
    found: tuple[str, ...] = environ.get(_FORWARDED_TAKEN, ())
    return found


def _strip(environ: "WSGIEnvironment", name: str) -> list[str]:
    """Take the tokens out of an address; answers them."""
    if name not in environ:
        return []
    path, mark, rest = _parted(environ[name])
    rest, found = _without_tokens(rest)
    environ[name] = without_secrets(path + mark + rest if rest or not found else path)
    return found


def _parted(address: str) -> tuple[str, str, str]:
    """What stands before the query, the mark between them, and the query."""
    mark = _BEFORE.search(address)
    return (address[: mark.start()], mark[0], address[mark.end() :]) if mark else (address, "", "")


def _without_tokens(query: str) -> tuple[str, list[str]]:
    """The query without them, and what they were; `TOKEN` is no name of ours, but what it holds may be as secret."""
    if not query:
        return query, []
    kept, found = [], []
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        spelled = unquote_plus(name).strip(" ?#")
        if spelled == NAME:
            found.append(unquote_plus(value))
        elif spelled.casefold() == NAME:
            found.append("")
        else:
            kept.append(without_query_tokens(pair))
    return "&".join(kept), found
