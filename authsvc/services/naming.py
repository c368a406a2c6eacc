"""What ids are called: for pages, where a person reads an e-mail address sooner than a UUID."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Select

from authsvc.mandate import Mandate
from authsvc.models import ApiToken, Event, RefreshToken, application, user
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

    def actor(self, actor_id: str) -> str:
        """A user, or an application that acted for itself."""
        return self.users.get(actor_id) or self.application(actor_id)


def of(mandate: Mandate, rows: Collection[RefreshToken | ApiToken]) -> Names:
    """The users and applications of these sign-ins or API tokens, as far as the mandate may read them."""
    return _names(mandate, {row.user_id for row in rows}, {row.application_id for row in rows})


def of_events(mandate: Mandate, told: Collection[Event]) -> Names:
    """Everybody in these events whom the mandate may know; who is gone has no name any more."""
    actors = {one.actor_id for one in told}
    return _names(mandate, actors | {one.subject_id for one in told}, actors | {one.application_id for one in told})


def _names(mandate: Mandate, user_ids: set[str | None], application_ids: set[str | None]) -> Names:
    with reading(within=mandate.tenant_id) as session:

        def named(statement: Select[str, str], permission: str) -> dict[str, str]:
            return {row[0]: row[1] for row in session.execute(statement)} if mandate.may(permission) else {}

        return Names(
            users=named(user.emails_of({one for one in user_ids if one}), "users:read"),
            applications=named(application.names_of({one for one in application_ids if one}), "applications:read"),
        )
