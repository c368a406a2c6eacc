"""Who a request is, found out by an API that has neither the database nor the secrets of authsvc."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flask import Flask

from authsvc import clock, logs, opaque, presenting, query_tokens, refused
from authsvc.caller import Caller
from authsvc.errors import Refusal, TenantMismatch, TokenInvalid
from authsvc.presenting import Place, Presented
from authsvc.principals import Principal
from authsvc.query_tokens import QueryTokens
from authsvc.verifier import access_tokens, asking
from authsvc.verifier.keys import PublishedKeys
from authsvc.verifier.middleware import Guarded
from authsvc.verifier.recall import Recall
from authsvc.verifier.service import Service

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

# Every slug is of this form, and all of this form may stand in a header.
_SLUG = re.compile(r"[0-9a-z-]{1,63}")
FIVE_SECONDS = timedelta(seconds=5)


class Verifier:
    """Judges the credentials of requests to this API. One per process, shared by its threads.

    `base_url` is the BASE_URL of authsvc, to the letter: it is the issuer of every token. `application`: only what was
    given out for that one (its id) is taken. `recheck`: None believes an access token until it runs out; a time is how
    long an answer of authsvc is believed before it is asked again, and 0 asks at each request. `query_token=False`
    leaves `?token=` to the app. `timeout` is how long authsvc may take. `client`: the id and the secret of a
    confidential application, by which authsvc is asked at /oauth/introspect instead of /auth/verify.
    """

    def __init__(
        self,
        base_url: str,
        *,
        application: str | None = None,
        recheck: timedelta | None = None,
        query_token: bool = True,
        timeout: timedelta = FIVE_SECONDS,
        client: tuple[str, str] | None = None,
    ) -> None:
        if application is not None and not opaque.is_id(application):
            raise ValueError("application is the id of an application, not its name.")
        if recheck is not None and recheck < timedelta(0):
            raise ValueError("recheck can't be negative.")
        self.issuer = base_url.rstrip("/")
        self.application = application
        self.query_token = query_token
        self._service = Service(self.issuer, timeout)
        self._keys = PublishedKeys(self._service)
        self._asks_always = recheck is not None
        self._recall = Recall(recheck or timedelta(0))
        self._client = client
        logs.hide_in_servers()

    def principal(self, environ: "WSGIEnvironment") -> Principal | None:
        """Who the request is; None if it brings no credential. Raises a Refusal for a bad one."""
        in_query = query_tokens.taken(environ) if self.query_token else ()
        presented = presenting.credential(environ, in_query)
        if presented is None:
            return None
        named = presenting.tenant_named(environ)
        # What a tenant is called, only authsvc knows; what its id is, the credential says.
        slug = None if named is None or opaque.is_id(named) else named
        if slug is not None and not _SLUG.fullmatch(slug):
            raise TenantMismatch
        who = self._judged(presented, presenting.caller(environ), slug)
        if self.application is not None and who.application_id not in (None, self.application):
            raise TokenInvalid
        if named not in (None, slug, who.tenant_id):
            raise TenantMismatch
        return who

    def init_app(self, app: Flask) -> None:
        """Guard a Flask app: `@requires` and `principal` work there, and a refusal is answered in our shape."""
        app.extensions["authsvc.verifier"] = self
        app.register_error_handler(Refusal, refused.response)
        app.wsgi_app = self._without_query_tokens(app.wsgi_app)  # type: ignore[method-assign,assignment]

    def middleware(
        self, app: "WSGIApplication", requires: str | None = None, *, optional: bool = False
    ) -> "WSGIApplication":
        """Guard a whole WSGI app, which finds the Principal in `environ["authsvc.principal"]`.

        With `optional`, a request without any credential is let through, and has None there.
        """
        return self._without_query_tokens(Guarded(app, self.principal, requires, optional=optional))

    def close(self) -> None:
        """Close the connections that are kept."""
        self._service.close()

    def _without_query_tokens(self, app: "WSGIApplication") -> "WSGIApplication":
        return QueryTokens(app) if self.query_token else app

    def _judged(self, presented: Presented, caller: Caller, slug: str | None) -> Principal:
        now = clock.utcnow()
        if opaque.is_api_token(presented.text):
            return self._asked(presented, caller, slug, now)
        if presented.place is not Place.HEADER:
            raise TokenInvalid
        who = access_tokens.read(presented.text, self.issuer, self._keys, now)
        if self._asks_always or slug is not None:
            # Who it is, the signature says; what they may still do, authsvc does.
            return replace(who, permissions=self._asked(presented, caller, slug, now).permissions)
        return who

    def _asked(self, presented: Presented, caller: Caller, slug: str | None, now: datetime) -> Principal:
        """What authsvc says, or said a moment ago. A refusal is not remembered."""
        question = opaque.digest("\n".join((presented.text, presented.place.name, caller.ip, slug or "")))
        who = self._recall.of(question, now)
        if who is None:
            if self._client is None or slug is not None:
                who = asking.forward_auth(self._service, presented, caller, slug)
            else:
                who = asking.introspection(self._service, self._client, presented, caller)
            self._recall.keep(question, who, now)
        return who
