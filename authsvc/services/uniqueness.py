"""Who has which name: the unique constraints have the last word, and here it is said in ours."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from authsvc.errors import AlreadyExists, UnknownTenant
from authsvc.models import Application, User
from authsvc.models.engine import single_statements


def flush(session: Session, things: Mapping[str, tuple[str, str]]) -> None:
    """Write it down. `things`: by the column that must be unique, the field and what people call it.

    Two who ask for one name at once can't both have it. Raises AlreadyExists, UnknownTenant.
    """
    try:
        session.flush()
    except IntegrityError as error:
        # The first line names the constraint; on PostgreSQL a second one holds what the caller wrote.
        constraint = str(error.orig).partition("\n")[0]
        if "foreign key" in constraint.lower():
            raise UnknownTenant from None  # deleted meanwhile
        named = (said for column, said in things.items() if column in constraint)
        raise taken(*next(named, ("id", "id"))) from None


def refuse_taken_subject(subject_id: str) -> None:
    """Somebody chose this id for a user or an application. Tokens have either as their `sub`, so no user of any tenant
    has the id of an application.

    Raises AlreadyExists.
    """
    with single_statements() as connection:
        for table in (User, Application):
            if connection.scalar(select(table.id).where(table.id == subject_id)) is not None:
                raise taken("id", "id")


def taken(field: str, thing: str) -> AlreadyExists:
    sentence = f"This {thing} is taken."
    return AlreadyExists(sentence, fields={field: [sentence]})
