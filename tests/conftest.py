"""One Postgres server for the whole run, one database per test, copied from a template."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from checkpoints.embedded import embedded_server
from checkpoints.migrations import migrate
from checkpoints.database import Database
from services import MIGRATION_FOLDERS
from tests.company import fill_template

EMPTY, COMPANY = "template_empty", "template_company"


@pytest.fixture(scope="session")
def server_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server to make databases on: TEST_DATABASE_URL, or an embedded one that ends with the run."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with embedded_server(tmp_path_factory.mktemp("server")) as dsn:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("ALTER SYSTEM SET synchronous_commit = off")
            connection.execute("SELECT pg_reload_conf()")
        yield dsn


@pytest.fixture(scope="session")
def empty_template(server_dsn: str) -> str:
    """Migrated, nothing in it."""
    dsn = _created(server_dsn, EMPTY)

    async def migrated() -> None:
        async with Database(dsn) as database:
            await migrate(database, MIGRATION_FOLDERS)

    asyncio.run(migrated())
    return EMPTY


@pytest.fixture(scope="session")
def company_template(server_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Migrated, with the company of tests/conversations/company and the answers that come with Holdfast."""
    dsn = _created(server_dsn, COMPANY)
    asyncio.run(fill_template(dsn, tmp_path_factory.mktemp("home")))
    return COMPANY


@pytest.fixture
def database_dsn(server_dsn: str, empty_template: str) -> Iterator[str]:
    """A migrated, empty database of the test's own."""
    yield from _copied(server_dsn, empty_template)


@pytest.fixture
def database_copy(server_dsn: str, company_template: str) -> Iterator[str]:
    """A database of the test's own, with the test company in it."""
    yield from _copied(server_dsn, company_template)


@pytest.fixture
def bare_dsn(server_dsn: str) -> Iterator[str]:
    """A database of the test's own, with no tables at all."""
    yield from _copied(server_dsn, "template0")


@pytest.fixture(scope="session")
def model_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder shared by the run, so that the intent models are fitted once."""
    return tmp_path_factory.mktemp("models")


def _copied(server_dsn: str, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    yield _created(server_dsn, name, template)
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


def _created(server_dsn: str, name: str, template: str = "template0") -> str:
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    return make_conninfo(server_dsn, dbname=name)
