"""The apps beside authsvc's own that the benchmarks serve with its gunicorn settings."""
