"""Other systems' wires over the same services: one file per system, each a translation and no more.

Whoever has a client for one of them points it at `<authsvc>/<dialect>`. Adding one is a file, its line here and its
tests; docs/dialects.md says how.
"""

import re
from typing import cast

from flask import Blueprint, Flask

from authsvc.dialects import baserow, fusionauth, laravel, simplejwt, strapi
from authsvc.dialects.addresses import Addresses
from authsvc.settings import SettingsRefused

# By the name that DIALECTS has for it, which is where it is unless that says otherwise.
DIALECTS: dict[str, Blueprint] = {
    "appsmith": baserow.bp,
    "baserow": baserow.bp,
    "fusionauth": fusionauth.bp,
    "laravel": laravel.bp,
    "simplejwt": simplejwt.bp,
    "strapi": strapi.bp,
}
_PREFIX = re.compile(r"(/[A-Za-z0-9._-]+)+")


def install(app: Flask, chosen: tuple[str, ...]) -> None:
    """Serve those that are chosen: `simplejwt` below /simplejwt, `simplejwt=/old/auth` below /old/auth.

    Raises SettingsRefused.
    """
    for word in chosen:
        name, _, place = word.partition("=")
        prefix = place or f"/{name}"
        if name not in DIALECTS:
            raise SettingsRefused(f"DIALECTS has one that there is not. There are: {', '.join(sorted(DIALECTS))}.")
        taken = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
        if not _PREFIX.fullmatch(prefix) or prefix.split("/")[1] in taken:
            raise SettingsRefused("DIALECTS names a place that is none, or is taken: write name=/path.")
        app.register_blueprint(DIALECTS[name], url_prefix=prefix, name=f"{name}:{prefix}".replace(".", "-"))
        cast("Addresses", app.url_map).below += (f"{prefix}/",)
