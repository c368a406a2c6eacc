"""Roles: named sets of permissions; and the one rule about them: nobody grants what they lack, nobody acts upward."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from authsvc import opaque
from authsvc.errors import Conflict, NotFound, PermissionDenied, ValidationFailed
from authsvc.mandate import Mandate
from authsvc.models import Role, role
from authsvc.models.engine import reading, transaction
from authsvc.models.paging import Page, Window, page
from authsvc.opaque import is_id
from authsvc.permissions import BUILT_IN_ROLES, CUSTOM, PERMISSION, allows
from authsvc.services import events, names, uniqueness

MOST_PERMISSIONS = 256
NAMES = {"name_key": ("name", "name, in this or another case,")}
# Permissions stand in the access token, and a header of much more than 8,000 characters gets through nowhere.
LONGEST_TOGETHER = 5000


def find(mandate: Mandate, name: str | None, window: Window) -> Page[Role]:
    with reading(within=mandate.tenant_id) as session:
        return page(session, role.matching(None if name is None else name.casefold()), Role.id, window)


def get(mandate: Mandate, role_id: str) -> Role:
    """Raises NotFound."""
    with reading(within=mandate.tenant_id) as session:
        return _one(session, role.with_id(role_id))


def named(mandate: Mandate, text: str) -> Role:
    """The role of this id or name. Raises NotFound."""
    with reading(within=mandate.tenant_id) as session:
        key = text.casefold()
        found = session.scalars(role.with_id(key) if is_id(key) else role.with_keys([key])).one_or_none()
    if found is None:
        raise NotFound(f"There is no role {text}.")
    return found


def create(mandate: Mandate, *, name: str, permissions: Collection[str]) -> Role:
    """Raises ValidationFailed, PermissionDenied, AlreadyExists."""
    key, granted = names.role_key(name), known(permissions)
    with transaction(within=mandate.tenant_id) as session:
        refuse_beyond(session, mandate, granted)
        row = Role(
            id=opaque.new_id(),
            tenant_id=mandate.tenant_id,
            name=name,
            name_key=key,
            permissions=granted,
            created_at=mandate.now,
        )
        session.add(row)
        uniqueness.flush(session, NAMES)
        detail = {"roleId": row.id, "name": name, "added": sorted(granted)}
        events.record_by(session, mandate, "role.created", detail)
    return row


def update(mandate: Mandate, role_id: str, changes: Mapping[str, Any]) -> Role:
    """Raises ValidationFailed, NotFound, PermissionDenied, Conflict, AlreadyExists."""
    key = names.role_key(changes["name"]) if "name" in changes else None
    wanted = known(changes["permissions"]) if "permissions" in changes else None
    with transaction(within=mandate.tenant_id) as session:
        row = _one(session, role.to_change(role_id))
        name, permissions = row.name, row.permissions
        after = permissions if wanted is None else wanted
        refuse_beyond(session, mandate, permissions | after)
        _refuse_built_in(row, changes.get("name", name))
        if key is not None:
            row.name, row.name_key = changes["name"], key
        row.permissions = after
        uniqueness.flush(session, NAMES)
        detail: dict[str, Any] = {"added": sorted(after - permissions), "removed": sorted(permissions - after)}
        if row.name != name:
            detail["formerName"] = name
        if any(detail.values()):
            events.record_by(session, mandate, "role.updated", detail | {"roleId": row.id, "name": row.name})
    return row


def delete(mandate: Mandate, role_id: str) -> int:
    """Take a role from its holders and out of the world. Answers how many held it.

    Raises NotFound, PermissionDenied, Conflict.
    """
    with transaction(within=mandate.tenant_id, unhurried=True) as session:
        row = _one(session, role.to_delete(role_id))
        refuse_beyond(session, mandate, row.permissions)
        if is_built_in(row):
            raise Conflict(f"The role {row.name} is built in and can't be deleted.")
        holders = session.scalar(role.count_of_holders(row.id)) or 0
        session.delete(row)
        detail = {"roleId": row.id, "name": row.name, "removed": sorted(row.permissions), "holders": holders}
        events.record_by(session, mandate, "role.deleted", detail)
    return holders


def holders(mandate: Mandate, role_id: str) -> int:
    """How many have the role. Raises NotFound."""
    with reading(within=mandate.tenant_id) as session:
        _one(session, role.with_id(role_id))
        return session.scalar(role.count_of_holders(role_id)) or 0


def is_fixed(row: Role) -> bool:
    """What operators may do is not for anybody to change."""
    return row.name == "operator"


def is_built_in(row: Role) -> bool:
    """None of them is ever renamed or deleted, so no other role comes by such a name."""
    return row.name in BUILT_IN_ROLES


def refuse_beyond(session: Session, mandate: Mandate, permissions: frozenset[str]) -> None:
    """Nobody grants what they lack, and nobody touches what holds more than they do.

    What the tenant's `member` role has is no privilege: everybody has it. Who calls this holds the rows of the roles
    that the permissions come from, and has not changed them yet. Raises PermissionDenied, naming the first one lacking.
    """
    beyond = sorted(permission for permission in permissions if not mandate.may(permission))
    if not beyond:
        return
    everybodys = session.scalars(role.held(role.with_keys(["member"]))).one().permissions
    for permission in beyond:
        if not allows(everybodys, permission):
            raise PermissionDenied(
                permission,
                f"This needs the permission {permission}: nobody gives, changes or ends more than they hold.",
            )


def granted(session: Session, wanted: Collection[str]) -> list[Role]:
    """The roles of these names, held: none of them grows or goes while the caller gives it. Raises ValidationFailed."""
    keys = {name.casefold(): name for name in wanted}
    rows = list(session.scalars(role.held(role.with_keys(keys))))
    missing = keys.keys() - {row.name_key for row in rows}
    if missing:
        named = ", ".join(sorted(keys[key] for key in missing)[:3])
        raise ValidationFailed(fields={"roles": [f"There is no such role: {named}"]})
    return rows


def of_user(session: Session, user_id: str) -> list[Role]:
    """The roles of a user whose row the caller holds; held too."""
    return list(session.scalars(role.held(role.of_user(user_id))))


def united(rows: Collection[Role]) -> frozenset[str]:
    """What these roles hold together."""
    return frozenset[str]().union(*(row.permissions for row in rows))


def known(permissions: Collection[str], field: str = "permissions") -> frozenset[str]:
    """Raises ValidationFailed, about that field, unless each of these is a permission, or `*`."""
    wrong = [text for text in permissions if text != CUSTOM and not PERMISSION.fullmatch(text)]
    if wrong:
        sentence = f"{wrong[0]} is no permission: write it as resource:action, in small letters."
    elif len(permissions) > MOST_PERMISSIONS:
        sentence = f"At most {MOST_PERMISSIONS} of them."
    elif len(" ".join(permissions)) > LONGEST_TOGETHER:
        sentence = f"Together at most {LONGEST_TOGETHER} characters: they stand in the access token."
    else:
        return frozenset(permissions)
    raise ValidationFailed(fields={field: [sentence]})


def _one(session: Session, statement: Select[Role]) -> Role:
    row = session.scalars(statement).one_or_none()
    if row is None:
        raise NotFound
    return row


def _refuse_built_in(row: Role, name: str) -> None:
    if is_fixed(row):
        raise Conflict("The role operator is built in and can't be changed.")
    if is_built_in(row) and name != row.name:
        raise Conflict(f"The role {row.name} is built in and can't be renamed.")
