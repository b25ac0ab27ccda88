"""Connections to the server, which ends each in its own time."""

from __future__ import annotations

import asyncio

from checkpoints.database import Database


async def disconnected(database: Database, owner: str) -> None:
    """Wait until the process of this name has no connection any more."""
    async with database.connection() as connection:
        while True:
            cursor = await connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE strpos(application_name, %s) > 0", (owner,)
            )
            if await cursor.fetchone() is None:
                return
            await asyncio.sleep(0.01)
