"""What every app makes anew and all apps of one run of the tests may share."""

from contextlib import contextmanager

from flask_sqlalchemy import SQLAlchemy
from werkzeug.routing import Rule

engines = {}


def let_go_of_engines():
    for engine in engines.values():
        engine.dispose()


@contextmanager
def statements():
    """An engine compiles each statement once, and each app makes an engine: here they share those of one address."""
    make = SQLAlchemy._make_engine

    def kept_or_made(self, bind_key, options, app):
        key = repr(sorted(options.items()))
        if key not in engines:
            engines[key] = make(self, bind_key, options, app)
        return engines[key]

    SQLAlchemy._make_engine = kept_or_made
    yield
    SQLAlchemy._make_engine = make
    let_go_of_engines()


@contextmanager
def routes():
    """To compile its rules is most of what making an app takes: equal ones share it, whichever app they are of."""
    make, first = Rule.compile, {}

    def copied_or_made(self):
        ways = (self.subdomain, self.host, self.map.host_matching, self.merge_slashes, repr(self.defaults))
        key = (self.rule, *ways, *self.map.converters.items())
        if key not in first:
            make(self)
            first[key] = self
        for name in ("_parts", "_trace", "_converters", "_build", "_build_unknown", "arguments"):
            setattr(self, name, getattr(first[key], name))

    Rule.compile = copied_or_made
    yield
    Rule.compile = make
