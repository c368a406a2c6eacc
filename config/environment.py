"""From environment variables to a config object. Nothing else in authsvc reads the environment."""

import difflib
import os
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, get_type_hints

from config.base import ROOT, Base
from config.body import Body
from config.cookie import Cookie
from config.development import Development
from config.production import Production
from config.testing import Testing

PREFIX = "AUTHSVC_"
STAGES: dict[str, type[Base]] = {"development": Development, "testing": Testing, "production": Production}
TRANSPORTS: dict[str, type[Base]] = {"body": Body, "cookie": Cookie}
TYPES: dict[str, Any] = get_type_hints(Base)

# Kubernetes puts these into every pod of a namespace that has a Service called authsvc.
SET_BY_KUBERNETES = re.compile(r"AUTHSVC_(SERVICE_(HOST|PORT).*|PORT(_.*)?)")
SWITCHES = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


class SettingInvalid(Exception):
    """A setting that can't be understood. The message names the setting, never its value."""


def from_environment(environ: Mapping[str, str] = os.environ) -> Base:
    """The config object that AUTHSVC_ENV, AUTHSVC_TRANSPORT and the other variables describe."""
    given = {
        variable.removeprefix(PREFIX): text
        for variable, text in environ.items()
        if variable.startswith(PREFIX) and not SET_BY_KUBERNETES.fullmatch(variable)
    }
    for name in given:
        if name not in TYPES:
            close = difflib.get_close_matches(name, TYPES, 1)
            hint = f" Did you mean {PREFIX}{close[0]}?" if close else ""
            raise SettingInvalid(f"There is no setting {PREFIX}{name}.{hint}")
    stage = _choose("ENV", STAGES, given.get("ENV", "development"))
    transport = _choose("TRANSPORT", TRANSPORTS, given.get("TRANSPORT", stage.TRANSPORT))
    overrides = {name: _parse(name, text) for name, text in given.items()}
    if environ.get("FLASK_DEBUG", "0").lower() not in ("", "0", "false", "no"):
        overrides["DEBUG"] = True
    if "BASE_URL" not in given and stage is not Production:
        host, port = host_and_port(environ)
        host = "127.0.0.1" if host in ("0.0.0.0", "[::]") else host  # noqa: S104 (compared, not bound)
        overrides["BASE_URL"] = f"http://{host}:{port}"
    if "SECRET_KEY" not in given and stage is Development:
        overrides["SECRET_KEY"] = own_secret(ROOT / "instance" / "secret_key")
    settings: type[Base] = type("Settings", (stage, transport), overrides)
    return settings()


def host_and_port(environ: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """Where to listen. An IPv6 address gets the brackets that an address with a port needs."""
    host = environ.get("HOST") or "127.0.0.1"
    return f"[{host}]" if ":" in host and not host.startswith("[") else host, environ.get("PORT") or "8000"


def own_secret(place: Path) -> str:
    """Development's secret: made once, kept beside the database, readable by its owner alone."""
    if place.exists():
        return place.read_text().strip()
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = place.with_name(f"{place.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    try:
        draft.write_text(secrets.token_urlsafe(48))
        # A link fails where the name is taken: of many first starts at once, one secret stays.
        place.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return place.read_text().strip()


def _choose(name: str, choices: Mapping[str, type[Base]], text: str) -> type[Base]:
    if text not in choices:
        raise SettingInvalid(f"{PREFIX}{name} must be one of: {', '.join(choices)}.")
    return choices[text]


def _parse(name: str, text: str) -> object:
    wanted = TYPES[name]
    try:
        if wanted is bool:
            return SWITCHES[text.lower()]
        if wanted is int:
            return int(text)
        if wanted is timedelta:
            return timedelta(seconds=float(text))
    except (KeyError, ValueError, OverflowError):
        kinds = {bool: "on or off", int: "a whole number", timedelta: "a number of seconds"}
        raise SettingInvalid(f"{PREFIX}{name} must be {kinds[wanted]}.") from None
    if wanted is str:
        return text
    return tuple(word.strip() for word in text.split(",") if word.strip())
