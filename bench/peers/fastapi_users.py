"""fastapi-users with JWTs and SQLAlchemy's asyncio, as its documents' full example has it. It has no refresh tokens."""

import asyncio
import os
import sys
import uuid

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

SECRET = os.environ["BENCH_SECRET"]
LIFETIME = int(os.environ["BENCH_LIFETIME"])
URL = (
    os.environ["BENCH_DATABASE_URL"]
    .replace("postgresql+psycopg://", "postgresql+asyncpg://")
    .replace("sqlite://", "sqlite+aiosqlite://")
)
# As many connections as there can be requests at once, kept.
engine = create_async_engine(URL, pool_size=16, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTableUUID, Base):
    pass


@event.listens_for(engine.sync_engine, "connect")
def open_sqlite(connection, _record):
    if engine.dialect.name == "sqlite":
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")


async def session():
    async with sessions() as opened:
        yield opened


async def user_database(opened: AsyncSession = Depends(session)):  # noqa: B008  (FastAPI's way)
    yield SQLAlchemyUserDatabase(opened, User)


class Manager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    reset_password_token_secret = SECRET
    verification_token_secret = SECRET


async def manager(database=Depends(user_database)):  # noqa: B008
    yield Manager(database)


def strategy():
    return JWTStrategy(secret=SECRET, lifetime_seconds=LIFETIME)


backend = AuthenticationBackend("jwt", BearerTransport("auth/jwt/login"), strategy)
users = FastAPIUsers[User, uuid.UUID](manager, [backend])
app = FastAPI()


@app.get("/restaurants")
async def restaurants(user: User = Depends(users.current_user(active=True))):  # noqa: B008
    return {"for": str(user.id)}


async def plant(count):
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with sessions.begin() as opened:
        opened.add_all(User(email=f"user{n}@example.org", hashed_password="!") for n in range(count))  # noqa: S106


async def mint(count):
    async with sessions() as opened:
        for user in await opened.scalars(select(User).limit(count)):
            print(await strategy().write_token(user), f'"for":"{user.id}"')


if __name__ == "__main__":
    command, number = sys.argv[1], int(sys.argv[2])
    asyncio.run(plant(number) if command == "plant" else mint(number))
