from sqlalchemy import Index, Select, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from authsvc.extensions import Table
from authsvc.models.columns import Moment, Name, PrimaryId, RoleId, TenantId, UserId, WordSet


class Role(Table):
    """A named set of permissions."""

    __tablename__ = "roles"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: Mapped[PrimaryId]
    tenant_id: Mapped[TenantId]
    name: Mapped[Name]
    permissions: Mapped[WordSet]
    created_at: Mapped[Moment]


class UserRole(Table):
    """Who has which role."""

    __tablename__ = "user_roles"
    __table_args__ = (Index(None, "role_id"),)

    tenant_id: Mapped[TenantId]
    user_id: Mapped[UserId] = mapped_column(primary_key=True)
    role_id: Mapped[RoleId] = mapped_column(primary_key=True)


def of_user(user_id: str) -> Select[Role]:
    return select(Role).join(UserRole, UserRole.role_id == Role.id).where(UserRole.user_id == user_id)


def with_names(tenant_id: str, names: frozenset[str]) -> Select[Role]:
    return select(Role).where(Role.tenant_id == tenant_id, Role.name.in_(names))
