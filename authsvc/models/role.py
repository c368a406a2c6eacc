from sqlalchemy import Index, Select, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from authsvc.extensions import Table
from authsvc.models.columns import Moment, Name, Owned, PrimaryId, RoleId, UserId, WordSet


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
