"""Moving in: the users of another system, with the passwords they have, all at once or not at all."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from authsvc import opaque
from authsvc.errors import Conflict, ValidationFailed
from authsvc.mandate import Mandate
from authsvc.models import Application, User, UserRole, role
from authsvc.models.engine import reading, transaction
from authsvc.services import events, names, passwords, roles
from authsvc.services.accounts import EVERYONE
from authsvc.services.exports import Exported

BATCH = 1000
LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not taken over, or not as it was. `address` is its e-mail address, as far as it has one."""

    place: str
    address: str
    reason: str


@dataclass(slots=True)
class Report:
    """What became of the rows. `renamed` were taken over without a user name that can't be one here."""

    imported: int = 0
    refused: list[Refused] = field(default_factory=list)
    renamed: list[Refused] = field(default_factory=list)


def run(mandate: Mandate, system: str, exported: Iterable[Exported], *, is_trial: bool = False) -> Report:
    """Take the users over as members. Those that can't be are in the report; if anything fails, nobody is taken over.

    Raises Conflict if somebody takes one of their names meanwhile.
    """
    report = Report()
    with reading(within=mandate.tenant_id) as session:
        taken = _Taken(session)
        member = session.scalars(role.with_keys(EVERYONE)).one()
        roles.refuse_beyond(session, mandate, member.permissions)
    rows = _accepted(exported, taken, report, mandate.now)
    if is_trial:
        report.imported = sum(1 for _ in rows)
        return report
    try:
        # Past the session's wall, which takes one row at a time: every row is given this tenant here.
        with transaction() as session:
            for batch in _batches(rows):
                _add(session, mandate, member.id, batch)
                report.imported += len(batch)
            detail = {"from": system, "imported": report.imported, "refused": len(report.refused)}
            events.record_by(session, mandate, "user.imported", detail)
    except IntegrityError:
        raise Conflict("Somebody took one of these names meanwhile; nobody was imported. Try again.") from None
    return report


class _Taken:
    """The names and ids that somebody has, of old or from an earlier row."""

    def __init__(self, session: Session) -> None:
        self.emails: set[str] = set()
        self.usernames: set[str] = set()
        for email, username_key in session.execute(select(User.email, User.username_key)):
            self.emails.add(email)
            self.usernames.add(username_key or "")
        # Whoever has an id elsewhere is found when the row is added.
        self.ids = set(session.scalars(select(User.id))) | set(session.scalars(select(Application.id)))


def _accepted(exported: Iterable[Exported], taken: _Taken, report: Report, now: datetime) -> Iterator[dict[str, Any]]:
    for one in exported:
        try:
            yield _row(one, taken, report, now)
        except ValidationFailed as refusal:
            report.refused.append(Refused(one.place, one.email[:LONGEST_NAME], refusal.text))


def _row(one: Exported, taken: _Taken, report: Report, now: datetime) -> dict[str, Any]:
    """Raises ValidationFailed."""
    email = names.email(one.email)
    if email in taken.emails:
        raise _wrong("email", "Somebody has this e-mail address.")
    if one.password_hash is not None and not passwords.is_known(one.password_hash):
        raise _wrong("password", "This is no password hash that can be verified here.")
    user_id = _id(one, taken)
    username, key = _username(one, taken, report)
    taken.emails.add(email)
    taken.ids.add(user_id)
    return {
        "id": user_id,
        "email": email,
        "username": username,
        "username_key": key,
        "name": None if one.name is None else one.name.replace("\0", "")[:LONGEST_NAME],
        "password_hash": one.password_hash,
        "active": one.active,
        "confirmed": one.confirmed,
        "created_at": now if one.created_at is None else min(one.created_at, now),
    }


def _id(one: Exported, taken: _Taken) -> str:
    if one.user_id is None:
        return opaque.new_id()
    user_id = one.user_id.lower()
    if not opaque.is_id(user_id):
        raise _wrong("id", "This is no id: a UUID with its dashes.")
    if user_id in taken.ids:
        raise _wrong("id", "Somebody has this id.")
    return user_id


def _username(one: Exported, taken: _Taken, report: Report) -> tuple[str | None, str | None]:
    """Who can't have the user name of before signs in by the e-mail address, which many had as their name anyway."""
    if one.username is None or one.username == one.email:
        return None, None
    try:
        key = names.username_key(one.username)
    except ValidationFailed as refusal:
        report.renamed.append(Refused(one.place, one.email[:LONGEST_NAME], refusal.text))
        return None, None
    if key in taken.usernames:
        report.renamed.append(Refused(one.place, one.email[:LONGEST_NAME], "username: Somebody has this user name."))
        return None, None
    taken.usernames.add(key)
    return one.username, key


def _add(session: Session, mandate: Mandate, role_id: str, batch: list[dict[str, Any]]) -> None:
    own = {"tenant_id": mandate.tenant_id}
    session.execute(insert(User), [row | own for row in batch])
    session.execute(insert(UserRole), [own | {"user_id": row["id"], "role_id": role_id} for row in batch])


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _wrong(name: str, sentence: str) -> ValidationFailed:
    return ValidationFailed(fields={name: [sentence]})
