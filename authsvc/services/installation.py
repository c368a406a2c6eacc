"""What a database needs once, before anybody can sign in: keys, and somebody to begin with."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import exists, select

from authsvc import opaque
from authsvc.errors import Unavailable
from authsvc.logs import logger
from authsvc.models import User, attempt, tenant
from authsvc.models.engine import single_statements, transaction
from authsvc.services import accounts, key_rotation, names, passwords, tenants
from authsvc.settings import settings

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
CURRENT, MISSING, BEHIND, AHEAD = "current", "missing", "behind", "ahead"
FIRST_ADMIN = frozenset({"member", "admin", "operator"})


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """`password` is there only if we made it up: one that was given is never shown."""

    email: str
    password: str | None


def complete(now: datetime) -> FirstAdmin | None:
    """Make what is missing; the first administrator only where `default` has no user. Safe to run at any time."""
    made = None if settings.ADMIN_PASSWORD else opaque.new_password()
    with transaction(within=tenants.selected(None).id) as session:
        owner = session.scalars(tenant.locked_default()).one()
        key_rotation.make_first(session, owner, now)
        session.execute(attempt.forget_ended(now))
        if session.scalar(select(exists(select(User.id)))):
            return None
        password = made or settings.ADMIN_PASSWORD
        passwords.refuse_weak(password, "ADMIN_PASSWORD", (settings.ADMIN_EMAIL,))
        accounts.create(
            session,
            tenant_id=owner.id,
            email=names.email(settings.ADMIN_EMAIL),
            password_hash=passwords.hash_new(password),
            username=None,
            name="Administrator",
            roles=FIRST_ADMIN,
            now=now,
        )
    return FirstAdmin(settings.ADMIN_EMAIL, made)


def schema() -> str:
    """How the tables in the database stand to those that this code was written for."""
    with single_statements() as connection:
        found = set(MigrationContext.configure(connection).get_current_heads())
    if found == _expected():
        return CURRENT
    if not found:
        return MISSING
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    return BEHIND if found <= known else AHEAD


def check_schema() -> None:
    """Raises Unavailable unless the tables are those that this code was written for."""
    if schema() != CURRENT:
        logger.error("The database is at another revision: run `flask --app wsgi prepare`.")
        raise Unavailable


@cache
def _expected() -> set[str]:
    return set(ScriptDirectory(str(MIGRATIONS)).get_heads())
