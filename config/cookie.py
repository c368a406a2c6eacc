"""Refresh tokens travel in an HttpOnly cookie that no script can read: for browser pages."""

from config.base import Base


class Cookie(Base):
    TRANSPORT: str = "cookie"
    COOKIE_SAME_SITE: str = "Strict"
    ACCESS_TOKEN_IN_COOKIE: bool = False
