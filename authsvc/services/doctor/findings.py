"""What a check finds."""

from dataclasses import dataclass

FINE, WARNING, BROKEN = "fine", "warning", "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` names what was looked at, always by the same word; `advice` says what to change, if anything."""

    check: str
    verdict: str
    found: str
    advice: str = ""

    @property
    def is_broken(self) -> bool:
        return self.verdict == BROKEN


def fine(check: str, found: str) -> Finding:
    return Finding(check, FINE, found)


def warning(check: str, found: str, advice: str) -> Finding:
    """It works, but is not as it should be or will not stay so."""
    return Finding(check, WARNING, found, advice)


def broken(check: str, found: str, advice: str) -> Finding:
    """Somebody is refused, or may be harmed, because of this."""
    return Finding(check, BROKEN, found, advice)
