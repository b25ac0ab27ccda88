"""LangGraph's Postgres saver: encrypted, with declared types only, and without the lock that makes calls queue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, cast

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from psycopg import AsyncCursor
from psycopg.rows import DictRow
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


class TransactionSaver(AsyncPostgresSaver):
    """Writes into a transaction that is open already, in one pipeline with whatever else it holds."""

    def __init__(self, connection: Connection, serde: SerializerProtocol) -> None:
        super().__init__(connection, serde=serde)
        self.lock = _NoLock()  # type: ignore[assignment]


def open_saver(database: Database, cipher: Cipher, shape: StateShape) -> PooledSaver:
    """The saver of this process."""
    return PooledSaver(database, EncryptedSerializer(cipher, StrictSerializer(shape)))
