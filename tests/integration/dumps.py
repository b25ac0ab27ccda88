"""Every row of every table, to compare before and after."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from checkpoints.database import Database

#: The lease's time moves with the heartbeat: no trace of a turn.
MOVES = {("public", "calls"): {"lease_expires_at"}}


async def rows_of(database: Database) -> dict[str, list[Any]]:
    """Rows by table of all schemas of ours, in a fixed order."""
    async with database.connection() as connection:
        cursor = await connection.execute(
            "SELECT schemaname, tablename FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
        )
        tables = [(row["schemaname"], row["tablename"]) for row in await cursor.fetchall()]
        found: dict[str, list[Any]] = {}
        for schema, table in tables:
            query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table))
            cursor = await connection.execute(query)
            left_out = MOVES.get((schema, table), set())
            rows = [
                {key: value for key, value in row.items() if key not in left_out}
                for row in await cursor.fetchall()
            ]
            found[f"{schema}.{table}"] = sorted(rows, key=repr)
    return found
