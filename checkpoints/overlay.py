"""Checkpoints kept in memory on top of another saver: reads fall through, writes stay here.

What a turn that may be discarded writes to, what a call's memory is made of, and what a replay in Studio is
confined to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    PendingWrite,
    copy_checkpoint,
    get_checkpoint_id,
    get_checkpoint_metadata,
)

Place = tuple[str, str]  # thread id, namespace


@dataclass(frozen=True)
class Put:
    """One call of `aput`, as it came."""

    config: RunnableConfig
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    new_versions: ChannelVersions


@dataclass(frozen=True)
class PutWrites:
    """One call of `aput_writes`, as it came."""

    config: RunnableConfig
    writes: tuple[tuple[str, Any], ...]
    task_id: str
    task_path: str


@dataclass(frozen=True)
class _Write:
    task_path: str
    task_id: str
    index: int
    pending: PendingWrite


class Overlay(BaseCheckpointSaver[str]):
    """A saver whose writes stay in memory. Reads see them first, then what is underneath.

    Values are kept as they are, not serialised: state is frozen models and primitives.
    """

    def __init__(self, under: BaseCheckpointSaver[str]) -> None:
        super().__init__(serde=under.serde)
        self.under = under
        self.log: list[Put | PutWrites] = []  #: everything written, in order
        self._tuples: dict[Place, dict[str, CheckpointTuple]] = {}
        self._writes: dict[tuple[str, str, str], dict[tuple[str, int], _Write]] = {}
        self._deleted: set[str] = set()

    def with_allowlist(self, extra_allowlist: object) -> Self:  # noqa: ARG002 - LangGraph's signature
        """The declared types are the saver's own (services.CHECKPOINTED); a clone would lose what is buffered."""
        return self

    def get_next_version(self, current: str | None, channel: None) -> str:
        return self.under.get_next_version(current, channel)

    # Reading ------------------------------------------------------------------------------------------

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        place = _place(config)
        checkpoint_id = get_checkpoint_id(config)
        mine = self._tuples.get(place, {})
        if checkpoint_id is None:
            newest = max(mine, default=None)
            below = await self._below(config, place)
            if newest is None or (below is not None and _id(below) > newest):
                return self._with_writes(below)
            return self._with_writes(mine[newest])
        if checkpoint_id in mine:
            return self._with_writes(mine[checkpoint_id])
        return self._with_writes(await self._below(config, place))

    async def _below(self, config: RunnableConfig, place: Place) -> CheckpointTuple | None:
        return None if place[0] in self._deleted else await self.under.aget_tuple(config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        found = {
            (*_place(one.config), _id(one)): one
            for one in self._mine(config)
            if _wanted(one, filter, before)
        }
        async for below in self.under.alist(config, filter=filter, before=before, limit=limit):  # type: ignore[arg-type]
            place = _place(below.config)
            if place[0] not in self._deleted:
                found.setdefault((*place, _id(below)), below)
        newest_first = sorted(found.values(), key=_id, reverse=True)
        for one in newest_first[:limit]:
            whole = self._with_writes(one)
            if whole is not None:
                yield whole

    def _mine(self, config: RunnableConfig | None) -> list[CheckpointTuple]:
        asked = config["configurable"] if config else {}
        checkpoint_id = get_checkpoint_id(config) if config else None
        return [
            one
            for (thread_id, namespace), tuples in self._tuples.items()
            if asked.get("thread_id", thread_id) == thread_id
            and asked.get("checkpoint_ns", namespace) == namespace
            for one in tuples.values()
            if checkpoint_id in (None, _id(one))
        ]

    def _with_writes(self, one: CheckpointTuple | None) -> CheckpointTuple | None:
        """The tuple with the writes kept here, in LangGraph's order (task path, task, index).

        A copy: a run counts versions in the checkpoint it was given.
        """
        if one is None:
            return None
        one = one._replace(checkpoint=copy_checkpoint(one.checkpoint))
        mine = self._writes.get((*_place(one.config), _id(one)))
        if not mine:
            return one
        ordered = sorted(mine.values(), key=lambda kept: (kept.task_path, kept.task_id, kept.index))
        pending = [*(one.pending_writes or []), *(kept.pending for kept in ordered)]
        return one._replace(pending_writes=pending)

    # Writing ------------------------------------------------------------------------------------------

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        put = Put(config, copy_checkpoint(checkpoint), metadata, new_versions)
        self.log.append(put)
        return self._keep(put)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        put = PutWrites(config, tuple(writes), task_id, task_path)
        self.log.append(put)
        self._keep_writes(put)

    async def adelete_thread(self, thread_id: str) -> None:
        """Out of sight from here; what is underneath stays as it is."""
        self._deleted.add(thread_id)
        self.log[:] = [one for one in self.log if _place(one.config)[0] != thread_id]
        for place in [place for place in self._tuples if place[0] == thread_id]:
            del self._tuples[place]
        for key in [key for key in self._writes if key[0] == thread_id]:
            del self._writes[key]

    def absorb(self, other: Overlay) -> None:
        """Take over all that another overlay, forked from this one, has written."""
        for one in other.log:
            self.log.append(one)
            if isinstance(one, Put):
                self._keep(one)
            else:
                self._keep_writes(one)

    def _keep(self, put: Put) -> RunnableConfig:
        place = _place(put.config)
        checkpoint_id = put.checkpoint["id"]
        config = _config(place, checkpoint_id)
        parent = get_checkpoint_id(put.config)
        self._tuples.setdefault(place, {})[checkpoint_id] = CheckpointTuple(
            config=config,
            checkpoint=put.checkpoint,
            metadata=get_checkpoint_metadata(put.config, put.metadata),
            parent_config=_config(place, parent) if parent else None,
            pending_writes=[],
        )
        return config

    def _keep_writes(self, put: PutWrites) -> None:
        key = (*_place(put.config), get_checkpoint_id(put.config) or "")
        kept = self._writes.setdefault(key, {})
        for position, (channel, value) in enumerate(put.writes):
            index = WRITES_IDX_MAP.get(channel, position)
            if index >= 0 and (put.task_id, index) in kept:
                continue
            pending = (put.task_id, channel, value)
            kept[put.task_id, index] = _Write(put.task_path, put.task_id, index, pending)


def _place(config: RunnableConfig) -> Place:
    configurable = config["configurable"]
    return str(configurable["thread_id"]), configurable.get("checkpoint_ns", "")


def _id(one: CheckpointTuple) -> str:
    return one.checkpoint["id"]


def _config(place: Place, checkpoint_id: str) -> RunnableConfig:
    thread_id, namespace = place
    configurable = {
        "thread_id": thread_id,
        "checkpoint_ns": namespace,
        "checkpoint_id": checkpoint_id,
    }
    return {"configurable": configurable}


def _wanted(
    one: CheckpointTuple, wanted: Mapping[str, Any] | None, before: RunnableConfig | None
) -> bool:
    limit = get_checkpoint_id(before) if before else None
    if limit is not None and _id(one) >= limit:
        return False
    metadata: Mapping[str, Any] = one.metadata
    return all(metadata.get(key) == value for key, value in (wanted or {}).items())
