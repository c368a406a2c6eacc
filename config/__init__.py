"""What is chosen: plain config objects, one per transport and per stage."""

from config.base import Base
from config.body import Body
from config.cookie import Cookie
from config.development import Development
from config.environment import SettingInvalid, from_environment
from config.production import Production
from config.testing import Testing

__all__ = [
    "Base",
    "Body",
    "Cookie",
    "Development",
    "Production",
    "SettingInvalid",
    "Testing",
    "from_environment",
]
