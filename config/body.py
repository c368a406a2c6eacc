"""Refresh tokens travel in JSON bodies: for phones, servers, scripts, Postman."""

from config.base import Base


class Body(Base):
    TRANSPORT: str = "body"
