"""The effect log in Postgres: a key, what it was used with, and what came of it, in the effect's own transaction."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar
from uuid import UUID

import structlog
from pydantic import BaseModel

from checkpoints.calls import Lease, hold
from checkpoints.cipher import Cipher
from checkpoints.database import Connection, Database, storage_errors
from checkpoints.errors import EffectConflict

log = structlog.get_logger(__name__)
R = TypeVar("R", bound=BaseModel)


class Key(Protocol):
    """What a write happens under; `str(key)` is its whole identity."""

    @property
    def call_id(self) -> UUID: ...
    @property
    def turn(self) -> int: ...
    @property
    def effect(self) -> str: ...
    @property
    def seq(self) -> int: ...


class PostgresEffectLog:
    """Runs a write once per key."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    async def run_once(
        self,
        key: Key,
        arguments: BaseModel,
        perform: Callable[[], Awaitable[R]],
        result_type: type[R],
        lease: Lease,
    ) -> tuple[R, bool]:
        """The result, and whether the log already had it.

        The key is inserted first, so a second runner waits for the first one's commit and then reads its result.
        An exception from `perform` undoes everything, the key included.

        Raises:
            EffectConflict: the key was used with other arguments.
            LeaseLost: somebody else holds the call; nothing was done.
        """
        wanted = self._hash(arguments)
        async with storage_errors(), self._database.transaction() as connection:
            if not await self._begin(connection, key, wanted, lease):
                await hold(connection, lease)
                return await self._recorded(key, wanted, result_type), True
            result = await perform()
            await connection.execute(
                "WITH done AS (UPDATE effects SET status = 'done', done_at = now(), result = %(result)s "
                "WHERE key = %(key)s) "
                "INSERT INTO audit (action, call_id, effect_key) VALUES (%(effect)s, %(call)s, %(key)s)",
                {
                    "result": self._cipher.seal(result.model_dump_json().encode()),
                    "key": str(key),
                    "effect": key.effect,
                    "call": key.call_id,
                },
            )
        log.info("effect.committed", effect=key.effect, call_id=str(key.call_id), turn=key.turn)
        return result, False

    async def _begin(self, connection: Connection, key: Key, wanted: bytes, lease: Lease) -> bool:
        """Hold the call and insert the key, in one statement. False: another has the call, or the key is there."""
        cursor = await connection.execute(
            "WITH held AS (SELECT 1 FROM calls WHERE call_id = %(held)s AND lease_counter = %(counter)s FOR SHARE) "
            "INSERT INTO effects (key, call_id, turn, effect, seq, arguments_hash, status) "
            "SELECT %(key)s, %(call)s, %(turn)s, %(effect)s, %(seq)s, %(hash)s, 'begun' FROM held "
            "ON CONFLICT (key) DO NOTHING RETURNING 1",
            {
                "held": lease.call_id,
                "counter": lease.counter,
                "key": str(key),
                "call": key.call_id,
                "turn": key.turn,
                "effect": key.effect,
                "seq": key.seq,
                "hash": wanted,
            },
        )
        return await cursor.fetchone() is not None

    async def _recorded(self, key: Key, wanted: bytes, result_type: type[R]) -> R:
        async with self._database.connection() as connection:
            cursor = await connection.execute(
                "SELECT arguments_hash, result FROM effects WHERE key = %s", (str(key),)
            )
            row = await cursor.fetchone()
        if row is None or row["result"] is None or bytes(row["arguments_hash"]) != wanted:
            log.error("effect.conflict", effect=key.effect, call_id=str(key.call_id), turn=key.turn)
            raise EffectConflict
        return result_type.model_validate_json(self._cipher.open(bytes(row["result"])))

    async def recorded(self, key: Key, arguments: BaseModel, result_type: type[R]) -> R | None:
        """What came of a write that was performed; None when it was not. Nothing is done: for replays.

        Raises:
            EffectConflict: the key was used with other arguments.
        """
        if not await self.is_done(key):
            return None
        async with storage_errors():
            return await self._recorded(key, self._hash(arguments), result_type)

    async def is_done(self, key: Key) -> bool:
        """Was this write performed, whoever performed it?"""
        async with storage_errors(), self._database.connection() as connection:
            cursor = await connection.execute(
                "SELECT 1 FROM effects WHERE key = %s AND status = 'done'", (str(key),)
            )
            return await cursor.fetchone() is not None

    async def done(self, call_id: UUID) -> tuple[str, ...]:
        """Names of what was done in a call, in order."""
        async with storage_errors(), self._database.connection() as connection:
            cursor = await connection.execute(
                "SELECT effect FROM effects WHERE call_id = %s AND status = 'done' ORDER BY done_at",
                (call_id,),
            )
            return tuple(str(row["effect"]) for row in await cursor.fetchall())

    def _hash(self, arguments: BaseModel) -> bytes:
        """Keyed, so that an address cannot be guessed from it."""
        text = json.dumps(arguments.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return bytes.fromhex(self._cipher.keyed_hash(text))
