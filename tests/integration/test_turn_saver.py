"""One call's write-behind memory on real Postgres: what is committed is there whole, what is discarded never was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.conformance import checkpointer_test, validate
from pydantic import BaseModel

from checkpoints.calls import Lease
from checkpoints.database import Database
from checkpoints.errors import LeaseLost, StorageError, TurnSuperseded
from checkpoints.turn_saver import TurnSaver
from conversation import Conversation
from graph.state import CallState
from services import Services
from tests.company import Clock, company_services
from tests.integration.dumps import rows_of

JANE = "+15035550127"


@pytest.fixture
async def call(services: Services) -> Conversation:
    """Jane's call, greeted."""
    call = await services.answer(JANE, None)
    await call.begin()
    return call


def thread(call: Conversation) -> dict[str, Any]:
    return {"configurable": {"thread_id": str(call.record.call_id), "checkpoint_ns": ""}}


async def stored_state(services: Services, call: Conversation) -> CallState:
    """The newest state as another process would read it."""
    snapshot = await services.graph.aget_state(call.config)
    state: CallState = snapshot.values
    return state


@asynccontextmanager
async def counted(database: Database) -> AsyncIterator[list[str]]:
    """Statements of this process while it lasts."""
    seen: list[str] = []
    real = database.pool.connection

    @asynccontextmanager
    async def connection(*given: Any, **named: Any) -> AsyncIterator[Any]:
        seen.append("checkout")
        async with real(*given, **named) as lent:
            yield lent

    database.pool.connection = connection  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        database.pool.connection = real  # type: ignore[method-assign]


# What a checkpointer must do ---------------------------------------------------------------------------------


async def test_a_turns_fork_is_a_checkpointer_by_langgraphs_own_suite(services: Services) -> None:
    call = await services.answer(None, "en")

    @checkpointer_test(name="turn of a TurnSaver")
    async def fork() -> AsyncIterator[BaseCheckpointSaver[str]]:
        yield call.memory.fork()

    report = await validate(fork)
    assert report.results
    failures = {name: one.failures for name, one in report.results.items() if one.failures}
    assert not failures
    passed = {name for name, one in report.results.items() if one.passed}
    assert passed >= {"put", "put_writes", "get_tuple", "list", "delete_thread"}


async def test_what_memory_says_is_what_another_process_reads(
    services: Services, call: Conversation
) -> None:
    for words in ("i need to change my address", "97205", "what is your return policy"):
        await call.hear(words)
    await call.memory.durable(5)
    in_memory = await call.memory.aget_tuple(thread(call))
    stored = await services.saver.aget_tuple(thread(call))
    assert in_memory is not None
    assert stored is not None
    assert in_memory.checkpoint == stored.checkpoint
    assert in_memory.config == stored.config
    assert in_memory.metadata == stored.metadata


async def test_every_turn_has_its_checkpoint_and_they_form_one_chain(
    services: Services, call: Conversation
) -> None:
    for words in ("hello", "where is my order", "97205"):
        await call.hear(words)
    history = [one async for one in services.saver.alist(thread(call))]
    assert len(history) == 4
    ids = [one.checkpoint["id"] for one in history]
    parents = [
        one.parent_config["configurable"]["checkpoint_id"] if one.parent_config else None
        for one in history
    ]
    assert parents == [*ids[1:], None]


# Speculation -------------------------------------------------------------------------------------------------


async def test_discarded_speculation_leaves_no_row_no_effect_and_no_memory(
    services: Services, call: Conversation
) -> None:
    await call.hear("where is my order")
    before, head = await rows_of(services.database), call.memory.head
    turn = call.start(call.spoken("nine seven two oh five"))
    heard = [words.say async for words in turn.words()]
    assert heard
    await turn.discard()
    assert await rows_of(services.database) == before
    assert call.memory.head == head
    reply = await call.hear("what did you say")
    assert reply.asks == "identity.fact"
    assert reply.verified == 0


async def test_speculative_wrong_detail_is_not_counted_until_it_was_really_said(
    services: Services, call: Conversation
) -> None:
    await call.hear("where is my order")
    before = await rows_of(services.database)
    turn = call.start(call.spoken("my zip is one one one one one"))
    await asyncio.wait({asyncio.ensure_future(anext(aiter(turn.words())))}, timeout=0.5)
    await turn.discard()
    assert await rows_of(services.database) == before


async def test_speculative_yes_performs_nothing_until_confirmed(
    services: Services, call: Conversation
) -> None:
    await at_callback_read_back(call)
    before = await rows_of(services.database)
    turn = call.start(call.spoken("yes"))
    words = asyncio.ensure_future(anext(aiter(turn.words())))
    done, _ = await asyncio.wait({words}, timeout=0.5)
    assert not done, "a booking was announced before it was confirmed"
    assert await rows_of(services.database) == before
    turn.confirm()
    reply = await turn.reply()
    assert reply.did == ("book_callback",)
    assert len((await services.company.snapshot())["callbacks"]) == 1
    words.cancel()


async def test_two_speculations_on_one_turn_only_one_is_remembered(call: Conversation) -> None:
    first = call.start(call.spoken("where is my order"))
    second = call.start(call.spoken("i want to change my phone number"))
    second.confirm()
    assert (await second.reply()).flow == "update_phone"
    first.confirm()
    with pytest.raises(TurnSuperseded):
        await first.reply()
    assert (await call.hear("what did you say")).flow == "update_phone"


async def test_cancelled_turn_leaves_no_orphan_write(
    services: Services, call: Conversation
) -> None:
    before, head = await rows_of(services.database), call.memory.head
    for pause in range(0, 5000, 41):
        speaking = asyncio.ensure_future(call.hear("thank you so much"))
        for _ in range(pause):
            await asyncio.sleep(0)
        speaking.cancel()
        await asyncio.wait({speaking})
        if call.memory.head != head:
            break  # it was committed before the cancellation came
        assert speaking.cancelled()
        await call.memory.durable(5)
        assert await rows_of(services.database) == before
    assert pause, "no turn was cancelled"
    await call.memory.durable(5)
    assert (await stored_state(services, call))["turn"] == 2


# First words wait for nobody ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", ["thank you so much", "hold on a second", "what did you say", "fifty main street"]
)
async def test_no_round_trip_stands_before_the_first_words(
    services: Services, call: Conversation, words: str
) -> None:
    """Only a look-up in the company's systems may: what the call itself is, is in memory."""
    await call.hear("call me back please")
    async with counted(services.database) as seen:
        turn = call.start(call.spoken(words))
        async for _ in turn.words():
            break
        assert seen == []
        turn.confirm()
        await turn.reply()
        assert seen, "the turn was committed"


# One writer --------------------------------------------------------------------------------------------------


async def test_a_worker_that_lost_its_lease_cannot_commit(
    services: Services, call: Conversation
) -> None:
    await services.register.take_over(call.record.call_id)
    before = await rows_of(services.database)
    with pytest.raises(LeaseLost):
        await heard_and_written(call, "where is my order")
    assert await rows_of(services.database) == before


async def test_a_worker_that_lost_its_lease_cannot_perform_an_effect(
    services: Services, call: Conversation
) -> None:
    await at_callback_read_back(call)
    await services.register.take_over(call.record.call_id)
    before = await rows_of(services.database)
    with pytest.raises(LeaseLost):
        await heard_and_written(call, "yes")
    assert not (await services.company.snapshot())["callbacks"]
    assert await rows_of(services.database) == before


async def test_lease_whose_time_ran_out_is_not_lost_until_somebody_takes_it(
    services: Services, call: Conversation, clock: Clock
) -> None:
    clock.move("2m")
    await services.register.mark_interrupted()
    record = await services.register.get(str(call.record.call_id))
    assert record.state == "interrupted"
    await call.hear("where is my order")
    assert (await services.register.get(str(call.record.call_id))).state == "live"


async def test_a_call_taken_over_elsewhere_goes_on_where_it_was(
    services: Services, call: Conversation, clock: Clock, database_copy: str, model_home: Path
) -> None:
    await call.hear("i moved i need to change my address")
    clock.move("1m")
    async with company_services(database_copy, model_home, clock) as elsewhere:
        again = await elsewhere.answer(JANE, None)
        assert again.record.call_id == call.record.call_id
        assert (await again.begin()).asks == "resume.continue"
        with pytest.raises(LeaseLost):
            await heard_and_written(call, "97205")
        assert (await again.hear("yes")).asks == "identity.fact"


async def test_a_turn_that_can_never_be_written_does_not_keep_the_next_ones_from_it(
    services: Services, call: Conversation
) -> None:
    newest = await call.memory.aget_tuple(thread(call))
    assert newest is not None
    checkpoint = {**newest.checkpoint, "id": "9" * 8}
    checkpoint["channel_values"] = {**newest.checkpoint["channel_values"], "case": Undeclared()}
    call.memory._waiting.append(partial(_saved, call, checkpoint))
    await call.hear("where is my order")
    await call.memory.durable(10)
    state = await stored_state(services, call)
    assert (state["turn"], state["asks"]) == (2, "identity.fact")


class Undeclared(BaseModel):
    """Nobody said that a checkpoint may hold it."""


async def _saved(call: Conversation, checkpoint: Any) -> None:
    await call.memory.under.aput(thread(call), checkpoint, {}, {"case": "9"})


# Misuse ------------------------------------------------------------------------------------------------------


async def test_memory_itself_is_not_written_to(services: Services, call: Conversation) -> None:
    with pytest.raises(StorageError, match="fork"):
        await call.memory.aput_writes(thread(call), [("x", 1)], "task")


async def test_memory_that_was_not_loaded_gives_no_turns(services: Services) -> None:
    call = await services.answer(JANE, None)
    unread = TurnSaver(
        services.saver,
        services.database,
        services.register,
        Lease(call_id=call.record.call_id, counter=1),
    )
    with pytest.raises(StorageError, match="load"):
        unread.fork()


async def heard_and_written(call: Conversation, words: str) -> None:
    """A turn, and its commit."""
    await call.hear(words)
    await call.memory.durable(30)


async def at_callback_read_back(call: Conversation) -> None:
    for words in ("call me back please", "about a return", "yes", "tomorrow at ten"):
        reply = await call.hear(words)
    assert reply.asks == "callback.confirm", reply
