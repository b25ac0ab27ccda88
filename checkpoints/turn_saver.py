"""TurnSaver: one call's write-behind memory.

Reads come from memory after the first. A turn runs on a fork; confirmed, it is committed behind the words in one
transaction (checkpoint rows, register row, with the lease counter checked); discarded, it never was.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
)

from checkpoints.calls import CallRegister, Lease, TurnRecord
from checkpoints.database import Database, storage_errors
from checkpoints.errors import (
    LeaseLost,
    StateUnreadable,
    StorageDown,
    StorageError,
    TurnSuperseded,
    UndeclaredType,
)
from checkpoints.overlay import Overlay, Place, Put, PutWrites
from checkpoints.saver import TransactionSaver
from deadline import bounded

log = structlog.get_logger(__name__)
WRITE_SECONDS = 3.0  # one attempt to commit a turn; after it the connection is given up
PAUSES = (0.1, 0.2, 0.5)  # seconds between attempts; the last one goes on


Write = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class _Confirmed:
    """A turn that waits to be written."""

    log: tuple[Put | PutWrites, ...]
    record: TurnRecord


class TurnSaver(Overlay):
    """The memory of one call. The graph is given `fork()`s of it, one for each turn."""

    def __init__(
        self,
        saver: BaseCheckpointSaver[str],
        database: Database,
        register: CallRegister,
        lease: Lease,
        *,
        fresh: bool = False,
    ) -> None:
        """
        Args:
            fresh: the call has just begun, so there is nothing to read.
        """
        super().__init__(saver)
        self.lease = lease
        self._place: Place = (str(lease.call_id), "")
        self._database = database
        self._register = register
        self._loaded = fresh
        self._waiting: deque[Write] = deque()  # what is to be written, in order
        self._written = asyncio.Event()
        self._written.set()
        self._writer: asyncio.Task[None] | None = None
        self.lost = False  #: somebody else holds the call

    @property
    def behind(self) -> bool:
        """Is a turn before the last one still waiting for the database?"""
        return len(self._waiting) > 1

    @property
    def head(self) -> str | None:
        """Id of the newest checkpoint in memory."""
        return max(self._tuples.get(self._place, {}), default=None)

    async def load(self) -> None:
        """Read the call's newest checkpoint, once: the only time a call waits for the database to know itself.

        Raises:
            StorageError
        """
        if self._loaded:
            return
        thread_id, namespace = self._place
        async with storage_errors():
            newest = await self.under.aget_tuple(
                {"configurable": {"thread_id": thread_id, "checkpoint_ns": namespace}}
            )
        if newest is not None:
            self._tuples.setdefault(self._place, {})[newest.checkpoint["id"]] = newest
        self._loaded = True

    def fork(self) -> Turn:
        """A buffer for one turn, speculative until committed.

        Raises:
            StorageError: the memory was not loaded.
        """
        if not self._loaded:
            msg = "the call's memory must be loaded before its turns: use load()"
            raise StorageError(msg)
        return Turn(self)

    async def _below(self, config: RunnableConfig, place: Place) -> CheckpointTuple | None:
        if place == self._place and get_checkpoint_id(config) is None:
            await self.load()
            return None
        return await super()._below(config, place)

    async def durable(self, seconds: float) -> None:
        """Wait until every confirmed turn is in the database.

        Raises:
            LeaseLost: it will never be.
            StorageDown: not within the time; it goes on being tried.
        """
        if not self._written.is_set():
            try:
                await bounded(self._written.wait(), seconds)
            except TimeoutError:
                raise StorageDown from None
        if self.lost:
            raise LeaseLost

    async def close(self, seconds: float) -> bool:
        """Try for so long to write what is waiting, then stop trying. Was everything written?"""
        with suppress(StorageError):
            await self.durable(seconds)
        if self._writer is not None:
            self._writer.cancel()
        self._register.let_go(self.lease)
        if self._waiting:
            log.error("turns.unwritten", call_id=self._place[0], count=len(self._waiting))
        return not self._waiting and not self.lost

    def leave(self, change: Callable[[Lease], Coroutine[Any, Any, None]]) -> None:
        """What the register is to say of the call's end: written behind its turns, and tried as long as they are."""
        if not self.lost:
            self._write_later(partial(change, self.lease))

    # A turn's end -------------------------------------------------------------------------------------

    def take(self, turn: Turn, record: TurnRecord) -> None:
        """What the turn wrote is the call's memory now, and will be in the database.

        Raises:
            LeaseLost, TurnSuperseded: nothing was taken.
        """
        if self.lost:
            raise LeaseLost
        if turn.forked_from != self.head:
            raise TurnSuperseded
        self._write_later(partial(self._write, _Confirmed(tuple(turn.log), record)))
        self.absorb(turn)
        self.log.clear()  # what is to be written stands in _waiting
        self._forget_older()

    def _write_later(self, write: Write) -> None:
        self._waiting.append(write)
        self._written.clear()
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_behind(), name="write-behind")

    def _forget_older(self) -> None:
        head = self.head
        kept = self._tuples.get(self._place, {})
        for checkpoint_id in [one for one in kept if one != head]:
            del kept[checkpoint_id]
            self._writes.pop((*self._place, checkpoint_id), None)

    async def _write_behind(self) -> None:
        """Write what is waiting in order, again and again while the database is away."""
        failures = 0
        while self._waiting:
            try:
                await bounded(self._waiting[0](), WRITE_SECONDS)
            except LeaseLost:
                self._lose()
                return
            except (StateUnreadable, UndeclaredType, ValueError, TypeError) as error:
                # It can never be written. The next turn's checkpoint holds all that this one did.
                kind = type(error).__name__  # its text may hold what was said
                log.error("turn.unwritable", call_id=self._place[0], error_type=kind)  # noqa: TRY400
            except (StorageError, TimeoutError):
                log.warning("turns.waiting", call_id=self._place[0], count=len(self._waiting))
                await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1
                continue
            failures = 0
            self._waiting.popleft()
        self._written.set()

    def _lose(self) -> None:
        log.warning("lease.lost", call_id=self._place[0], count=len(self._waiting))
        self.lost = True
        self._register.let_go(self.lease)
        self._waiting.clear()
        self._written.set()

    async def _write(self, turn: _Confirmed) -> None:
        async with storage_errors(), self._database.transaction() as connection:
            if not await self._register.write_turn(connection, self.lease, turn.record):
                return
            saver = TransactionSaver(connection, self.serde)
            for one in turn.log:
                await _rewrite(saver, one)

    # A fork is written to, never the call's memory itself -----------------------------------------------

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        raise StorageError(_NOT_HERE)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        raise StorageError(_NOT_HERE)

    async def adelete_thread(self, thread_id: str) -> None:
        raise StorageError(_NOT_HERE)


_NOT_HERE = "a turn is written to a fork of the call's memory: use fork()"


class Turn(Overlay):
    """The checkpointer of one turn. `commit()` makes it the call's memory, `discard()` makes it never have been."""

    under: TurnSaver

    def __init__(self, memory: TurnSaver) -> None:
        super().__init__(memory)
        self.under = memory
        self.forked_from = memory.head
        self.ended = False

    def commit(self, record: TurnRecord) -> None:
        """Raises LeaseLost, TurnSuperseded: nothing was kept."""
        if self.ended:
            raise TurnSuperseded
        self.under.take(self, record)
        self.ended = True

    def discard(self) -> None:
        self.ended = True
        self.log.clear()

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """A run cancelled while it saved goes on saving by itself (notes of langgraph 1.2): too late is nowhere."""
        if self.ended:
            return config
        return await super().aput(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        if not self.ended:
            await super().aput_writes(config, writes, task_id, task_path)


async def _rewrite(saver: BaseCheckpointSaver[str], one: Put | PutWrites) -> None:
    if isinstance(one, Put):
        await saver.aput(one.config, one.checkpoint, one.metadata, one.new_versions)
    else:
        await saver.aput_writes(one.config, one.writes, one.task_id, one.task_path)
