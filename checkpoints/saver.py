"""LangGraph's Postgres saver: encrypted, with declared types only, and without the lock that makes calls queue."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, cast

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from psycopg import AsyncCursor
from psycopg.abc import Params, Query, QueryNoTemplate
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from checkpoints.cipher import Cipher
from checkpoints.database import Connection, Database, storage_errors
from checkpoints.serializer import StateShape, StrictSerializer


class _NoLock:
    """The saver holds one lock around every statement, even with a pool (langgraph issue 7259): 100 calls queue."""

    async def __aenter__(self) -> None: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class PooledSaver(AsyncPostgresSaver):
    """One saver for all calls of a process. A pool serialises for itself."""

    def __init__(self, database: Database, serde: EncryptedSerializer) -> None:
        super().__init__(cast("AsyncConnectionPool[Any]", database.pool), serde=serde)
        self.lock = _NoLock()  # type: ignore[assignment]

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        async with storage_errors(), super()._cursor(pipeline=pipeline) as cursor:
            yield cursor


#: The placeholders of one row.
ROW = re.compile(r"\((?:%s,\s*)*%s\)")


class _AllAtOnce(AsyncCursor[DictRow]):
    """`executemany` as one statement of many rows: no pipeline, and no round trip for each row."""

    async def executemany(
        self,
        query: Query,
        params_seq: Iterable[Params],
        *,
        returning: bool = False,  # noqa: ARG002 - psycopg's signature
    ) -> None:
        rows = [tuple(cast("Sequence[object]", row)) for row in params_seq]
        if not rows:
            return
        many = ROW.sub(lambda one: ", ".join([one[0]] * len(rows)), cast("str", query), count=1)
        await self.execute(cast("QueryNoTemplate", many), [value for row in rows for value in row])


class TransactionSaver(AsyncPostgresSaver):
    """Writes into a transaction that is open already, and never in a pipeline.

    A worker that is frozen, or cut off, in the middle of a pipeline keeps its locks: to the server it is not idle, so
    idle_in_transaction_session_timeout never ends it, and nobody could write the turn or take the call over.
    """

    def __init__(self, connection: Connection, serde: SerializerProtocol) -> None:
        super().__init__(connection, serde=serde)
        self._connection = connection

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:  # noqa: ARG002
        async with _AllAtOnce(self._connection, row_factory=dict_row) as cursor:
            yield cursor


def open_saver(database: Database, cipher: Cipher, shape: StateShape) -> PooledSaver:
    """The saver of this process."""
    return PooledSaver(database, EncryptedSerializer(cipher, StrictSerializer(shape)))
