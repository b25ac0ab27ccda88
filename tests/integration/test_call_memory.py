"""A caller, two workers, and everything that can happen to a call's memory in any order, held against a model of it.

Turns, barge-ins, discarded speculation, drops, calls taken up again, take-overs and crashes at any point of a turn.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from checkpoints.errors import LeaseLost
from conversation import Conversation, Reply
from graph.state import CallState
from services import Services
from tests.company import Clock, company_services
from tests.upgrades.calls import given_in

T = TypeVar("T")
NUMBER = "+15035550199"
ADDRESSES = (
    ("fifty main street", "portland", "oregon", "97205"),
    ("nine birch road", "eugene", "oregon", "97401"),
)
DIGRESSIONS = (
    "what are your opening hours",
    "what did you say",
    "hold on a second",
    "thank you",
    "um",
    "i need to change my address",
    "call me back please",
    "no",
    "never mind",
)


class World:
    """Two workers on one database, and a clock."""

    def __init__(self, dsn: str, home: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = Clock()
        self._stack = AsyncExitStack()
        self.workers = [
            self.run(self._stack.enter_async_context(company_services(dsn, home, self.clock)))
            for _ in range(2)
        ]

        for task in asyncio.all_tasks(self.loop):
            if task.get_name() == "leases":
                task.cancel()  # a worker that is frozen renews nothing

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def close(self) -> None:
        self.run(self._stack.aclose())
        self.loop.close()

    async def begin_anew(self) -> None:
        """The next example starts with no call open and nobody locked out."""
        async with self.workers[0].database.connection() as connection:
            await connection.execute("UPDATE calls SET state = 'closed', lease_owner = NULL")
            await connection.execute("DELETE FROM company.identity_failures")


class CallMemory(RuleBasedStateMachine):
    """What the caller was told is what is remembered, once; nobody who lost the call changes it."""

    world: World

    @initialize()
    def rings(self) -> None:
        self.world.run(self.world.begin_anew())
        self.code = ""
        self.lost: list[Conversation] = []
        self.worker = 0
        self.call = self.answered()
        self.turns = 0  # what the model says is on record
        self.heard(self.world.run(self.call.begin()))

    # The caller ------------------------------------------------------------------------------------------

    @rule(pick=st.integers(0, 1))
    def answers(self, pick: int) -> None:
        self.says(self.willing(pick))

    @rule(pick=st.integers(0, 1), times=st.integers(2, 6))
    def goes_along(self, pick: int, times: int) -> None:
        for _ in range(times):
            self.says(self.willing(pick))

    @rule(words=st.sampled_from(DIGRESSIONS))
    def says_something_else(self, words: str) -> None:
        self.says(words)

    @rule(pick=st.integers(0, 1), share=st.floats(0, 0.8))
    def cuts_in(self, pick: int, share: float) -> None:
        """A question cut off counts as not asked: a yes to it performs nothing."""
        heard = self.reply.say[: int(len(self.reply.say) * share)]
        at_read_back = self.reply.asks in ("account.confirm", "callback.confirm")
        self.says(self.willing(pick), heard=heard)
        if at_read_back:
            assert self.reply.did == ()

    @rule(pick=st.integers(0, 1), wait=st.booleans())
    def speaks_and_takes_it_back(self, pick: int, wait: bool) -> None:
        before = self.stored()

        async def speculative() -> None:
            turn = self.call.start(self.call.spoken(self.willing(pick)))
            if wait:
                await asyncio.wait({asyncio.ensure_future(_first(turn.words()))}, timeout=0.02)
            await turn.discard()

        if not self.call.over:
            self.world.run(speculative())
            assert self.stored() == before

    # The line --------------------------------------------------------------------------------------------

    @rule()
    def drops_and_rings_again(self) -> None:
        self.world.run(self.call.drop())
        self.rings_again()

    @rule()
    def is_taken_over_by_another_worker(self) -> None:
        """The lease ran out: whoever held it wakes up later, and may not write."""
        if self.call.over:
            return
        self.lost.append(self.call)
        self.world.clock.move("1m")
        self.worker = 1 - self.worker
        self.rings_again()

    @rule(pick=st.integers(0, 1))
    def the_old_worker_wakes_up(self, pick: int) -> None:
        if not self.lost:
            return
        before = self.stored()
        zombie = self.lost.pop()

        async def goes_on() -> None:
            with pytest.raises(LeaseLost):
                await _heard_and_written(zombie, self.willing(pick))

        self.world.run(goes_on())
        assert self.stored() == before

    @rule(pick=st.integers(0, 1), steps=st.integers(0, 400))
    def the_worker_dies_in_the_middle_of_a_turn(self, pick: int, steps: int) -> None:
        """At most the words in the air are lost, and whatever was done is done once."""
        if self.call.over:
            return

        async def dies() -> None:
            speaking = asyncio.ensure_future(self.call.hear(self.willing(pick)))
            for _ in range(steps):
                await asyncio.sleep(0)
            speaking.cancel()
            await asyncio.wait({speaking})
            if not speaking.cancelled():
                speaking.exception()
            await self.call.memory.close(0)

        self.world.run(dies())
        self.world.clock.move("1m")
        on_record = self.stored(dead=True)["turn"]
        assert on_record in (self.turns, self.turns + 1)
        self.turns = on_record
        self.rings_again()

    def rings_again(self) -> None:
        before = self.stored(dead=True)
        open_before = bool(before["case"].stack)
        ended = bool(before.get("ended")) and before.get("outcome") is not None
        call = self.answered()
        if ended:
            assert call.record.call_id != self.call.record.call_id
            self.call, self.turns = call, 0
            self.heard(self.world.run(call.begin()))
            return
        assert call.record.call_id == self.call.record.call_id
        self.call = call
        self.heard(self.world.run(call.begin()))
        after = self.stored()["case"]
        if open_before and after.stack:
            assert self.reply.asks == "resume.continue"
            assert given_in(after) == given_in(before["case"])
        else:
            assert self.reply.asks in ("closing.more", "clarify")

    # What is checked -------------------------------------------------------------------------------------

    @invariant()
    def log_audit_and_company_agree(self) -> None:
        if hasattr(self, "call"):
            counts = self.world.run(self._counts())
            assert counts["effects"] == counts["audit"]
            assert counts["open"] == 0
            assert counts["changed"] == counts["told"]

    async def _counts(self) -> dict[str, int]:
        query = (
            "SELECT (SELECT count(*) FROM effects) AS effects, (SELECT count(*) FROM audit) AS audit, "
            "(SELECT count(*) FROM effects WHERE status <> 'done') AS open, "
            "(SELECT count(*) FROM effects WHERE effect = 'update_address') AS changed, "
            "(SELECT count(*) FROM company.notices WHERE kind = 'address_changed') AS told"
        )
        async with self.world.workers[0].database.connection() as connection:
            cursor = await connection.execute(query)
            row = await cursor.fetchone()
        assert row is not None
        return row

    def says(self, words: str, heard: str | None = None) -> None:
        if self.call.over:
            self.rings_again()
        self.heard(self.world.run(self.call.hear(words, heard)))

    def heard(self, reply: Reply) -> None:
        """Every reply is one turn more, and what is on record says the same."""
        self.turns += 1
        self.reply = reply
        assert reply.turn == self.turns
        state = self.stored()
        assert (state["turn"], state["asks"], state["said"].text) == (
            self.turns,
            reply.asks,
            reply.say,
        )

    def stored(self, *, dead: bool = False) -> CallState:
        """The call as any process would read it; of a dead worker's call whatever got there."""

        async def read() -> CallState:
            if not dead:
                await self.call.memory.durable(30)
            snapshot = await self.services.graph.aget_state(self.call.config)
            history = [one async for one in self.services.saver.alist(self.call.config)]
            parents = [one.parent_config for one in history]
            ids = [one.checkpoint["id"] for one in history]
            assert [
                parent["configurable"]["checkpoint_id"] if parent else None for parent in parents
            ] == [*ids[1:], None], "the call's history forked"
            state: CallState = snapshot.values
            record = await self.services.register.get(str(self.call.record.call_id))
            assert record.turns == state["turn"]
            return state

        return self.world.run(read())

    @property
    def services(self) -> Services:
        return self.world.workers[self.worker]

    def answered(self) -> Conversation:
        return self.world.run(self.services.answer(NUMBER, None))

    def willing(self, pick: int) -> str:
        """What a caller who wants an address changed would say to the open question."""
        line1, city, region, postal = ADDRESSES[pick]
        notices = self.world.run(self.services.sent_notices(self.call)) if self._idle() else ()
        for notice in notices:
            self.code = "".join(re.findall(r"\b\d{6}\b", notice.body)) or self.code
        by_question = {
            "identity.fact": "97401",
            "identity.code": self.code or "123456",
            "account.address": f"{line1} {city} {region} {postal}",
            "callback.topic": "about a return",
            "callback.time": "tomorrow at ten",
            "closing.satisfaction": "five",
            "closing.more": "i need to change my address",
            "clarify": "i need to change my address",
        }
        if self.reply.asks is None:
            return "i need to change my address"
        return by_question.get(self.reply.asks, "yes")

    def _idle(self) -> bool:
        return not self.world.loop.is_running()


async def _first(words: Any) -> str | None:
    async for one in words:
        return str(one)
    return None


async def _heard_and_written(call: Conversation, words: str) -> None:
    await call.hear(words)
    await call.memory.durable(30)


@pytest.fixture
def world(database_copy: str, model_home: Path) -> Iterator[World]:
    world = World(database_copy, model_home)
    try:
        yield world
    finally:
        world.close()


def test_a_calls_memory_is_what_the_model_says_whatever_happens(world: World) -> None:
    machine = type("TheCall", (CallMemory,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=18,
            deadline=None,
            phases=[Phase.generate],  # where a worker dies depends on the clock: nothing to shrink
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
