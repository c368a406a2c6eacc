"""The public keys of authsvc, as this process knows them: read once for all threads, kept, read again in time."""

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from authsvc.errors import Unavailable
from authsvc.logs import logger
from authsvc.verifier.service import Answer, Service

PATH = "/.well-known/jwks.json"
# However many unknown names come, and however often a read fails: one read in this time.
PAUSE = timedelta(seconds=5)
# How long what is known is believed after it should have been read again, while it can't be.
BELIEVED_MEANWHILE = timedelta(hours=1)
USUAL_AGE, LONGEST_AGE = timedelta(minutes=5), timedelta(hours=1)
# The key type and the curve that belong to each algorithm. All are asymmetric.
FORMS = {"ES256": ("EC", "P-256"), "RS256": ("RSA", None), "EdDSA": ("OKP", "Ed25519")}
SHORTEST_RSA = 2048
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])")


@dataclass(frozen=True, slots=True)
class Known:
    """What was read, and when."""

    keys: Mapping[str, PyJWK]
    read_at: datetime
    max_age: timedelta

    def is_fresh(self, now: datetime) -> bool:
        return abs(now - self.read_at) < self.max_age

    def is_believed(self, now: datetime) -> bool:
        return abs(now - self.read_at) < self.max_age + BELIEVED_MEANWHILE


class PublishedKeys:
    """One set per verifier. Who needs a key that is not known waits while one thread reads; all others go on."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._reading = threading.Lock()
        self._known: Known | None = None
        self._tries = 0
        self._tried_at: datetime | None = None
        self._failed = False

    def named(self, kid: str, now: datetime) -> PyJWK | None:
        """The key of that name, None if there is none. Raises Unavailable if that can't be found out."""
        known = self._known
        is_there = known is not None and kid in known.keys
        if known is None or not is_there or not known.is_fresh(now):
            known = self._read_again(now, wait=not (known and is_there and known.is_believed(now)))
        if known is None or not known.is_believed(now):
            raise Unavailable
        if kid not in known.keys and self._failed:
            raise Unavailable  # it may be a new one
        return known.keys.get(kid)

    def _read_again(self, now: datetime, *, wait: bool) -> Known | None:
        """Unless somebody else did while this one waited, or just before."""
        tries = self._tries
        if not self._reading.acquire(blocking=wait):
            return self._known
        try:
            if self._tries == tries and (self._tried_at is None or abs(now - self._tried_at) >= PAUSE):
                self._try(now)
            return self._known
        finally:
            self._reading.release()

    def _try(self, now: datetime) -> None:
        try:
            self._known = _known(self._service.ask("GET", PATH), now)
            self._failed = False
        except Unavailable:
            self._failed = True
        finally:
            self._tried_at = now
            self._tries += 1


def _known(answer: Answer, now: datetime) -> Known:
    told = answer.json() if answer.status == 200 else {}  # noqa: PLR2004
    if not isinstance(told.get("keys"), list):
        logger.error("There is no key set at %s: is it the BASE_URL of authsvc?", PATH)
        raise Unavailable
    keys = {key.key_id: key for key in _usable(told["keys"]) if key.key_id}
    return Known(keys, now, _max_age(answer))


def _usable(jwks: list[Any]) -> Iterator[PyJWK]:
    """Those that we would sign with. Others are left out, not refused: a later authsvc may know more kinds."""
    for jwk in jwks:
        try:
            key = PyJWK(jwk) if _is_ours(jwk) else None
        except (PyJWTError, ValueError, TypeError):
            continue
        if key is not None and (key.key_type != "RSA" or key.key.key_size >= SHORTEST_RSA):
            yield key


def _is_ours(jwk: Any) -> bool:
    """A public key to verify signatures with, named, and of the form that its algorithm has."""
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str) or not isinstance(jwk.get("alg"), str):
        return False
    is_public = "d" not in jwk and jwk.get("use", "sig") == "sig"
    return is_public and FORMS.get(jwk["alg"]) == (jwk.get("kty"), jwk.get("crv"))


def _max_age(answer: Answer) -> timedelta:
    said = _MAX_AGE.search(answer.headers.get("Cache-Control", ""))
    return min(timedelta(seconds=int(said[1])), LONGEST_AGE) if said else USUAL_AGE
