"""What the database is asked, whichever way a statement goes to the driver."""

from contextlib import contextmanager

from sqlalchemy import event

from authsvc.extensions import db
from authsvc.models.prepared import Prepared


@contextmanager
def watched(app, each):
    """Meanwhile this is called with the text of every statement, before it goes out."""
    run = Prepared._run

    def note(_connection, _cursor, statement, *_):
        each(statement)

    def noted(self, connection, *rest):
        each(str(self.statement.compile(dialect=engine.dialect)))
        return run(self, connection, *rest)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    Prepared._run = noted
    try:
        yield
    finally:
        Prepared._run = run
        event.remove(engine, "before_cursor_execute", note)
