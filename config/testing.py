"""The cheapest password hashing there is; everything else is as it will be in production."""

from config.base import Base


class Testing(Base):
    ENV: str = "testing"
    SECRET_KEY: str = "only-for-tests-3f1c0a7be94d4c6f8a52"  # noqa: S105
    LOG_LEVEL: str = "warning"
    ARGON2_MEMORY: int = 8
    ARGON2_TIME: int = 1
