"""Numbered migrations: applied once, in order, by whichever process comes first; never edited once shipped."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import psycopg
import structlog
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

from checkpoints.database import Connection, Database, storage_errors
from checkpoints.errors import MigrationFailed, StorageDown

log = structlog.get_logger(__name__)
FOLDER = Path(__file__).parent / "migrations"
LANGGRAPH = "langgraph"
_TAKE_LOCK = "SELECT pg_try_advisory_xact_lock(1075706455) AS mine"  # any number nobody else uses
_LOCK_SECONDS = 60
_FILE = re.compile(r"(\d{4})_(\w+)\.sql")
_TABLE = """
CREATE TABLE IF NOT EXISTS holdfast_migrations (
  set_name   text NOT NULL,
  number     integer NOT NULL,
  name       text NOT NULL,
  checksum   text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (set_name, number)
)
"""


@dataclass(frozen=True)
class Migration:
    set_name: str
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


def read_migrations(folders: Mapping[str, Path]) -> tuple[Migration, ...]:
    """The files of each folder, in order."""
    found = []
    for set_name, folder in folders.items():
        for file in sorted(folder.glob("*.sql")):
            named = _FILE.fullmatch(file.name)
            if named is None:
                msg = f"{file.name} is not named like 0001_what_it_does.sql"
                raise MigrationFailed(msg)
            found.append(Migration(set_name, int(named[1]), named[2], file.read_text("utf-8")))
    return tuple(found)


async def migrate(database: Database, folders: Mapping[str, Path]) -> int:
    """Bring the database to this release. One query when it already is.

    Returns:
        How many migrations the release has.

    Raises:
        MigrationFailed: a shipped migration was edited, or the database is newer than this release.
    """
    wanted = read_migrations(folders)
    async with storage_errors():
        async with database.connection() as connection:
            if not await _missing(connection, wanted):
                return len(wanted)
        async with _alone(database) as connection:
            for migration in await _missing(connection, wanted):
                await _apply(connection, migration)
            await _langgraph(connection)
    return len(wanted)


async def _missing(connection: Connection, wanted: tuple[Migration, ...]) -> tuple[Migration, ...]:
    try:
        cursor = await connection.execute(
            "SELECT set_name, number, checksum FROM holdfast_migrations"
        )
    except psycopg.errors.UndefinedTable:
        return wanted
    rows = await cursor.fetchall()
    applied = {(row["set_name"], row["number"]): row["checksum"] for row in rows}
    _fits(applied, wanted)
    missing = tuple(one for one in wanted if (one.set_name, one.number) not in applied)
    if not missing and (LANGGRAPH, len(AsyncPostgresSaver.MIGRATIONS)) not in applied:
        return wanted[-1:]
    return missing


def _fits(applied: dict[tuple[str, int], str], wanted: tuple[Migration, ...]) -> None:
    for one in wanted:
        if applied.get((one.set_name, one.number), one.checksum) != one.checksum:
            msg = f"migration {one.set_name} {one.number} was edited after it was applied: restore the file"
            raise MigrationFailed(msg)
    known = {(one.set_name, one.number) for one in wanted}
    sets = {one.set_name for one in wanted}
    newer = [key for key in applied if key[0] in sets and key not in known]
    if newer:
        raise MigrationFailed


@asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[Connection]:
    """One process at a time. Polled, because a blocking lock deadlocks with CREATE INDEX CONCURRENTLY.

    The lock is a transaction's, on a connection of its own: behind a transaction pooler a session's lock would stay
    with whatever server connection it was taken on. Not prepared, because such a statement's snapshot stays until the
    next one, and CREATE INDEX CONCURRENTLY waits for it.
    """
    async with database.connection() as holder, holder.transaction():
        await holder.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        for _ in range(_LOCK_SECONDS * 10):
            cursor = await holder.execute(_TAKE_LOCK, prepare=False)
            row = await cursor.fetchone()
            if row is not None and row["mine"]:
                break
            await asyncio.sleep(0.1)
        else:
            msg = "another process has been changing the database for a minute: try again"
            raise StorageDown(msg)
        async with database.connection() as connection, database.unhurried(connection):
            await connection.execute(_TABLE)
            yield connection


async def _apply(connection: Connection, one: Migration) -> None:
    """The file and its record in one transaction; done already when another process was first."""
    async with connection.transaction():
        cursor = await connection.execute(
            "INSERT INTO holdfast_migrations (set_name, number, name, checksum) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING RETURNING 1",
            (one.set_name, one.number, one.name, one.checksum),
        )
        if await cursor.fetchone() is None:
            return
        await connection.execute(one.sql.encode(), prepare=False)
    log.info("migration.applied", migration=f"{one.set_name} {one.number}")


async def _langgraph(connection: Connection) -> None:
    number = len(AsyncPostgresSaver.MIGRATIONS)
    cursor = await connection.execute(
        "SELECT 1 FROM holdfast_migrations WHERE set_name = %s AND number = %s", (LANGGRAPH, number)
    )
    if await cursor.fetchone() is not None:
        return
    await AsyncPostgresSaver(connection).setup()
    await connection.execute(
        "INSERT INTO holdfast_migrations (set_name, number, name, checksum) VALUES (%s, %s, 'setup', '') "
        "ON CONFLICT DO NOTHING",
        (LANGGRAPH, number),
    )
