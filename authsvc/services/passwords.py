"""Passwords: which ones are good enough, and hashing, which is slow on purpose and so stands in a bounded queue.

Hashing takes all of a core for tens of milliseconds. Without a bound, a flood of sign-ins would hold every thread and
nobody could refresh. Who finds the queue full is told so at once (503 with Retry-After).
"""

import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, cast

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app

from authsvc import counting, opaque
from authsvc.errors import Unavailable, ValidationFailed
from authsvc.services import foreign_hashes
from authsvc.settings import hashing_concurrency, hashing_seats, settings

if TYPE_CHECKING:
    from config import Base

LONGEST = 256
# argon2, in any of its variants.
OWN = "$argon2"
# In KiB and in passes: what an imported hash may cost at most.
MOST_MEMORY, MOST_TIME = 256 * 1024, 16


class Hashing:
    """argon2id behind a queue: so many at work, so many waiting, and no more."""

    def __init__(self, config: "Base") -> None:
        concurrency = hashing_concurrency(config)
        self.argon2 = PasswordHasher(config.ARGON2_TIME, config.ARGON2_MEMORY, config.ARGON2_PARALLELISM)
        self.seats = threading.BoundedSemaphore(hashing_seats(config))
        self.desks = threading.BoundedSemaphore(concurrency)
        # What is compared against when there is no such user: the same work, never a match.
        self.nobody = self.argon2.hash(opaque.new_password())


@contextmanager
def queue() -> Iterator[None]:
    """Stands above whatever goes on to hash: raises Unavailable, before anything was done, when no seat is free."""
    hashing = _hashing()
    if not hashing.seats.acquire(blocking=False):
        raise Unavailable("Too many sign-ins at once; nothing was tried. Try again shortly.")
    try:
        with counting.one_more("hashing"):
            yield
    finally:
        hashing.seats.release()


def hash_new(password: str) -> str:
    hashing = _hashing()
    with hashing.desks:
        return hashing.argon2.hash(_normal(password))


def verify(password_hash: str | None, password: str) -> bool:
    """Whether this is the password. Takes as long when there is no hash."""
    hashing = _hashing()
    with hashing.desks:
        if password_hash is not None and not password_hash.startswith(OWN):
            return foreign_hashes.verify(password_hash, password)
        try:
            hashing.argon2.verify(password_hash or hashing.nobody, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def is_outdated(password_hash: str | None) -> bool:
    """Whether the hash was made with other parameters than today's, or by another system."""
    if password_hash is None:
        return False
    return not password_hash.startswith(OWN) or _hashing().argon2.check_needs_rehash(password_hash)


def is_known(password_hash: str) -> bool:
    """Whether this is a hash that a password can be verified with, ours or another system's."""
    if not password_hash.startswith(OWN):
        return foreign_hashes.is_known(password_hash)
    try:
        parameters = extract_parameters(password_hash)
    except InvalidHashError:
        return False
    return parameters.memory_cost <= MOST_MEMORY and parameters.time_cost <= MOST_TIME


def refuse_weak(password: str, field: str, names: Iterable[str | None]) -> None:
    """Raises ValidationFailed for a password that a guesser would try first: too short, common, or the owner's name."""
    normal = _normal(password).casefold()
    if len(password) < settings.PASSWORD_MIN_LENGTH:
        why = f"A password has at least {settings.PASSWORD_MIN_LENGTH} characters."
    elif len(password) > LONGEST:
        why = f"A password has at most {LONGEST} characters."
    elif normal in _common() or len(set(normal)) == 1:
        why = "This is one of the passwords that are tried first. Choose another."
    elif normal in _own_names(names):
        why = "A password must not be your own name, nor the service's."
    else:
        return
    raise ValidationFailed(fields={field: [why]})


def _own_names(names: Iterable[str | None]) -> set[str]:
    known = {name.casefold() for name in names if name}
    return known | {name.partition("@")[0] for name in known} | {"authsvc"}


def _normal(password: str) -> str:
    """One form for what looks the same: keyboards differ in how they compose accents. Nothing else is changed."""
    return unicodedata.normalize("NFC", password)


def _hashing() -> Hashing:
    return cast("Hashing", current_app.extensions["authsvc.hashing"])


@cache
def _common() -> frozenset[str]:
    text = (files("authsvc.services") / "common_passwords.txt").read_text()
    return frozenset(line for line in text.splitlines() if not line.startswith("# "))
