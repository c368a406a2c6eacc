"""Everything authsvc may answer instead of yes: a small tree, each with its code and status.

The sentence a caller reads says what was wrong and what to do; it never says what an attacker could use.
docs/errors.md explains every code.
"""

import itertools
from collections.abc import Mapping
from typing import ClassVar

Fields = Mapping[str, list[str]]


class Refusal(Exception):
    """The root: an answer that is no. `fields` names what was wrong in the request, as the caller spelled it."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    message: ClassVar[str] = "Something went wrong on our side. Tell the operator the request id."

    def __init__(
        self, message: str = "", *, fields: Fields | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message or self.message)
        self.fields = fields
        self.headers: dict[str, str] = dict(headers or {})

    @property
    def text(self) -> str:
        return str(self.args[0])


# 400: the request can't be understood


class BadRequest(Refusal):
    code, status = "bad_request", 400
    message = "The request can't be understood."


class MalformedJson(Refusal):
    code, status = "malformed_json", 400
    message = "The body must be one JSON object in UTF-8, without repeated names."


class AmbiguousRequest(Refusal):
    code, status = "ambiguous_request", 400
    message = "The request says one thing in two ways. Send it once."


class UnknownTenant(Refusal):
    code, status = "unknown_tenant", 400
    message = "There is no such tenant. Send the id or the slug of one, or leave the header out."


class TwoCredentials(AmbiguousRequest):
    message = "Send one credential."


class SelectorMissing(Refusal):
    code, status = "selector_missing", 400
    message = "Say which: a userId, an applicationId, a tokenId or a tokenString, or all: true. Nothing was ended."


# 401: who are you?


class Unauthenticated(Refusal):
    """`challenge` is the error of RFC 6750 section 3.1; a request that brought no credential gets none."""

    code, status = "token_invalid", 401
    challenge: ClassVar[str] = "invalid_token"


class CredentialsMissing(Unauthenticated):
    code = "credentials_missing"
    message = "Sign in first, then send the token."
    challenge = ""


class CredentialsInvalid(Unauthenticated):
    code = "credentials_invalid"
    message = "The name or the password is wrong."
    challenge = ""


class TokenInvalid(Unauthenticated):
    code = "token_invalid"
    message = "The token is not one of ours, or not for this purpose."


class TokenExpired(Unauthenticated):
    code = "token_expired"
    message = "The token has expired. Refresh it, or sign in again."


class TokenRevoked(Unauthenticated):
    code = "token_revoked"
    message = "This was ended. Sign in again, or use another token."


class RefreshTokenReused(Unauthenticated):
    code = "refresh_token_reused"
    message = "The refresh token was used before, so this sign-in was ended. Sign in again."


class CsrfFailed(Unauthenticated):
    code = "csrf_failed"
    message = (
        "A request with a cookie must come from an allowed page and bring the value of the csrf cookie as X-CSRF-TOKEN."
    )


# 403: not you


class PermissionDenied(Refusal):
    """`permission` is the one that was lacking."""

    code, status = "permission_denied", 403

    def __init__(self, permission: str, message: str = "") -> None:
        challenge = f'Bearer realm="authsvc", error="insufficient_scope", scope="{permission}"'
        super().__init__(message or f"This needs the permission {permission}.", headers={"WWW-Authenticate": challenge})
        self.permission = permission


class TenantMismatch(Refusal):
    code, status = "tenant_mismatch", 403
    message = "The credential belongs to another tenant than the one the header names."


class SignInNeeded(PermissionDenied):
    """A user in person may do this, and no API token or application, whatever its scopes."""

    def __init__(self) -> None:
        super().__init__("sign-in", "This takes the access token of a user's sign-in.")
        self.headers["WWW-Authenticate"] = 'Bearer realm="authsvc", error="insufficient_scope"'


class AddressNotAllowed(Refusal):
    code, status = "address_not_allowed", 403
    message = "This API token may not be used from your address."


class PasswordWrong(Refusal):
    code, status = "password_wrong", 403
    message = "The current password is wrong."


# 404 to 422: what you ask for


class NotFound(Refusal):
    code, status = "not_found", 404
    message = "There is nothing here."


class MethodNotAllowed(Refusal):
    code, status = "method_not_allowed", 405
    message = "This path does not take that method. The Allow header names those it takes."


class AlreadyExists(Refusal):
    code, status = "already_exists", 409
    message = "That is taken."


class Conflict(Refusal):
    """What is asked for can't be done to this thing, or not as things are."""

    code, status = "conflict", 409
    message = "This can't be done as things are."


class TooLarge(Refusal):
    code, status = "too_large", 413
    message = "The request is too large."


class UnsupportedMediaType(Refusal):
    code, status = "unsupported_media_type", 415
    message = "Send the body as application/json, not encoded."


class ValidationFailed(Refusal):
    """The sentence names the first few fields; `fields` has them all."""

    code, status = "validation_failed", 422
    message = "Some fields are not as they must be."

    def __init__(self, *, fields: Fields) -> None:
        first = itertools.islice(fields.items(), 3)
        super().__init__("; ".join(f"{name[:64]}: {sentences[0]}" for name, sentences in first), fields=fields)


# 429 and up: not now


class TooManyAttempts(Refusal):
    code, status = "too_many_attempts", 429
    message = "Too many wrong tries. Wait, then try again; who is signed in stays signed in."

    def __init__(self, retry_after: int) -> None:
        super().__init__(headers={"Retry-After": str(max(1, retry_after))})


class InternalError(Refusal):
    code, status = "internal_error", 500


class Unavailable(Refusal):
    code, status = "unavailable", 503
    message = "The service can't do this right now; nothing was changed. Try again shortly."

    def __init__(self, message: str = "") -> None:
        super().__init__(message, headers={"Retry-After": "1"})


# What /oauth/* says, in the words of RFC 6749 section 5.2: its clients know no others


class OAuthRefusal(Refusal):
    """Its sentence is plain ASCII without quotation marks and repeats nothing that the caller sent."""

    code, status = "invalid_request", 400
    message = "The request is not as it must be."


class InvalidRequest(OAuthRefusal):
    code, status = "invalid_request", 400


class InvalidClient(OAuthRefusal):
    code, status = "invalid_client", 401
    message = "Name the client and prove it in one way: by HTTP Basic, or by client_id and client_secret in the body."

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Basic realm="authsvc"'})


class InvalidGrant(OAuthRefusal):
    code, status = "invalid_grant", 400
    message = "The refresh token is not good, or is not this client's. Sign in again."


class UnauthorizedClient(OAuthRefusal):
    code, status = "unauthorized_client", 400
    message = "This is not for this client, or not for this user."


class UnsupportedGrantType(OAuthRefusal):
    code, status = "unsupported_grant_type", 400
    message = "The grant types are refresh_token and client_credentials."


class InvalidScope(OAuthRefusal):
    code, status = "invalid_scope", 400
    message = "The scope is malformed, or more than there is to give."
