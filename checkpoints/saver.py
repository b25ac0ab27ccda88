"""LangGraph's Postgres saver: encrypted, with declared types only, and without the lock that makes calls queue."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import BaseModel

from checkpoints.cipher import Cipher
from checkpoints.database import Database
from checkpoints.errors import UndeclaredType


class StrictSerializer(JsonPlusSerializer):
    """Refuses to save what it would not load: LangGraph's own strict mode turns it into a dict without a word."""

    def __init__(self, declared: Sequence[type]) -> None:
        super().__init__(
            allowed_msgpack_modules=[(one.__module__, one.__name__) for one in declared]
        )
        self._declared = frozenset(declared)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        if isinstance(obj, BaseModel) and type(obj) not in self._declared:
            raise UndeclaredType
        return super().dumps_typed(obj)


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


def open_saver(database: Database, cipher: Cipher, declared: Sequence[type]) -> PooledSaver:
    """The saver of this process.

    Args:
        declared: our classes that a checkpoint may hold, at the top of a channel or as an enum inside.
    """
    return PooledSaver(database, EncryptedSerializer(cipher, StrictSerializer(declared)))
