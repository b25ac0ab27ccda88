"""Where LangGraph Studio keeps what is run in it: replays in memory, over the calls; or, when told to, in the calls."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

from checkpoints.calls import CallRegister
from checkpoints.database import Database
from checkpoints.overlay import Overlay
from checkpoints.saver import PooledSaver

SECONDS_BACK = "seconds_back"  #: how far the call's clock was behind when the checkpoint was made
PLACE = ("thread_id", "checkpoint_ns", "checkpoint_id")
METADATA = frozenset(
    {"source", "step", "parents", "run_id", "graph_id", "assistant_id", SECONDS_BACK}
)


class Replays(Overlay):
    """Checkpoints of replays, over those of the calls. Deleting a thread forgets its replays, and no call.

    What could not be saved in a call is refused here, too: whoever changes the state learns it in Studio.
    """

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        for value in checkpoint["channel_values"].values():
            self.serde.dumps_typed(value)
        return await super().aput(bare(config), checkpoint, impersonal(metadata), new_versions)

    async def adelete_thread(self, thread_id: str) -> None:
        await super().adelete_thread(thread_id)
        self._deleted.discard(thread_id)


class KeptCalls(PooledSaver):
    """The calls' own checkpoints. Deleting a thread deletes no call: retention and erasure do."""

    def __init__(self, database: Database, saver: PooledSaver, register: CallRegister) -> None:
        super().__init__(database, cast("EncryptedSerializer", saver.serde))
        self._register = register

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        return await super().aput(bare(config), checkpoint, impersonal(metadata), new_versions)

    async def adelete_thread(self, thread_id: str) -> None:
        if await self._register.find(UUID(thread_id)) is None:
            await super().adelete_thread(thread_id)


def bare(config: RunnableConfig) -> RunnableConfig:
    """Where a checkpoint goes, and nothing more: LangGraph copies the rest into readable metadata."""
    given = config["configurable"]
    return {"configurable": {name: given[name] for name in PLACE if name in given}}


def impersonal(metadata: CheckpointMetadata) -> CheckpointMetadata:
    """The server mirrors a run's context, the caller's number with it, into metadata, which is not encrypted."""
    kept = {name: value for name, value in metadata.items() if name in METADATA}
    return cast("CheckpointMetadata", kept)
