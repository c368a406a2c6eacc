"""Administration, below /admin: one file for each kind of thing, each route under its permission."""
