"""One at a time, across connections, and free again whatever happens to the holder."""

from __future__ import annotations

import asyncio
from contextvars import Context

import pytest

from checkpoints.database import Database
from checkpoints.locks import sole


async def got(database: Database, name: str) -> bool:
    """In a task that has nothing to do with this one: a task joins the transaction it was made in."""

    async def tried() -> bool:
        async with sole(database, name) as ours:
            return ours

    return await asyncio.create_task(tried(), context=Context())


async def test_only_one_is_inside_a_block_of_a_name(database_dsn: str) -> None:
    async with Database(database_dsn) as one, Database(database_dsn) as other:
        async with sole(one, "rescue a") as first:
            assert first
            assert not await got(other, "rescue a")
            assert await got(other, "rescue b")
        assert await got(other, "rescue a")


async def test_block_that_fails_is_left(database_dsn: str) -> None:
    async with Database(database_dsn) as one, Database(database_dsn) as other:
        with pytest.raises(LookupError):
            async with sole(one, "rescue a"):
                raise LookupError
        assert await got(other, "rescue a")
