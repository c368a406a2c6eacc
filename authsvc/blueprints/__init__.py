"""HTTP: one file per blueprint, its schemas beside its routes. Views do not commit."""

from authsvc.blueprints import auth, health, refresh, well_known
from authsvc.blueprints.admin import events, keys

BLUEPRINTS = (auth.bp, refresh.bp, keys.bp, events.bp, well_known.bp, health.bp)
