"""One Postgres server for the whole run, one database per test, copied from a template."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from checkpoints.database import Database
from checkpoints.embedded import embedded_server
from checkpoints.migrations import migrate
from services import MIGRATION_FOLDERS
from tests.company import fill_template


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder for an embedded server, gone afterwards.

    Not pytest's: run by root, the server is another user's, whom the next run of pytest locks out of the folder.
    """
    folder = Path(tempfile.mkdtemp(prefix="holdfast-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """For an embedded server of the test's own."""
    with own_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """A server to make databases on: TEST_DATABASE_URL, or an embedded one that ends with the run."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with own_folder() as home, embedded_server(home) as dsn:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("ALTER SYSTEM SET synchronous_commit = off")
            connection.execute("SELECT pg_reload_conf()")
        yield dsn


@pytest.fixture(scope="session")
def empty_template(server_dsn: str) -> Iterator[str]:
    """Migrated, nothing in it: the name of the database to copy."""

    async def migrated(dsn: str) -> None:
        async with Database(dsn) as database:
            await migrate(database, MIGRATION_FOLDERS)

    with copied(server_dsn, "template0") as dsn:
        asyncio.run(migrated(dsn))
        yield str(conninfo_to_dict(dsn)["dbname"])


@pytest.fixture(scope="session")
def company_template(server_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Migrated, with the company of tests/conversations/company and the answers that come with Holdfast."""
    with copied(server_dsn, "template0") as dsn:
        asyncio.run(fill_template(dsn, tmp_path_factory.mktemp("home")))
        yield str(conninfo_to_dict(dsn)["dbname"])


@pytest.fixture
def database_dsn(server_dsn: str, empty_template: str) -> Iterator[str]:
    """A migrated, empty database of the test's own."""
    with copied(server_dsn, empty_template) as dsn:
        yield dsn


@pytest.fixture
def database_copy(server_dsn: str, company_template: str) -> Iterator[str]:
    """A database of the test's own, with the test company in it."""
    with copied(server_dsn, company_template) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def shared_copy(server_dsn: str, company_template: str) -> Iterator[str]:
    """A database with the test company for all tests of a module: for what is slow to start."""
    with copied(server_dsn, company_template) as dsn:
        yield dsn


@pytest.fixture
def bare_dsn(server_dsn: str) -> Iterator[str]:
    """A database of the test's own, with no tables at all."""
    with copied(server_dsn, "template0") as dsn:
        yield dsn


@pytest.fixture(scope="session")
def model_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder shared by the run, so that the intent models are fitted once."""
    return tmp_path_factory.mktemp("models")


@contextmanager
def copied(server_dsn: str, template: str) -> Iterator[str]:
    """A database that is gone afterwards."""
    name = f"test_{uuid4().hex}"
    quoted = sql.Identifier(name)
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(quoted, sql.Identifier(template))
        )
    try:
        yield make_conninfo(server_dsn, dbname=name)
    finally:
        with psycopg.connect(server_dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(quoted))
