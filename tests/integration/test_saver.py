"""LangGraph's checkpoints in our Postgres: they conform, they come back equal, and nothing undeclared gets in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver, empty_checkpoint
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import ALL_CAPABILITIES, Capability
from pydantic import BaseModel

from checkpoints.cipher import Cipher
from checkpoints.database import Database
from checkpoints.errors import StorageError, UndeclaredType, WrongKey
from checkpoints.saver import open_saver
from graph.state import Case
from services import CHECKPOINTED, Services
from tests.company import Clock, company_services

#: LangGraph's Postgres saver has no way to do these, and nothing here needs them.
NOT_OFFERED = {Capability.COPY_THREAD, Capability.DELETE_FOR_RUNS}
TURNS = (
    "hi i moved and i need to change my address",
    "97301",
    "{code}",
    "fifty main street apartment four b",
    "what are your opening hours",
    "portland",
    "no, salem",
    "the zip is nine seven two oh five",
    "and please call me back tomorrow at ten",
    "yes",
    "je préfère parler français",
)


class Undeclared(BaseModel):
    name: str = "nobody declared me"


class UndeclaredWord(StrEnum):
    WORD = "word"


@dataclass
class UndeclaredPair:
    left: str = "left"


@pytest.mark.parametrize("capability", sorted(ALL_CAPABILITIES - NOT_OFFERED))
async def test_saver_conforms_to_langgraph(
    capability: Capability, database: Database, cipher: Cipher
) -> None:
    @checkpointer_test(name="holdfast")
    async def saver() -> AsyncIterator[BaseCheckpointSaver[str]]:
        yield open_saver(database, cipher, CHECKPOINTED)

    report = await validate(saver, capabilities={capability.value})

    result = report.results[capability.value]
    assert result.passed, result.failures
    assert result.tests_passed


@pytest.mark.parametrize(
    "value",
    [
        Undeclared(),
        [Undeclared()],
        {"one": Undeclared()},
        (Case(), [Undeclared()]),
        UndeclaredPair(),
        [UndeclaredWord.WORD],
    ],
    ids=["model", "in_list", "in_dict", "beside_declared", "dataclass", "enum"],
)
async def test_undeclared_class_is_refused_and_nothing_is_saved(
    value: object, database: Database, cipher: Cipher
) -> None:
    """Otherwise it would come back as something else, in the middle of somebody's call."""
    saver = open_saver(database, cipher, CHECKPOINTED)
    config = thread(str(uuid4()))
    with pytest.raises(UndeclaredType):
        await put(saver, config, "case", value)
    with pytest.raises(UndeclaredType):
        await saver.aput_writes(
            {"configurable": {**config["configurable"], "checkpoint_id": str(uuid4())}},
            [("case", value)],
            str(uuid4()),
        )
    assert await saver.aget_tuple(config) is None


async def test_state_of_a_long_call_comes_back_equal(
    database_copy: str, model_home: Path, clock: Clock
) -> None:
    async with company_services(database_copy, model_home, clock) as services:
        call = await services.answer("+15035550188", None)
        await call.begin()
        code = ""
        for words in TURNS:
            await call.hear(words.format(code=code))
            for notice in await services.sent_notices(call):
                code = notice.body.partition("code is ")[2][:6] or code
        await call.drop()
        kept = await in_memory(services, call)
        case = kept["case"]
        assert isinstance(case, Case)
        assert len(case.history) >= len(TURNS)
        assert case.stack

    async with company_services(database_copy, model_home, clock) as later:
        saved = await later.graph.aget_state(thread(str(call.record.call_id)))

    assert saved.values == kept
    assert all(type(saved.values[name]) is type(value) for name, value in kept.items())


async def test_checkpoint_is_read_with_the_key_it_was_written_with(
    database: Database, cipher: Cipher
) -> None:
    """After a new key was put in front, and never with another."""
    config = thread(str(uuid4()))
    await put(
        open_saver(database, Cipher({"old": b"o" * 32}), CHECKPOINTED), config, "case", Case()
    )

    rotated = await open_saver(database, cipher, CHECKPOINTED).aget_tuple(config)
    assert rotated is not None
    assert rotated.checkpoint["channel_values"]["case"] == Case()

    with pytest.raises(WrongKey):
        await open_saver(database, Cipher({"old": b"x" * 32}), CHECKPOINTED).aget_tuple(config)


async def test_driver_errors_stop_at_the_saver(database: Database, cipher: Cipher) -> None:
    """Their text may quote what was to be saved."""
    saver = open_saver(database, cipher, CHECKPOINTED)
    async with database.connection() as connection:
        await connection.execute("DROP TABLE checkpoints, checkpoint_blobs, checkpoint_writes")

    with pytest.raises(StorageError, match="SQLSTATE 42P01"):
        await saver.aget_tuple(thread(str(uuid4())))
    with pytest.raises(StorageError, match="SQLSTATE 42P01"):
        await put(saver, thread(str(uuid4())), "case", Case())


def thread(thread_id: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}


async def put(
    saver: BaseCheckpointSaver[str], config: dict[str, Any], channel: str, value: object
) -> None:
    """One checkpoint with one channel."""
    checkpoint = empty_checkpoint()
    version = saver.get_next_version(None, None)
    checkpoint["channel_values"] = {channel: value}
    checkpoint["channel_versions"] = {channel: version}
    await saver.aput(config, checkpoint, {}, {channel: version})


async def in_memory(services: Services, call: Any) -> dict[str, Any]:
    """The call's state as the process that ran it has it, never serialised."""
    graph = services.graph.copy(update={"checkpointer": call.memory})
    snapshot = await graph.aget_state(thread(str(call.record.call_id)))
    values: dict[str, Any] = snapshot.values
    return values
