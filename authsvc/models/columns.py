"""Column types that are the same in Python whatever the database."""

from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import DateTime, ForeignKey, String, Text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine


class Id(TypeDecorator[str]):
    """A UUID: native on PostgreSQL, its text elsewhere; always a str in Python."""

    impl = String(36)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(UUID(as_uuid=False))
        return dialect.type_descriptor(String(36))


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware and in UTC in Python, on every database. A naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone can't be stored.")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Words(TypeDecorator[frozenset[str]]):
    """A set of words, kept as OAuth writes a scope: sorted, with spaces between."""

    SEPARATOR = " "
    impl = Text
    cache_ok = True

    def process_bind_param(self, value: frozenset[str] | None, dialect: Dialect) -> str | None:
        return None if value is None else self.SEPARATOR.join(sorted(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> frozenset[str] | None:
        return None if value is None else frozenset(filter(None, value.split(self.SEPARATOR)))


class CommaWords(Words):
    """A set of names, which may have spaces in them."""

    SEPARATOR = ","
    cache_ok = True


PrimaryId = Annotated[str, mapped_column(Id, primary_key=True)]
PlainId = Annotated[str, mapped_column(Id)]
TenantId = Annotated[str, mapped_column(Id, ForeignKey("tenants.id", ondelete="CASCADE"))]
UserId = Annotated[str, mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))]
RoleId = Annotated[str, mapped_column(Id, ForeignKey("roles.id", ondelete="CASCADE"))]
ApplicationId = Annotated[str, mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))]
Moment = Annotated[datetime, mapped_column(UtcDateTime)]
WordSet = Annotated[frozenset[str], mapped_column(Words)]
Digest = Annotated[str, mapped_column(String(64))]
Slug = Annotated[str, mapped_column(String(64))]
Name = Annotated[str, mapped_column(String(256))]
LongText = Annotated[str, mapped_column(Text)]


class Owned:
    """A row that belongs to one tenant: within a tenant's session (engine.py), no other tenant's is ever met."""

    # With its type, because the wall asks this very class for it.
    tenant_id: Mapped[str] = mapped_column(Id, ForeignKey("tenants.id", ondelete="CASCADE"))
