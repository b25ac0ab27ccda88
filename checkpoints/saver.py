"""LangGraph's Postgres saver: encrypted, with declared types only, and without the lock that makes calls queue."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import is_dataclass
from enum import Enum
from types import TracebackType
from typing import Any

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg import AsyncCursor
from psycopg.rows import DictRow
from pydantic import BaseModel

from checkpoints.cipher import Cipher
from checkpoints.database import Connection, Database, storage_errors
from checkpoints.errors import UndeclaredType


class StrictSerializer(JsonPlusSerializer):
    """Refuses to save what it would not load: LangGraph's own strict mode turns it into a dict without a word."""

    def __init__(self, declared: Sequence[type]) -> None:
        super().__init__(
            allowed_msgpack_modules=[(one.__module__, one.__name__) for one in declared]
        )
        self._declared = frozenset(declared)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        if not self._declared.issuperset(_our_classes(obj)):
            raise UndeclaredType
        return super().dumps_typed(obj)


def _our_classes(value: object) -> Iterator[type]:
    """Classes a value would be loaded as by name. What is inside a model comes back through the model's own fields."""
    if isinstance(value, BaseModel | Enum) or (is_dataclass(value) and not isinstance(value, type)):
        if not type(value).__module__.startswith(("langgraph.", "langchain_core.")):
            yield type(value)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _our_classes(one)
    elif isinstance(value, list | tuple | deque | set | frozenset):
        for one in value:
            yield from _our_classes(one)


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
        super().__init__(database.pool, serde=serde)
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


def open_saver(database: Database, cipher: Cipher, declared: Sequence[type]) -> PooledSaver:
    """The saver of this process.

    Args:
        declared: our classes that a checkpoint may hold, at the top of a channel or as an enum inside.
    """
    return PooledSaver(database, EncryptedSerializer(cipher, StrictSerializer(declared)))
