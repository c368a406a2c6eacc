"""The sections of the console, and which of them somebody sees."""

from dataclasses import dataclass

from flask import g

from authsvc.principals import Principal


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the navigation; without a permission, it is for whoever is signed in."""

    title: str
    endpoint: str
    permission: str | None = None

    def is_for(self, who: Principal) -> bool:
        return self.permission is None or who.may(self.permission)

    @property
    def blueprint(self) -> str:
        """All pages of the section are of this blueprint."""
        return self.endpoint.rpartition(".")[0]


# As they stand in the navigation; authsvc/console/__init__.py fills it.
SECTIONS: list[Section] = []


def visible() -> list[Section]:
    """Those that the principal may open. What the first one is, is where signing in leads to."""
    who: Principal | None = g.get("principal")
    return [] if who is None else [section for section in SECTIONS if section.is_for(who)]
