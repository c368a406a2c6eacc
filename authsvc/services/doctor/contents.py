"""What lies in the database: keys, applications, somebody who may administer."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from authsvc.errors import UnknownTenant
from authsvc.models import application, signing_key, user
from authsvc.models.engine import reading
from authsvc.models.signing_key import ACTIVE, NEXT
from authsvc.opaque import made_at
from authsvc.services import signing_keys, tenants
from authsvc.services.doctor.database import PREPARE, said
from authsvc.services.doctor.findings import Finding, broken, fine, warning
from authsvc.services.web_origins import are_same_site
from authsvc.settings import settings

OLD = timedelta(days=366)
# How much later than planned a rotation may be before it is told: nobody rotates where nobody signs in.
PATIENCE = timedelta(days=1)
ROTATE = "Run: flask --app wsgi keys rotate"


def examine(now: datetime) -> Iterator[Finding]:
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "keys": partial(_keys, now),
        "cookies": _applications,
        "operators": _operators,
    }
    for name, check in checks.items():
        try:
            yield from check()
        except SQLAlchemyError as error:
            yield broken(name, f"Can't be looked at: {said(error)}", PREPARE)


def _keys(now: datetime) -> Iterator[Finding]:
    with reading() as session:
        rows = {row.state: row for row in session.scalars(signing_key.usable())}
    active = rows.get(ACTIVE)
    if active is None:
        yield broken("keys", "No key signs.", PREPARE)
        return
    if not all(map(signing_keys.opens, rows.values())):
        yield broken(
            "keys",
            "They are sealed with another secret: nobody can sign in or refresh.",
            "Give the AUTHSVC_SECRET_KEY that they were made with; docs/operations.md says what to do if it is lost.",
        )
        return
    if NEXT not in rows:
        yield warning("keys", "No next key is published: a rotation would surprise who keeps the set.", PREPARE)
    yield from _age(active, now)
    if {row.algorithm for state, row in rows.items() if state in (ACTIVE, NEXT)} != {settings.SIGNING_ALGORITHM}:
        yield warning(
            "algorithm",
            f"Keys are not all {settings.SIGNING_ALGORITHM} (AUTHSVC_SIGNING_ALGORITHM).",
            f"{ROTATE}, twice",
        )


def _age(active: signing_key.SigningKey, now: datetime) -> Iterator[Finding]:
    if made_at(active.kid.partition(".")[0]) > now + settings.CLOCK_SKEW:
        yield broken("keys", "The key that signs was made in the future.", "Let NTP set the clocks of all servers.")
        return
    age = now - (active.activated_at or active.created_at)
    found = f"{active.kid} signs, for {age.days} days so far; it opens with AUTHSVC_SECRET_KEY."
    if settings.KEY_ROTATION and age > settings.KEY_ROTATION + PATIENCE:
        yield warning(
            "keys", f"{found} AUTHSVC_KEY_ROTATION should have ended that.", f"{ROTATE}, and look at the log."
        )
    elif not settings.KEY_ROTATION and age > OLD:
        yield warning("keys", found, f"{ROTATE}, or set AUTHSVC_KEY_ROTATION.")
    else:
        yield fine("keys", found)


def _applications() -> Iterator[Finding]:
    with reading() as session:
        rows = session.execute(application.with_origins()).all()
    origins: dict[application.Application, list[str]] = defaultdict(list)
    for found, origin in rows:
        origins[found] += [origin] if origin else []
    troubles = [trouble for found in origins for trouble in _cookies(found, origins[found])]
    yield from troubles
    if not troubles:
        yield fine("cookies", f"Browsers send them from the pages of every application ({len(origins)}).")


def _cookies(own: application.Application, origins: list[str]) -> Iterator[Finding]:
    """Whether a browser sends the refresh cookie with what the application's pages ask."""
    if (own.transport or settings.TRANSPORT) != "cookie":
        return
    same_site = own.cookie_same_site or settings.COOKIE_SAME_SITE
    name = f"The application {own.slug}"
    elsewhere = [origin for origin in origins if not are_same_site(origin, settings.BASE_URL)]
    if same_site == "None" and not settings.BASE_URL.startswith("https://"):
        yield broken(
            "cookies",
            f"{name} has cookieSameSite None, which browsers take from https alone.",
            f"Give AUTHSVC_BASE_URL with https://, or run: flask --app wsgi applications update {own.slug} "
            "--cookie-same-site Strict",
        )
    elif elsewhere and same_site != "None":
        yield broken(
            "cookies",
            f"{name} has pages at {elsewhere[0]}, another site than AUTHSVC_BASE_URL: its cookie is a third-party "
            f"cookie there, and with SameSite={same_site} no browser sends it.",
            "Serve both below one domain, or take the body transport; SameSite None is the last resort.",
        )
    elif elsewhere:
        yield warning(
            "cookies",
            f"{name} has pages at {elsewhere[0]}, another site than AUTHSVC_BASE_URL: browsers keep its third-party "
            "cookie apart for each site (Partitioned), and those that don't know that or block such cookies send none.",
            "Serve both below one domain, such as auth.example.org and www.example.org.",
        )
    plain = [origin for origin in origins if origin.startswith("http://")]
    if plain and settings.ENV == "production":
        yield warning(
            "cookies", f"{name} trusts pages at {plain[0]}, which anybody on the way can change.", "Use https."
        )


def _operators() -> Iterator[Finding]:
    everybody = {
        "email": None,
        "username_key": None,
        "search": None,
        "created_before": None,
        "created_after": None,
    }
    try:
        with reading(within=tenants.selected(None).id) as session:
            found = session.scalars(user.matching(role_key="operator", active=True, **everybody).limit(1)).first()
    except UnknownTenant:
        yield broken("operators", "There is no tenant called default.", PREPARE)
        return
    if found is None:
        yield warning(
            "operators",
            "No active user has the role operator.",
            "Run: flask --app wsgi users create <e-mail> --role admin --role operator",
        )
    else:
        yield fine("operators", "There is an active user with the role operator.")
