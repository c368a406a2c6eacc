"""HTTP: one file per blueprint, its schemas beside its routes. Views do not commit."""

from authsvc.blueprints import auth, health, refresh, well_known
from authsvc.blueprints.admin import applications, tenants

BLUEPRINTS = (auth.bp, refresh.bp, tenants.bp, applications.bp, well_known.bp, health.bp)
