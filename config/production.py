"""Logs for machines. BASE_URL and SECRET_KEY have no value here: they must be given."""

from config.base import Base


class Production(Base):
    ENV: str = "production"
    BASE_URL: str = ""
    LOG_FORMAT: str = "json"
