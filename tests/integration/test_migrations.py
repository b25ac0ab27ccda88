"""The tables: made once by whoever comes first, and refused when they do not fit."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from checkpoints.database import Database
from checkpoints.errors import MigrationFailed, StorageError
from checkpoints.migrations import FOLDER as CHECKPOINTS
from checkpoints.migrations import migrate
from services import MIGRATION_FOLDERS

COMPANY = MIGRATION_FOLDERS["company"]
PROCESSES = 4
ONE_PROCESS = """
import asyncio, sys
from pathlib import Path
from checkpoints.database import Database
from checkpoints.migrations import migrate

async def main():
    async with Database(sys.argv[1]) as database:
        print(await migrate(database, {"checkpoints": Path(sys.argv[2]), "company": Path(sys.argv[3])}))

asyncio.run(main())
"""


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Copies of the shipped migrations, to be changed."""
    for name, folder in MIGRATION_FOLDERS.items():
        shutil.copytree(folder, tmp_path / name)
    return {name: tmp_path / name for name in MIGRATION_FOLDERS}


async def test_processes_that_start_at_once_all_find_the_tables_made(bare_dsn: str) -> None:
    arguments = (sys.executable, "-c", ONE_PROCESS, bare_dsn, str(CHECKPOINTS), str(COMPANY))
    started = [
        await asyncio.create_subprocess_exec(
            *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(PROCESSES)
    ]
    ended = [await process.communicate() for process in started]

    assert [process.returncode for process in started] == [0] * PROCESSES, ended
    assert {out.split()[-1] for out, _ in ended} == {str(shipped()).encode()}
    async with Database(bare_dsn) as database:
        applied = await rows(database, "SELECT set_name, number FROM holdfast_migrations")
        assert {row["set_name"] for row in applied} == {"checkpoints", "company", "langgraph"}
        assert {"calls", "effects", "customers", "checkpoints", "checkpoint_writes"} <= set(
            await tables(database)
        )


async def test_pools_that_start_at_once_all_find_the_tables_made(bare_dsn: str) -> None:
    """Closer together than processes can start."""

    async def migrated() -> int:
        async with Database(bare_dsn, pool_max=3) as database:
            return await migrate(database, MIGRATION_FOLDERS)

    assert await asyncio.gather(*(migrated() for _ in range(4))) == [shipped()] * 4


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    before = await rows(database, "SELECT * FROM holdfast_migrations ORDER BY set_name, number")
    known = await tables(database)

    await migrate(database, MIGRATION_FOLDERS)

    after = await rows(database, "SELECT * FROM holdfast_migrations ORDER BY set_name, number")
    assert after == before
    assert await tables(database) == known


async def test_edited_migration_is_refused_by_name(
    database: Database, folders: dict[str, Path]
) -> None:
    file = folders["company"] / "0001_company.sql"
    file.write_text(file.read_text() + "\n-- one more line\n")

    with pytest.raises(MigrationFailed, match="company 1 was edited after it was applied"):
        await migrate(database, folders)


async def test_newer_database_is_refused_before_anything_is_changed(
    database: Database, folders: dict[str, Path]
) -> None:
    await execute(
        database,
        "INSERT INTO holdfast_migrations (set_name, number, name, checksum) "
        "VALUES ('company', 999, 'of_a_later_release', '')",
    )
    (folders["company"] / "0998_pending.sql").write_text("CREATE TABLE company.pending ()")

    with pytest.raises(MigrationFailed, match="a newer one"):
        await migrate(database, folders)

    assert "pending" not in await tables(database)


async def test_migration_that_fails_leaves_nothing_and_can_be_mended(
    database: Database, folders: dict[str, Path]
) -> None:
    file = folders["company"] / "0500_half.sql"
    file.write_text("CREATE TABLE company.half (); SELECT no_such_column FROM company.half;")
    with pytest.raises(StorageError, match="SQLSTATE 42703"):
        await migrate(database, folders)
    assert "half" not in await tables(database)

    file.write_text("CREATE TABLE company.half (whole integer);")
    await migrate(database, folders)
    assert "half" in await tables(database)


async def test_file_without_a_number_is_refused_by_name(
    database: Database, folders: dict[str, Path]
) -> None:
    (folders["company"] / "latest.sql").write_text("SELECT 1")

    with pytest.raises(MigrationFailed, match=r"latest\.sql is not named like"):
        await migrate(database, folders)


async def test_statement_timeout_holds_again_after_a_migration(bare_dsn: str) -> None:
    """Index builds may take long; queries of a call may not, on the same connections."""
    async with Database(bare_dsn, pool_min=1, pool_max=2) as database:
        await migrate(database, MIGRATION_FOLDERS)
        async with database.connection() as first, database.connection() as second:
            for connection in (first, second):
                cursor = await connection.execute("SHOW statement_timeout")
                assert await cursor.fetchone() == {"statement_timeout": "5s"}


def shipped() -> int:
    """How many migrations this release has."""
    return sum(len(list(folder.glob("*.sql"))) for folder in MIGRATION_FOLDERS.values())


async def tables(database: Database) -> list[str]:
    found = await rows(
        database,
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_schema IN ('public', 'company') ORDER BY 1",
    )
    return [row["table_name"] for row in found]


async def rows(database: Database, query: str) -> list[dict[str, Any]]:
    async with database.connection() as connection:
        cursor = await connection.execute(query.encode())
        return await cursor.fetchall()


async def execute(database: Database, query: str) -> None:
    async with database.connection() as connection:
        await connection.execute(query.encode())
