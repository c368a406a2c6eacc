"""Flask-Security with its authentication tokens, and its rotating refresh tokens, which know reuse by a generation."""

import os
import sys
from datetime import timedelta

from flask import Flask
from flask_security import Security, SQLAlchemyUserDatastore, auth_required, current_user
from flask_security.models import fsqla_v4
from flask_security.tokens import new_refresh_tracker
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, event

app = Flask(__name__)
app.config |= {
    "SECRET_KEY": os.environ["BENCH_SECRET"],
    "SECURITY_PASSWORD_SALT": os.environ["BENCH_SECRET"],
    "SQLALCHEMY_DATABASE_URI": os.environ["BENCH_DATABASE_URL"],
    # A connection for each thread, kept.
    "SQLALCHEMY_ENGINE_OPTIONS": {"pool_size": 16, "max_overflow": 0},
    "SECURITY_TOKEN_MAX_AGE": timedelta(seconds=int(os.environ["BENCH_LIFETIME"])),
    "SECURITY_REFRESH_TOKEN": True,
    "SECURITY_REFRESH_TOKEN_COOKIE_NAME": None,
    # Programs send a token by themselves: no form to protect, no page to answer with, no mail.
    "SECURITY_CSRF_PROTECT_MECHANISMS": [],
    "SECURITY_CSRF_IGNORE_UNAUTH_ENDPOINTS": True,
    "WTF_CSRF_ENABLED": False,
    "SECURITY_SEND_REGISTER_EMAIL": False,
}
database = SQLAlchemy(app)
fsqla_v4.FsModels.set_db_info(database)


class Role(database.Model, fsqla_v4.FsRoleMixin):
    pass


class User(database.Model, fsqla_v4.FsUserMixin):
    pass


class FsRefreshTracker(database.Model, fsqla_v4.FsRefreshTrackerMixin):
    pass


@event.listens_for(Engine, "connect")
def open_sqlite(connection, _record):
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA busy_timeout=20000")


datastore = SQLAlchemyUserDatastore(database, User, Role, refresh_tracker_model=FsRefreshTracker)
app.security = Security(app, datastore)


@app.get("/restaurants")
@auth_required("token")
def restaurants():
    return {"for": current_user.fs_uniquifier}


def plant(count):
    database.create_all()
    for number in range(count):
        datastore.create_user(email=f"user{number}@example.org", password="!")  # noqa: S106
    database.session.commit()


def mint(kind, count):
    for user in database.session.scalars(database.select(User).limit(count)).all():
        if kind == "access":
            print(user.get_auth_token(), f'"for":"{user.fs_uniquifier}"')
        else:
            print(new_refresh_tracker(user, name="bench")[1], '"authentication_token"')
    database.session.commit()


if __name__ == "__main__":
    command, number = sys.argv[1], int(sys.argv[2])
    with app.test_request_context():
        plant(number) if command == "plant" else mint(command, number)
