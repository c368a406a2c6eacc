"""Secrets are taken out of text that somebody may keep: log lines, and addresses as servers remember them."""

import re

HIDDEN = "(hidden)"


def _encoded(*letters: str) -> str:
    """Any of these, percent-encoded, once or more often."""
    return "%(?:25)*(?:" + "|".join(f"{ord(letter):x}" for letter in letters) + ")"


def _spelled(name: str) -> str:
    """This name in any case, any letter of it encoded."""
    return "".join(f"(?:{letter}|{_encoded(letter.lower(), letter.upper())})" for letter in name)


def _parameter(name: str) -> re.Pattern[str]:
    """A parameter of this name, and whatever it holds."""
    equals = rf"(?:[\s+]|{_encoded(' ')})*(?:=|{_encoded('=')})"
    return re.compile(rf"({name}{equals})[^&\s]*", re.IGNORECASE)


# At the beginning, or behind what divides parameters.
_TOKEN = _parameter(rf"(?:^|(?<=[?&;#+\s])|{_encoded(*'?&;# ')}){_spelled('token')}")
_SECRET_WORDS = "|".join(_spelled(word) for word in ("token", "password", "secret", "csrf"))
# Behind anything. The name is bounded, so that no text takes long.
_SECRET = _parameter(rf"(?<![\w.-])[\w.-]{{0,32}}(?:{_SECRET_WORDS})[\w.-]{{0,32}}")
# Our own kinds, wherever they stand; a JWT begins where no other letter of one stands before it.
_API_TOKEN = re.compile(r"asvcs?_[0-9A-Za-z_-]{20,}")
_JWT = re.compile(r"(?:(?<![\w-])|(?<=%[0-9A-Fa-f]{2}))eyJ[\w-]+\.[\w-]+\.[\w=-]*", re.ASCII)


def without_query_tokens(text: str) -> str:
    """Without what a parameter called `token` holds."""
    return _TOKEN.sub(rf"\1{HIDDEN}", text) if _has_parameters(text) else text


def without_secrets(text: str) -> str:
    """Without what any parameter holds whose name speaks of a secret, and without our own tokens."""
    for mark, kind in (("asvc", _API_TOKEN), ("eyJ", _JWT)):
        if mark in text:
            text = kind.sub(HIDDEN, text)
    return _SECRET.sub(rf"\1{HIDDEN}", text) if _has_parameters(text) else text


def _has_parameters(text: str) -> bool:
    """Most texts have none, and every request is looked through several times."""
    return "=" in text or "%" in text
