"""authsvc on a PostgreSQL cluster that loses its primary under load: what was answered is still true afterwards."""
