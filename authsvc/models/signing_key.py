from typing import Annotated

from sqlalchemy import CheckConstraint, Select, String, select
from sqlalchemy.orm import Mapped, mapped_column

from authsvc.extensions import Table
from authsvc.models.columns import LongText, Moment, TenantId

LONGEST_KID = 64
Kid = Annotated[str, mapped_column(String(LONGEST_KID), primary_key=True)]
Choice = Annotated[str, mapped_column(String(8))]

NEXT, ACTIVE, PREVIOUS, RETIRED = "next", "active", "previous", "retired"
# Published and believed: a key is known everywhere before it signs, and until what it signed has ended.
USABLE = (NEXT, ACTIVE, PREVIOUS)


class SigningKey(Table):
    """A key pair, its private half sealed with SECRET_KEY. It signs for the whole service, so `default` owns it.

    It is not `Owned`, because whoever signs in to any tenant needs it.
    """

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


def is_kid(text: str) -> bool:
    """Whether a key may have this name. No database is asked for one that none has."""
    return 0 < len(text) <= LONGEST_KID and text.isascii() and text.isprintable()


def held(kid: str) -> Select[SigningKey]:
    """The key as it is now, held until the transaction ends."""
    own = select(SigningKey).where(SigningKey.kid == kid)
    return own.with_for_update().execution_options(populate_existing=True)


def signing() -> Select[str]:
    """The name of the key that signs."""
    return select(SigningKey.kid).where(SigningKey.state == ACTIVE)
