from typing import Annotated

from sqlalchemy import CheckConstraint, Select, String, select
from sqlalchemy.orm import Mapped, mapped_column

from authsvc.extensions import Table
from authsvc.models.columns import LongText, Moment, TenantId

Kid = Annotated[str, mapped_column(String(64), primary_key=True)]
Choice = Annotated[str, mapped_column(String(8))]

NEXT, ACTIVE, PREVIOUS, RETIRED = "next", "active", "previous", "retired"
# Published and believed: a key is known everywhere before it signs, and until what it signed has ended.
USABLE = (NEXT, ACTIVE, PREVIOUS)


class SigningKey(Table):
    """A key pair, its private half sealed with SECRET_KEY. It signs for the whole service, so `default` owns it."""

    __tablename__ = "signing_keys"
    __table_args__ = (CheckConstraint("state IN ('next', 'active', 'previous', 'retired')", "state"),)

    kid: Mapped[Kid]
    tenant_id: Mapped[TenantId]
    algorithm: Mapped[Choice]
    state: Mapped[Choice]
    public_jwk: Mapped[LongText]
    sealed_private_key: Mapped[LongText]
    created_at: Mapped[Moment]
    activated_at: Mapped[Moment | None]
    replaced_at: Mapped[Moment | None]
    retired_at: Mapped[Moment | None]


def usable() -> Select[SigningKey]:
    return select(SigningKey).where(SigningKey.state.in_(USABLE)).order_by(SigningKey.created_at)
