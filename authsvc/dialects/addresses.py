"""Addresses below a dialect: several slashes in a row are one there.

A client that was given a base URL with a slash at its end asks for `/fusionauth//api/login`. A redirect would not help
it: some clients don't follow one, and others lose the body of the request on the way. Everywhere else an address with
two slashes is another one, which a proxy in front may judge otherwise than we do.
"""

import re
from typing import TYPE_CHECKING

from werkzeug.routing import Map, MapAdapter
from werkzeug.wrappers import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_SLASHES = re.compile(r"//+")


class Addresses(Map):
    """`below`: where dialects are served, each with a slash at its end."""

    below: tuple[str, ...] = ()

    def bind_to_environ(
        self, environ: "WSGIEnvironment | Request", server_name: str | None = None, subdomain: str | None = None
    ) -> MapAdapter:
        asked = environ.environ if isinstance(environ, Request) else environ
        path = asked.get("PATH_INFO", "")
        if "//" in path and path.startswith(self.below):
            asked = asked | {"PATH_INFO": _SLASHES.sub("/", path)}
        return super().bind_to_environ(asked, server_name, subdomain)
