"""Every setting, with the value it has unless a transport, a stage or the environment says otherwise.

The types are read too: an override from the environment is parsed as the type its setting has here
(a timedelta is given in seconds, a tuple as words between commas).
"""

from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Base:
    ENV: str = "development"
    DEBUG: bool = False

    # Where it lives
    BASE_URL: str = "http://127.0.0.1:8000"
    ALLOWED_HOSTS: tuple[str, ...] = ()
    TRUSTED_PROXIES: tuple[str, ...] = ()
    DATABASE_URL: str = f"sqlite:///{ROOT / 'instance' / 'authsvc.db'}"
    DATABASE_POOL: int = 0
    DATABASE_POOLER: bool = False
    DATABASE_TIMEOUT: timedelta = timedelta(seconds=5)
    REDIS_URL: str = ""
    SECRET_KEY: str = ""

    # The server
    WORKERS: int = 0
    THREADS: int = 16
    LOG_LEVEL: str = "info"
    LOG_FORMAT: str = "text"
    ACCESS_LOG: bool = False
    MAX_BODY: int = 64 * 1024
    METRICS_READERS: tuple[str, ...] = ()

    # Tokens
    TRANSPORT: str = "body"
    SIGNING_ALGORITHM: str = "ES256"
    ACCESS_LIFETIME: timedelta = timedelta(minutes=15)
    REFRESH_IDLE_LIFETIME: timedelta = timedelta(days=7)
    REFRESH_LIFETIME: timedelta = timedelta(days=30)
    REFRESH_LEEWAY: timedelta = timedelta(seconds=10)
    API_TOKEN_LIFETIME: timedelta = timedelta(days=90)
    API_TOKEN_MAX_LIFETIME: timedelta = timedelta(days=366)
    REVOCATION_LAG: timedelta = timedelta(0)
    CLOCK_SKEW: timedelta = timedelta(seconds=30)
    KEY_REREAD: timedelta = timedelta(seconds=10)
    KEY_ROTATION: timedelta = timedelta(0)

    # Cookies
    COOKIE_SAME_SITE: str = "Strict"
    ACCESS_TOKEN_IN_COOKIE: bool = False

    # Accounts
    ADMIN_EMAIL: str = "admin@example.com"
    ADMIN_PASSWORD: str = ""
    REGISTRATION: str = "open"
    PASSWORD_MIN_LENGTH: int = 8
    ARGON2_MEMORY: int = 19 * 1024
    ARGON2_TIME: int = 2
    ARGON2_PARALLELISM: int = 1
    HASHING_CONCURRENCY: int = 0
    HASHING_QUEUE: int = 10

    # Other systems' clients
    DIALECTS: tuple[str, ...] = ("fusionauth", "strapi", "laravel", "baserow", "appsmith", "simplejwt")

    # Pages
    DOCS: bool = True
    CONSOLE: bool = True

    # Guessing
    RATE_LIMITS: bool = True
    GUESS_WINDOW: timedelta = timedelta(minutes=15)
    GUESSES_PER_ACCOUNT_AND_SOURCE: int = 10
    GUESSES_PER_ACCOUNT: int = 100
    GUESSES_PER_SOURCE: int = 200
