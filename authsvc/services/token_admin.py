"""Any sign-in found and ended: by its owner, or in the whole tenant by whoever may do that there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, select, true
from sqlalchemy.orm import Session

from authsvc.errors import NotFound
from authsvc.mandate import Mandate
from authsvc.models import Application, RefreshToken, User, refresh_token
from authsvc.models.engine import reading, transaction
from authsvc.models.paging import Page, Window, page
from authsvc.services import events, refresh_tokens
from authsvc.services.refresh_tokens import MOST_NAMED, Killed

READ, REVOKE = "tokens:read", "tokens:revoke"
REASON = "revoked"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which sign-ins are meant: those of whom all holds that is given. `everyone`: the whole tenant's."""

    user_id: str | None = None
    application_id: str | None = None
    refresh_token_id: str | None = None
    device_name: str | None = None
    everyone: bool = False
    spared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Filters:
    """Which of them a list shows."""

    state: str = "live"
    ip: str | None = None
    user_agent: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    last_used_after: datetime | None = None
    last_used_before: datetime | None = None


# Every one that is live: there is nothing to end in the others.
EVERY = Filters()


def get(mandate: Mandate, refresh_token_id: str) -> RefreshToken:
    """Raises NotFound, PermissionDenied."""
    with reading(within=mandate.tenant_id) as session:
        return _reached(session, mandate, refresh_token_id, READ)


def find(mandate: Mandate, selection: Selection, filters: Filters, window: Window) -> Page[RefreshToken]:
    """What is selected and may be seen, newest first. Raises NotFound, PermissionDenied."""
    with reading(within=mandate.tenant_id) as session:
        which = _selected(session, mandate, selection, READ)
        wanted = select(RefreshToken).where(which, *_conditions(filters, mandate.now))
        return page(session, wanted, RefreshToken.id, window)


def preview(mandate: Mandate, selection: Selection, filters: Filters = EVERY) -> Killed:
    """What `revoke` would end. Raises NotFound, PermissionDenied."""
    with reading(within=mandate.tenant_id) as session:
        which = and_(_selected(session, mandate, selection, REVOKE), *_conditions(filters, mandate.now))
        first = select(RefreshToken.id).where(which).order_by(RefreshToken.id).limit(MOST_NAMED)
        count = session.scalar(select(func.count()).select_from(RefreshToken).where(which)) or 0
        return Killed(count, list(session.scalars(first)))


def revoke(mandate: Mandate, selection: Selection, at_most: int | None = None, filters: Filters = EVERY) -> Killed:
    """End what is selected and fits the filters, all of it or nothing; or `at_most` so many of it.

    Raises NotFound, PermissionDenied.
    """
    with transaction(within=mandate.tenant_id, unhurried=True) as session:
        which = and_(_selected(session, mandate, selection, REVOKE), *_conditions(filters, mandate.now))
        killed = refresh_tokens.kill(session, which, reason=REASON, now=mandate.now, at_most=at_most)
        if killed.count:
            _tell(session, mandate, selection, killed)
    return killed


def revoke_one(mandate: Mandate, refresh_token_id: str) -> Killed:
    """End this one; one that is dead already stays as it is. Raises NotFound, PermissionDenied."""
    with transaction(within=mandate.tenant_id) as session:
        row = _reached(session, mandate, refresh_token_id, REVOKE)
        killed = refresh_tokens.kill(session, RefreshToken.id == row.id, reason=REASON, now=mandate.now)
        if killed.count:
            _tell(session, mandate, Selection(row.user_id, row.application_id, row.id), killed)
    return killed


def _reached(session: Session, mandate: Mandate, refresh_token_id: str, permission: str) -> RefreshToken:
    """One's own, or anybody's with the permission. Who may not even see it learns nothing, not that it exists."""
    row = session.get(RefreshToken, refresh_token_id)
    if row is None or not (mandate.owns(row.user_id) or mandate.may(READ) or mandate.may(REVOKE)):
        raise NotFound
    if not mandate.owns(row.user_id):
        mandate.require(permission)
    return row


def _selected(session: Session, mandate: Mandate, selection: Selection, permission: str) -> ColumnElement[bool]:
    """The rows that are meant, of those that the mandate reaches; what is named must be there."""
    is_own = selection.user_id is None or mandate.owns(selection.user_id)
    if selection.everyone or not mandate.signed_in or not is_own:
        mandate.require(permission)
    which = true() if mandate.may(permission) else RefreshToken.user_id == mandate.actor_id
    if selection.user_id is not None:
        _refuse_unknown(session, select(User.id).where(User.id == selection.user_id))
        which &= RefreshToken.user_id == selection.user_id
    if selection.application_id is not None:
        _refuse_unknown(session, select(Application.id).where(Application.id == selection.application_id))
        which &= RefreshToken.application_id == selection.application_id
    if selection.refresh_token_id is not None:
        which &= RefreshToken.id == selection.refresh_token_id
        _refuse_unknown(session, select(RefreshToken.id).where(which))
    if selection.device_name is not None:
        which &= RefreshToken.device_name == selection.device_name
    if selection.spared:
        which &= RefreshToken.id.not_in(selection.spared)
    return which


def _refuse_unknown(session: Session, named: Select[str]) -> None:
    """Another tenant's is as unknown as one that was never there."""
    if session.scalar(named) is None:
        raise NotFound


def _conditions(filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    last_used_at = refresh_token.last_used_at()
    conditions = [refresh_token.in_state(filters.state, now)]
    if filters.ip is not None:
        conditions.append(RefreshToken.ip == filters.ip)
    if filters.user_agent is not None:
        conditions.append(RefreshToken.user_agent.icontains(filters.user_agent, autoescape=True))
    if filters.created_after is not None:
        conditions.append(RefreshToken.created_at >= filters.created_after)
    if filters.created_before is not None:
        conditions.append(RefreshToken.created_at < filters.created_before)
    if filters.last_used_after is not None:
        conditions.append(last_used_at >= filters.last_used_after)
    if filters.last_used_before is not None:
        conditions.append(last_used_at < filters.last_used_before)
    return conditions


def _tell(session: Session, mandate: Mandate, selection: Selection, killed: Killed) -> None:
    events.record_by(
        session,
        mandate,
        "refresh_token.revoked",
        {"revoked": killed.count, "ids": killed.ids},
        subject_id=selection.user_id,
        application_id=selection.application_id,
        refresh_token_id=killed.only,
    )
