"""The collection's folders, in the order in which somebody tries things."""

from clients.postman.source.folders import (
    accounts,
    api_tokens,
    errors,
    events,
    first_guide,
    keys,
    leaving,
    oauth,
    operations,
    refreshing,
    sign_ins,
    tenants,
    users,
    verify,
)
from clients.postman.source.folders.dialects import baserow, fusionauth, laravel, simplejwt, strapi
from clients.postman.source.parts import folder

ADMINISTRATION = folder(
    "Administration",
    """As the administrator: the first request signs in, the last one signs out.""",
    users.SIGN_IN,
    users.USERS,
    users.ROLES,
    tenants.APPLICATIONS,
    tenants.TENANTS,
    users.THEIR_TOKENS,
    keys.FOLDER,
    events.FOLDER,
    users.SIGN_OUT,
)

DIALECTS = folder(
    "Clients of other systems",
    """What programs send that were written for another system and now have another base URL. The shapes are that
    system's, the users and the rules are authsvc's. A server whose `AUTHSVC_DIALECTS` leaves one out answers 404 in its
    folder.""",
    fusionauth.FOLDER,
    strapi.FOLDER,
    laravel.FOLDER,
    baserow.BASEROW,
    baserow.APPSMITH,
    simplejwt.FOLDER,
)

FOLDERS = (
    accounts.START,
    accounts.FOLDER,
    accounts.ME,
    refreshing.FOLDER,
    sign_ins.FOLDER,
    api_tokens.FOLDER,
    verify.FOLDER,
    oauth.FOLDER,
    ADMINISTRATION,
    operations.FOLDER,
    errors.FOLDER,
    first_guide.FOLDER,
    DIALECTS,
    leaving.FOLDER,
)
