"""What tenants and applications are called: an id that never changes, and a slug for people and URLs."""

import re

from sqlalchemy.orm import Session

from authsvc.errors import ValidationFailed
from authsvc.opaque import is_id
from authsvc.services import uniqueness

LONGEST_MADE = 48
_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_OTHERS = re.compile(r"[^a-z0-9]+")


def check(text: str) -> None:
    """Raises ValidationFailed. One that looks like an id would hide what has that id."""
    if not is_slug(text):
        raise ValidationFailed(
            fields={"slug": ["1 to 63 of a to z, 0 to 9 and, between them, the dash; nothing that looks like an id."]}
        )


def is_slug(text: str) -> bool:
    return _SLUG.fullmatch(text) is not None and not is_id(text)


def made_from(name: str) -> str:
    """A slug for something that was given none."""
    slug = _OTHERS.sub("-", name.lower()).strip("-")[:LONGEST_MADE].strip("-") or "application"
    return f"application-{slug}" if is_id(slug) else slug


def flush(session: Session) -> None:
    """Write it down. Raises AlreadyExists, UnknownTenant."""
    uniqueness.flush(session, {"slug": ("slug", "slug")})
