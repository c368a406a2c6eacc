"""What is wrong with an installation, or soon will be. Nothing is changed by looking.

Each check is a function that yields findings. What it rests on may itself be what is broken, so there is an order:
without settings nothing else is asked but the machine, and without a database nothing that lies in it.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from flask import current_app

from authsvc.services.doctor import configuration, contents, database, machine, reaching, redis
from authsvc.services.doctor.findings import Finding

if TYPE_CHECKING:
    from config import Base

REFUSED = "authsvc.refused"


def examine(now: datetime, url: str | None = None) -> Iterator[Finding]:
    """All there is to say about this app, also one that can't serve (cli/doctor.py makes it).

    With `url`, also about the service that runs behind that address.
    """
    config: Base | None = current_app.extensions.get("authsvc")
    refused: str | None = current_app.extensions.get(REFUSED)
    yield from configuration.examine(config, refused)
    if config is not None:
        yield from machine.examine_files()
        yield from _examine_database(now)
        yield from redis.examine()
    if url is not None:
        yield from reaching.examine(url, config.BASE_URL if config else None)
    yield from machine.examine_software()


def _examine_database(now: datetime) -> Iterator[Finding]:
    if "sqlalchemy" not in current_app.extensions:
        return  # its address is none: that has been said
    found = list(database.examine())
    yield from found
    if not any(finding.is_broken for finding in found):
        yield from contents.examine(now)
