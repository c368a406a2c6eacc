"""What ids are called: for pages, where a person reads an e-mail address sooner than a UUID."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Select

from authsvc.mandate import Mandate
from authsvc.models import RefreshToken, application, user
from authsvc.models.engine import reading


@dataclass(frozen=True, slots=True)
class Names:
    """By id; who may not know a name reads the id."""

    users: dict[str, str]
    applications: dict[str, str]

    def user(self, user_id: str) -> str:
        return self.users.get(user_id, user_id)

    def application(self, application_id: str) -> str:
        return self.applications.get(application_id, application_id)


def of(mandate: Mandate, sign_ins: Collection[RefreshToken]) -> Names:
    """The users and applications of these sign-ins, as far as the mandate may read them."""
    with reading(within=mandate.tenant_id) as session:

        def named(statement: Select[str, str], permission: str) -> dict[str, str]:
            return {row[0]: row[1] for row in session.execute(statement)} if mandate.may(permission) else {}

        return Names(
            users=named(user.emails_of({row.user_id for row in sign_ins}), "users:read"),
            applications=named(application.names_of({row.application_id for row in sign_ins}), "applications:read"),
        )
