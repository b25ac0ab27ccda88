"""Understanding as a cascade: whoever fails, is late or makes things up, the caller gets a reading, in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

import graph.understanding.cascade as module
import tools.limits
from graph.understanding import commands as c
from graph.understanding.cascade import FAILURES_TO_OPEN, OPEN_SECONDS, Cascade
from graph.understanding.local import LocalUnderstander
from graph.understanding.model import ChatModel, ModelAt
from tests.fakes.logged import logged
from tests.fakes.model_server import MOODS, ModelServer, Mood
from voice.loopback.faults import FAULTS, Fault

#: The local understanding makes nothing of these.
LOST = "my thingy is god knows where"
GUBBINS = "the gubbins i bought off you has gone walkabout"
NOTHING = c.Pending()
SECONDS = 30.0  # what a test waits at most for what never comes
BRIEFLY = 0.2  # where it is the point that nothing comes

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    means = {LOST: [{"command": "order_status"}], GUBBINS: [{"command": "complain"}]}
    async with ModelServer(means) as running:
        yield running


@asynccontextmanager
async def cascade_of(
    local: LocalUnderstander, *servers: ModelServer, seconds: float = SECONDS
) -> AsyncIterator[Cascade]:
    models = [
        ChatModel(ModelAt(f"m{at}", SecretStr("k"), one.url), seconds)
        for at, one in enumerate(servers)
    ]
    cascade = Cascade(local, models, seconds)
    await asyncio.to_thread(cascade.warm_up)
    try:
        yield cascade
    finally:
        await cascade.close()


def names(read: c.Understanding) -> list[str]:
    return [one.command for one in read.commands]


# Who is asked ---------------------------------------------------------------------------------------------------


async def test_words_the_local_reading_is_not_sure_of_are_read_by_the_model(
    local: LocalUnderstander, server: ModelServer
) -> None:
    assert names(await local.read(LOST, NOTHING)) == ["unclear"]
    async with cascade_of(local, server) as cascade:
        read = await cascade.read(LOST, NOTHING)
    assert (names(read), read.by, read.language) == (["order_status"], "model", "en")


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("where is my order", None),
        ("yes", "account.confirm"),
        ("nine seven two oh five", "identity.fact"),
        ("no forget it", "account.address"),
        ("", None),
        ("   ", "account.confirm"),
        ("谢谢你", None),
        ("so like you know the uh", None),
        ("um", "account.confirm"),
    ],
)
async def test_sure_reading_silence_and_noise_ask_nobody(
    local: LocalUnderstander, server: ModelServer, text: str, asks: c.Asks | None
) -> None:
    pending = c.Pending(asks=asks)
    async with cascade_of(local, server) as cascade:
        read = await cascade.read(text, pending)
    assert server.asked == []
    assert read == await local.read(text, pending)


@pytest.mark.parametrize("keys", ["884253", "12", "0000", "9720"])
@pytest.mark.parametrize("asks", ["identity.code", "callback.topic", None])
async def test_keypad_digits_are_never_sent(
    local: LocalUnderstander, server: ModelServer, keys: str, asks: c.Asks | None
) -> None:
    async with cascade_of(local, server) as cascade:
        await cascade.read(keys, c.Pending(asks=asks, keyed=True))
    assert server.asked == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "i think it starts eight eight four something"),
        ("en", "it says 88 42 or so"),
        ("en", "empieza por ocho ocho cuatro y algo"),
        ("fr", "je crois huit cent et des poussières"),
    ],
)
async def test_one_time_code_is_never_sent_nor_a_part_of_it(
    local: LocalUnderstander, server: ModelServer, language: c.Language, text: str
) -> None:
    async with cascade_of(local, server) as cascade:
        await cascade.read(text, c.Pending(asks="identity.code", language=language))
        assert server.asked == []
        await cascade.read("my granddaughter has the phone", c.Pending(asks="identity.code"))
        assert len(server.asked) == 1


@pytest.mark.parametrize("asks", ["escalation.choice", "clarify", None])
async def test_code_that_comes_late_is_not_sent_either(
    local: LocalUnderstander, server: ModelServer, asks: c.Asks | None
) -> None:
    async with cascade_of(local, server) as cascade:
        for text in (
            "wait i've got the blinking thing here it goes eight eight four two five three",
            "my granddaughter reckons it's 884253 innit",
        ):
            await cascade.read(text, c.Pending(asks=asks))
    assert server.asked == []


# Whatever the model does ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mood", MOODS)
async def test_local_reading_stands_when_the_model_gives_none(
    local: LocalUnderstander, server: ModelServer, mood: Mood
) -> None:
    server.mood = mood
    async with cascade_of(local, server) as cascade:
        read = await cascade.read(LOST, NOTHING)
    assert read == await local.read(LOST, NOTHING)


@pytest.mark.parametrize("fault", FAULTS)
async def test_local_reading_stands_when_the_server_fails(
    local: LocalUnderstander, server: ModelServer, fault: Fault
) -> None:
    server.fail(fault)
    seconds = BRIEFLY if fault == "stall" else SECONDS
    async with cascade_of(local, server, seconds=seconds) as cascade:
        read = await cascade.read(LOST, NOTHING)
    assert read == await local.read(LOST, NOTHING)


async def test_local_reading_stands_when_what_the_model_means_was_not_said(
    local: LocalUnderstander, server: ModelServer
) -> None:
    server.means[LOST] = [{"command": "answer", "slot": "phone", "words": "+15035550199"}]
    async with cascade_of(local, server) as cascade:
        read = await cascade.read(LOST, NOTHING)
    assert read == await local.read(LOST, NOTHING)


async def test_late_answer_is_not_waited_for_and_its_request_is_closed(
    local: LocalUnderstander, server: ModelServer
) -> None:
    server.fail("stall")
    async with cascade_of(local, server, seconds=BRIEFLY) as cascade:
        read = await cascade.read(LOST, NOTHING)
        assert read.by == "local"
        await asyncio.wait_for(server.asked[0].over.wait(), SECONDS)
    assert server.asked[0].came_to == "nothing: the client left"


async def test_next_model_is_asked_when_the_first_fails(
    local: LocalUnderstander, server: ModelServer
) -> None:
    async with ModelServer() as down, cascade_of(local, down, server) as cascade:
        down.fail("error")
        read = await cascade.read(LOST, NOTHING)
        assert (names(read), len(down.asked), len(server.asked)) == (["order_status"], 1, 1)


async def test_next_model_is_not_asked_when_no_time_is_left(
    local: LocalUnderstander, server: ModelServer
) -> None:
    async with ModelServer() as down, cascade_of(local, down, server, seconds=BRIEFLY) as cascade:
        down.fail("stall")
        read = await cascade.read(LOST, NOTHING)
        assert read.by == "local"
    assert server.asked == []


async def test_model_that_is_down_is_left_alone_and_found_again(
    local: LocalUnderstander, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(tools.limits, "monotonic", lambda: now)
    server.fail("error")
    async with cascade_of(local, server) as cascade:
        for _ in range(20):
            await cascade.read(LOST, NOTHING)
        assert len(server.asked) == FAILURES_TO_OPEN
        now += OPEN_SECONDS
        for _ in range(20):
            await cascade.read(LOST, NOTHING)
        assert len(server.asked) == FAILURES_TO_OPEN + 1
        server.recover()
        now += OPEN_SECONDS
        assert [(await cascade.read(LOST, NOTHING)).by for _ in range(2)] == ["model", "model"]


async def test_model_that_is_down_does_not_keep_the_others_waiting(
    local: LocalUnderstander, server: ModelServer
) -> None:
    async with ModelServer() as down, cascade_of(local, down, server) as cascade:
        down.fail("error")
        for _ in range(FAILURES_TO_OPEN):
            await cascade.read(LOST, NOTHING)
        down.fail("stall")
        assert (await cascade.read(LOST, NOTHING)).by == "model"
        assert len(down.asked) == FAILURES_TO_OPEN


# Turns that are discarded, and turns at once --------------------------------------------------------------------


async def test_cancelled_read_closes_its_request_and_leaves_nothing(
    local: LocalUnderstander, server: ModelServer
) -> None:
    server.fail("stall")
    async with cascade_of(local, server) as cascade:
        reading = asyncio.create_task(cascade.read(LOST, NOTHING))
        await asyncio.wait_for(server.arrived.wait(), SECONDS)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await asyncio.wait_for(server.asked[0].over.wait(), SECONDS)
        assert server.asked[0].came_to == "nothing: the client left"
        server.recover()
        assert (await cascade.read(LOST, NOTHING)).by == "model"


async def test_discarded_turn_does_not_keep_a_model_out_that_may_be_back(
    local: LocalUnderstander, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(tools.limits, "monotonic", lambda: now)
    server.fail("error")
    async with cascade_of(local, server) as cascade:
        for _ in range(FAILURES_TO_OPEN):
            await cascade.read(LOST, NOTHING)
        now += OPEN_SECONDS
        server.fail("stall")
        server.arrived.clear()
        reading = asyncio.create_task(cascade.read(LOST, NOTHING))
        await asyncio.wait_for(server.arrived.wait(), SECONDS)
        reading.cancel()
        await asyncio.wait({reading})
        server.recover()
        assert (await cascade.read(LOST, NOTHING)).by == "model"


async def test_two_reads_at_once_do_not_disturb_each_other(
    local: LocalUnderstander, server: ModelServer
) -> None:
    async with cascade_of(local, server) as cascade:
        for _ in range(5):
            server.latency_ms = 20.0
            discarded = asyncio.create_task(cascade.read(LOST, NOTHING))
            lost, gubbins = asyncio.create_task(cascade.read(LOST, NOTHING)), asyncio.create_task(
                cascade.read(GUBBINS, c.Pending(asks="closing.more"))
            )  # fmt: skip
            await asyncio.sleep(0)
            discarded.cancel()
            assert names(await lost) == ["order_status"]
            assert names(await gubbins) == ["complain"]


def test_each_event_loop_has_connections_of_its_own(local: LocalUnderstander) -> None:
    """What one loop closed is gone from the next."""

    async def read() -> str:
        async with (
            ModelServer({LOST: [{"command": "order_status"}]}) as server,
            cascade_of(local, server) as own,
        ):
            return (await own.read(LOST, NOTHING)).by

    assert [asyncio.run(read()) for _ in range(2)] == ["model", "model"]


async def test_model_is_loaded_once_whoever_comes_first_and_again_after_it_was_closed(
    local: LocalUnderstander, server: ModelServer
) -> None:
    cascade = Cascade(
        local, [ChatModel(ModelAt("m", SecretStr("k"), server.url), SECONDS)], SECONDS
    )
    reads = await asyncio.gather(*(cascade.read(LOST, NOTHING) for _ in range(3)))
    assert {one.by for one in reads} == {"model"}
    await cascade.close()
    assert (await cascade.read(LOST, NOTHING)).by == "model"
    await cascade.close()


# What is said of it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mood", [*MOODS, "well"])
async def test_log_says_who_failed_and_never_what_was_said(
    local: LocalUnderstander, server: ModelServer, mood: Mood
) -> None:
    server.mood = mood
    with logged(module) as events:
        async with cascade_of(local, server) as cascade:
            await cascade.read(LOST, NOTHING)
    (event,) = events
    if mood == "well":
        assert (event["event"], event["outcome"]) == ("utterance.read", "model")
    else:
        assert event["event"] == "provider.failed_over"
        assert event["error_type"]
    assert (event["port"], event["provider"]) == ("understanding", "m0")
    assert "thingy" not in str(events)


async def test_breaking_off_is_logged_as_a_timeout(
    local: LocalUnderstander, server: ModelServer
) -> None:
    server.fail("stall")
    with logged(module) as events:
        async with cascade_of(local, server, seconds=BRIEFLY) as cascade:
            await cascade.read(LOST, NOTHING)
    assert [one["error_type"] for one in events] == ["TimeoutError"]
