"""One machine, plain http, readable logs."""

from config.base import Base


class Development(Base):
    ENV: str = "development"
