"""The one canonical form of an e-mail address and of a user name.

Registration, sign-in, throttling and the unique constraints all use it, so two spellings of one name can
never be two accounts, nor one account's guesses be counted twice.
"""

import re
import unicodedata

from email_validator import EmailNotValidError, validate_email

from authsvc.errors import ValidationFailed

LONGEST = 64
# The library refuses .local, .test and localhost, where intranets and tests live. Below this name it takes any.
ANYWHERE = ".example"
_ROLE = re.compile(rf"(?=.{{1,{LONGEST}}}\Z)[A-Za-z]([A-Za-z0-9_. -]*[A-Za-z0-9_.-])?")


def email(text: str) -> str:
    """The canonical form of an address, on an intranet or the internet. Raises ValidationFailed."""
    text = unicodedata.normalize("NFKC", text.strip())
    if any(unicodedata.category(character) in ("Cc", "Cf", "Zs") for character in text):
        raise ValidationFailed(fields={"email": ["An e-mail address holds no spaces or invisible characters."]})
    try:
        valid = validate_email(text + ANYWHERE, check_deliverability=False)
    except EmailNotValidError:
        raise ValidationFailed(fields={"email": ["This is no e-mail address."]}) from None
    # Not casefold(): it would make "ß" the same as "ss", and those are two addresses.
    return f"{valid.local_part.lower()}@{valid.ascii_domain.lower().removesuffix(ANYWHERE)}"


def username_key(text: str) -> str:
    """The form under which a user name is unique. Raises ValidationFailed."""
    # Twice, as Unicode has it (definition 146): "ß" becomes "ss", of which an accent behind it makes another letter.
    key = unicodedata.normalize("NFD", text)
    for _ in range(2):
        key = unicodedata.normalize("NFKC", key.casefold())
    # One character may become several: the form has to fit as well.
    if max(len(text), len(key)) > LONGEST or not key or not all(map(_is_in_names, key)) or key[0] in ".+-":
        raise ValidationFailed(
            fields={"username": [f"1 to {LONGEST} letters, digits and . _ + -, the first a letter, digit or _."]}
        )
    return key


def _is_in_names(character: str) -> bool:
    """Letters and digits of any script, the marks that some scripts put on them, and a little more."""
    return unicodedata.category(character)[0] in "LNM" or character in "._+-"


def role_key(text: str) -> str:
    """The form under which the name of a role is unique. Raises ValidationFailed."""
    if not _ROLE.fullmatch(text):
        rule = f"1 to {LONGEST} letters a to z, digits, . _ - and inner spaces, the first a letter."
        raise ValidationFailed(fields={"name": [rule]})
    return text.casefold()


def canonical(identifier: str) -> str | None:
    """What somebody signs in with, as an address if it has an @, else as a user name; None if it can be neither."""
    try:
        is_address = "@" in unicodedata.normalize("NFKC", identifier)
        return email(identifier) if is_address else username_key(identifier)
    except ValidationFailed:
        return None
