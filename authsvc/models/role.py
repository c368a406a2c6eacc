from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import ColumnElement, Index, Select, UniqueConstraint, func, literal_column, select, type_coerce
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.elements import SQLCoreOperations

from authsvc.extensions import Table
from authsvc.models.columns import CommaWords, Moment, Name, Owned, PrimaryId, RoleId, UserId, Words, WordSet


class Role(Owned, Table):
    """A named set of permissions. `name_key` has no case: names that differ in nothing else would be mixed up."""

    __tablename__ = "roles"
    __table_args__ = (UniqueConstraint("tenant_id", "name_key"),)

    id: Mapped[PrimaryId]
    name: Mapped[Name]
    name_key: Mapped[Name]
    permissions: Mapped[WordSet]
    created_at: Mapped[Moment]


class UserRole(Owned, Table):
    """Who has which role."""

    __tablename__ = "user_roles"
    __table_args__ = (Index(None, "role_id"),)

    user_id: Mapped[UserId] = mapped_column(primary_key=True)
    role_id: Mapped[RoleId] = mapped_column(primary_key=True)


def of_user(user_id: str) -> Select[Role]:
    return select(Role).join(UserRole, UserRole.role_id == Role.id).where(UserRole.user_id == user_id)


def with_names(names: frozenset[str]) -> Select[Role]:
    """In a session within a tenant."""
    return select(Role).where(Role.name.in_(names))


def with_keys(name_keys: Iterable[str]) -> Select[Role]:
    """Names without their case."""
    return select(Role).where(Role.name_key.in_(list(name_keys)))


def matching(name_key: str | None) -> Select[Role]:
    every = select(Role)
    return every if name_key is None else every.where(Role.name_key == name_key)


def with_id(role_id: str) -> Select[Role]:
    return select(Role).where(Role.id == role_id)


def held(roles: Select[Role]) -> Select[Role]:
    """To look at, until the transaction ends: nobody changes or deletes them meanwhile."""
    return roles.with_for_update(read=True, of=Role)


def to_change(role_id: str) -> Select[Role]:
    """Held from whoever changes it or looks at it to give it; who merely signs up as a member does not wait."""
    return with_id(role_id).with_for_update(key_share=True)


def to_delete(role_id: str) -> Select[Role]:
    """Held from everybody: from here on nobody comes to hold it."""
    return with_id(role_id).with_for_update()


def count_of_holders(role_id: str) -> Select[int]:
    return select(func.count()).select_from(UserRole).where(UserRole.role_id == role_id)


def names_by_user(user_ids: Iterable[str]) -> Select[str, str]:
    """Who has which role, by its name: one statement for a page of users."""
    owned = select(UserRole.user_id, Role.name).join(Role, Role.id == UserRole.role_id)
    return owned.where(UserRole.user_id.in_(list(user_ids)))


def names_of(user_id: SQLCoreOperations[str]) -> ColumnElement[frozenset[str]]:
    """The names of a user's roles, as one column of a statement about somebody."""
    return type_coerce(_of_roles(Role.name, "','", user_id), CommaWords())


def permissions_of(user_id: SQLCoreOperations[str]) -> ColumnElement[frozenset[str]]:
    """All that a user's roles permit, likewise."""
    return type_coerce(_of_roles(Role.permissions, "' '", user_id), Words())


def _of_roles(column: Any, separator: str, user_id: SQLCoreOperations[str]) -> ColumnElement[str]:
    """What stands there in each of the roles, one behind the other."""
    # As it is, and no parameter: one that is given at each execution can't be prepared.
    together = func.aggregate_strings(column, cast("Any", literal_column(separator)))
    owned = select(together).join(UserRole, UserRole.role_id == Role.id).where(UserRole.user_id == user_id)
    return func.coalesce(owned.correlate_except(Role, UserRole).scalar_subquery(), "")
