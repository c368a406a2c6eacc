"""One machine, plain http, readable logs."""

from config.base import Base


class Development(Base):
    ENV: str = "development"
    METRICS_READERS: tuple[str, ...] = ("127.0.0.1", "::1")
