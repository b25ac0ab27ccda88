"""Look-ups are held to limits: how long, how often, and not at all while a system is down. Writes pass."""

from __future__ import annotations

import asyncio
from time import perf_counter

import pytest

from tools.errors import BackendDown, BackendSlow, NotFound, Refused
from tools.limits import (
    ATTEMPTS,
    FAILURES_TO_OPEN,
    LOOKUPS,
    OPEN_SECONDS,
    Breaker,
    Limits,
    Window,
    guarded,
)
from tools.ports import (
    CallbackCalendar,
    CustomerDirectory,
    IdentityVault,
    KnowledgeBase,
    Notifier,
    OrderBook,
    StaffDesk,
)

LIMIT = 0.1  # seconds
BETWEEN_ATTEMPTS = 0.1  # at most
MARGIN = 1.0  # a busy machine


class FakeSystem:
    """Answers as told, one outcome after another; the last one goes on. `None` is no answer at all."""

    def __init__(self, *outcomes: object) -> None:
        self.outcomes = list(outcomes)
        self.asked = 0
        self.written = 0

    async def find(self, order: str = "") -> object:
        self.asked += 1
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if outcome is None:
            await asyncio.Event().wait()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def book(self) -> str:
        self.written += 1
        await asyncio.sleep(LIMIT * 2)
        return "booked"


def limits(
    *, call: int = 1000, process: Window | None = None, breakers: dict[str, Breaker] | None = None
) -> Limits:
    return Limits(
        LIMIT,
        Window(call, 60.0),
        process or Window(1000, 1.0),
        {} if breakers is None else breakers,
    )


async def test_lookup_that_answers_is_passed_on() -> None:
    system = FakeSystem("order")

    assert await guarded(system, limits()).find("HF-1") == "order"
    assert system.asked == 1


async def test_lookup_over_its_time_is_retried_once_and_then_slow() -> None:
    system = FakeSystem(None)
    started = perf_counter()

    with pytest.raises(BackendSlow):
        await guarded(system, limits()).find()

    assert system.asked == ATTEMPTS == 2
    assert 2 * LIMIT <= perf_counter() - started < 2 * LIMIT + BETWEEN_ATTEMPTS + MARGIN


async def test_second_answer_counts() -> None:
    for first in (None, BackendDown()):
        assert await guarded(FakeSystem(first, "order"), limits()).find() == "order"


async def test_answer_of_the_business_is_not_asked_for_again() -> None:
    for answer in (NotFound(), Refused("locked")):
        system = FakeSystem(answer)
        with pytest.raises(type(answer)):
            await guarded(system, limits()).find()
        assert system.asked == 1


async def test_system_that_does_not_let_go_is_left_behind() -> None:
    """A cancelled query on a dead network takes seconds more; the caller does not wait for it."""
    let_go = asyncio.Event()

    class Stubborn:
        async def find(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await let_go.wait()

    started = perf_counter()
    with pytest.raises(BackendSlow):
        await guarded(Stubborn(), limits()).find()
    assert perf_counter() - started < 2 * LIMIT + BETWEEN_ATTEMPTS + MARGIN
    let_go.set()


# The breaker ----------------------------------------------------------------------------------------------


async def test_system_that_failed_in_a_row_is_not_asked_for_a_while() -> None:
    breakers: dict[str, Breaker] = {}
    system = FakeSystem(BackendDown())
    await failing(system, breakers)
    asked = system.asked

    started = perf_counter()
    with pytest.raises(BackendDown):
        await guarded(system, limits(breakers=breakers)).find()

    assert system.asked == asked >= FAILURES_TO_OPEN
    assert perf_counter() - started < BETWEEN_ATTEMPTS + MARGIN


async def test_after_a_while_one_lookup_tries_and_opens_the_way_for_all() -> None:
    breakers: dict[str, Breaker] = {}
    system = FakeSystem(BackendDown())
    await failing(system, breakers)
    asked = system.asked
    later(breakers)

    with pytest.raises(BackendDown):
        await guarded(system, limits(breakers=breakers)).find()
    assert system.asked == asked + 1, "one tries, its retry waits like all others"

    system.outcomes = ["order"]
    with pytest.raises(BackendDown):
        await guarded(system, limits(breakers=breakers)).find()
    later(breakers)
    for _ in range(3):
        assert await guarded(system, limits(breakers=breakers)).find() == "order"


async def test_no_is_an_answer_of_a_system_that_works() -> None:
    """An order that is not found does not count as a failure, and ends a row of them."""
    breakers: dict[str, Breaker] = {}
    system = FakeSystem(
        *[BackendDown()] * (FAILURES_TO_OPEN - 1), NotFound(), BackendDown(), "order"
    )
    seen = [await outcome_of(system, breakers) for _ in range(4)]

    assert seen == ["BackendDown", "BackendDown", "NotFound", "order"]
    await failing(FakeSystem(BackendDown()), breakers)
    later(breakers)
    assert await outcome_of(FakeSystem(NotFound()), breakers) == "NotFound"
    assert await outcome_of(FakeSystem("order"), breakers) == "order"


async def test_one_system_that_is_down_leaves_the_others_alone() -> None:
    class OtherSystem(FakeSystem):
        pass

    breakers: dict[str, Breaker] = {}
    await failing(FakeSystem(BackendDown()), breakers)

    assert await outcome_of(OtherSystem("order"), breakers) == "order"


# How often ------------------------------------------------------------------------------------------------


async def test_call_that_looks_up_too_often_is_refused_and_others_are_not() -> None:
    system = FakeSystem("order")
    process = Window(1000, 1.0)
    greedy, modest = (guarded(system, limits(call=3, process=process)) for _ in range(2))
    for _ in range(3):
        await greedy.find()

    with pytest.raises(Refused, match="rate_limited"):
        await greedy.find()
    assert system.asked == 3
    assert await modest.find() == "order"


async def test_all_calls_of_a_process_share_one_limit() -> None:
    process = Window(4, 1.0)
    calls = [guarded(FakeSystem("order"), limits(process=process)) for _ in range(5)]

    outcomes = await asyncio.gather(*(call.find() for call in calls), return_exceptions=True)

    assert [isinstance(one, Refused) for one in outcomes] == [False] * 4 + [True]


def test_limit_is_counted_in_a_window_that_moves() -> None:
    window = Window(2, 60.0)
    window.take()
    window.take()
    with pytest.raises(Refused):
        window.take()

    window.times[0] -= 61
    window.take()
    with pytest.raises(Refused):
        window.take()


# Writes ---------------------------------------------------------------------------------------------------


async def test_write_passes_through_whatever_the_limits_say() -> None:
    """It may take longer, is never tried twice, and is no look-up."""
    breakers: dict[str, Breaker] = {}
    system = FakeSystem(BackendDown())
    await failing(system, breakers)

    assert await guarded(system, limits(call=0, breakers=breakers)).book() == "booked"
    assert system.written == 1


def test_every_method_of_every_port_is_a_lookup_or_a_known_write() -> None:
    ports = (
        CustomerDirectory,
        OrderBook,
        CallbackCalendar,
        KnowledgeBase,
        StaffDesk,
        Notifier,
        IdentityVault,
    )
    methods = {name for port in ports for name in vars(port) if not name.startswith("_")}
    writes = {
        "update_address", "update_phone", "book", "move", "cancel", "hand_over", "send", "record_failure",
        "issue_code", "check_code", "transferred",
    }  # fmt: skip
    assert methods - LOOKUPS == writes


async def failing(system: FakeSystem, breakers: dict[str, Breaker]) -> None:
    """Until the breaker is open."""
    while all(one.failures < FAILURES_TO_OPEN for one in breakers.values()) or not breakers:
        with pytest.raises(BackendDown):
            await guarded(system, limits(breakers=breakers)).find()


async def outcome_of(system: FakeSystem, breakers: dict[str, Breaker]) -> object:
    try:
        return await guarded(system, limits(breakers=breakers)).find()
    except (BackendDown, NotFound) as error:
        return type(error).__name__


def later(breakers: dict[str, Breaker]) -> None:
    """The time a system is left alone has passed."""
    for breaker in breakers.values():
        breaker.opened_at -= OPEN_SECONDS + 1
