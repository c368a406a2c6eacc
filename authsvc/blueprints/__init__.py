"""HTTP: one file per blueprint, its schemas beside its routes. Views do not commit."""

from authsvc.blueprints import api_tokens, auth, health, metrics, oauth, refresh, token_admin, verify, well_known
from authsvc.blueprints.admin import applications, events, keys, roles, tenants, users

BLUEPRINTS = (
    auth.bp,
    verify.bp,
    refresh.bp,
    token_admin.bp,
    api_tokens.bp,
    oauth.bp,
    tenants.bp,
    applications.bp,
    users.bp,
    roles.bp,
    keys.bp,
    events.bp,
    well_known.bp,
    health.bp,
    metrics.bp,
)
