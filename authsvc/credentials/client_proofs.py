"""How a client says who it is (RFC 6749 section 2.3): by HTTP Basic or by parameters of the body, never in two ways."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from flask import g, request

from authsvc.credentials import readers
from authsvc.errors import InvalidClient
from authsvc.models.client import Client
from authsvc.services import clients

_FORM_ENCODED = re.compile(r"([^%]|%[0-9A-Fa-f]{2})*")


@dataclass(frozen=True, slots=True)
class ClientProof:
    """The client's name and, unless it is a public one, its secret."""

    name: str
    secret: str | None = field(repr=False)


def presented(form: Mapping[str, str]) -> ClientProof | None:
    """None where the request names no client. Raises InvalidClient where it does so badly, or twice."""
    sent = request.headers.get("Authorization", "").strip()
    if not sent:
        return _in_body(form)
    scheme, _, text = sent.partition(" ")
    is_basic = scheme.lower() == "basic"
    if "client_secret" in form or ("client_id" in form and not is_basic):
        raise InvalidClient
    if not is_basic:
        return None
    proof = _in_header(text.strip())
    if form.get("client_id", proof.name) != proof.name:
        raise InvalidClient
    return proof


def recognised(proof: ClientProof) -> Client:
    """Raises InvalidClient, TooManyAttempts."""
    tenant_name, caller = readers.tenant_named(), readers.caller()
    found = clients.recognised(proof.name, proof.secret, tenant_name=tenant_name, caller=caller, now=g.now)
    g.application_id = found.id
    return found


def _in_body(form: Mapping[str, str]) -> ClientProof | None:
    if "client_id" in form:
        return ClientProof(form["client_id"], form.get("client_secret"))
    if "client_secret" in form:
        raise InvalidClient
    return None


def _in_header(text: str) -> ClientProof:
    """Both halves are form-encoded before they are joined. A secret of no length is none."""
    try:
        halves = base64.b64decode(text, validate=True).decode().split(":", 1)
        name, secret = (_decoded(half) for half in halves)
    except (binascii.Error, ValueError):
        raise InvalidClient from None
    if not name:
        raise InvalidClient
    return ClientProof(name, secret or None)


def _decoded(half: str) -> str:
    if not _FORM_ENCODED.fullmatch(half):
        raise ValueError("a percent sign stands alone")
    return unquote_plus(half, errors="strict")
