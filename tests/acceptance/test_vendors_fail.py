"""What the line needs fails in the middle of calls and comes back: recognition, voices, the database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

import pytest
import pytest_asyncio
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.acceptance.books import TRIES, Books, open_day, opening
from tests.acceptance.caller import Caller
from tests.acceptance.line import Line, OpenLine
from tests.acceptance.spoken_as import answers, whole_answer
from tests.acceptance.together import Together
from tests.acceptance.vendors import Vendors, loopback_vendors
from tests.conftest import copied
from tests.faults.proxy import Proxy, proxy_to
from voice.loopback.espeak import speech
from voice.mouth import PAUSES

ANN = "+15035550199"
ORDER = "i'm calling about an order"
YES, CLAIM = "yes that is correct", "your phone number is changed"
LOST_SECONDS = 1.0  #: of sound, at most, where a voice broke off
BOOKED = "Your callback is booked"
FAILED_OVER = r'"%s"[^\n]*provider\.failed_over'  #: in the worker's log, of a call
GIVES_UP_AFTER = 1 + len(PAUSES)
AWAY = "our system isn't answering"

pytestmark = [pytest.mark.together, pytest.mark.slow]


@dataclass
class FailingLine:
    """A line with two voices, whose database can be cut off."""

    line: Line
    proxy: Proxy
    second: Vendors  #: asked for a voice when the line's own vendors fail

    @contextmanager
    def database_away(self) -> Iterator[None]:
        self.proxy.swallow()
        try:
            yield
        finally:
            self.proxy.pass_on()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def failing(
    open_own_line: OpenLine,
    loopback: Vendors,
    server_dsn: str,
    company_template: str,
    tmp_path_factory: pytest.TempPathFactory,
    together: Together,
) -> AsyncIterator[FailingLine]:
    """The worker reaches its database by a proxy, the test itself at all times."""
    with copied(server_dsn, company_template) as dsn:
        there = conninfo_to_dict(dsn)
        async with (
            proxy_to(str(there["host"]), int(there.get("port") or 5432)) as proxy,
            loopback_vendors(tmp_path_factory.mktemp("second")) as second,
            open_own_line(
                dsn,
                DATABASE_URL=make_conninfo(dsn, host="127.0.0.1", port=proxy.port),
                HOLDFAST_VOICE__TTS=json.dumps(
                    [
                        {"provider": "cartesia", "base_url": one.cartesia}
                        for one in (loopback, second)
                    ]
                ),
            ) as line,
        ):
            yield FailingLine(line, proxy, second)
            await together.end()


async def test_words_said_while_recognition_stalls_are_understood_afterwards(line: Line) -> None:
    async with line.caller("+15035550101") as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        await line.vendors.fails("deepgram", "stall", seconds=4, of=await books.process())
        await caller.says(ORDER)
        await caller.hears_out()
        await asked_once(books, caller)


async def test_words_said_while_recognition_refuses_are_understood_afterwards(line: Line) -> None:
    async with line.caller("+15035550102") as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        process = await books.process()
        await line.vendors.fails("deepgram", "refuse", seconds=4, of=process)
        await line.vendors.drops("deepgram", of=process)
        await caller.says(ORDER)
        await caller.hears_out()
        await asked_once(books, caller)


async def asked_once(books: Books, caller: Caller) -> None:
    """The line understood what was said, and took it for one turn."""
    await books.has(asks="identity.account", open_flow="order_status")
    (words,) = await books.words()
    assert ORDER.endswith(words)  # a busy machine swallows the first of them
    assert words in caller.understood


async def test_another_provider_goes_on_where_the_first_broke_off(failing: FailingLine) -> None:
    line, second = failing.line, failing.second
    async with line.caller("+15035550104") as caller:
        await caller.hears("How can I help you")
        books = await Books.of(line, caller)
        before, process = len(await answers(second)), await books.process()
        asked = (await caller.says(ORDER)).ended
        for _ in range(TRIES):
            await caller.hears_sound(since=asked)
            await line.vendors.drops("cartesia", of=process)
            answer = await caller.hears("or an order number")
            if rest := (await answers(second))[before:]:
                break
            asked = monotonic()  # the drop came late: all of the answer had been sent
            await caller.types("what did you say")
        assert rest
        assert answer == await whole_answer(line.vendors, answer)
        heard = caller.heard_for(since=asked)
        assert heard > speech(answer, "en").seconds - LOST_SECONDS
        assert answer.endswith(rest[0])
        assert len(rest[0]) < len(answer)


async def test_sentence_in_which_the_only_voice_breaks_off_is_said_to_its_end_when_it_is_back(
    line: Line,
) -> None:
    async with line.caller("+15035550106") as caller:
        books = await at_read_back(line, caller)
        process = await books.process()
        await line.vendors.fails("cartesia", "close", of=process)  # with the first piece of sound
        await caller.types("yes")
        await line.worker.says(FAILED_OVER % books.call_id, times=2)
        await line.vendors.recovers("cartesia", of=process)
        assert BOOKED in await caller.hears_out()
        await goes_on(books, caller)


async def test_caller_whom_no_voice_answered_hears_it_when_they_ask(line: Line) -> None:
    async with line.caller("+15035550107") as caller:
        books = await at_read_back(line, caller)
        process = await books.process()
        await line.vendors.fails("cartesia", "refuse", of=process)
        await line.vendors.drops("cartesia", of=process)
        await caller.types("yes")
        await line.worker.says(FAILED_OVER % books.call_id, times=GIVES_UP_AFTER)
        await line.vendors.recovers("cartesia", of=process)
        await caller.types("what did you say")
        assert BOOKED in await caller.hears_out()
        await goes_on(books, caller)


async def at_read_back(line: Line, caller: Caller) -> Books:
    """A callback that waits for its yes."""
    await caller.hears_out()
    books = await Books.of(line, caller)
    day = await open_day(line, "US", "en")
    await caller.types(f"please call me back on {day} at five in the afternoon about a return")
    await caller.hears_out()
    await books.asks("callback.phone")
    await caller.types("yes")
    await caller.hears_out()
    await books.asks("callback.confirm")
    return books


async def goes_on(books: Books, caller: Caller) -> None:
    """The line listens to what comes next, and has done what was agreed to once."""
    await caller.types("do you have a showroom")
    await caller.hears("We sell online only")
    await books.asks("closing.more")
    await caller.hangs_up()
    await books.has(state="closed")
    assert await books.effects() == ["book_callback"]
    await books.has_begun(1)
    await books.is_one_chain()


async def test_line_understands_without_a_model_of_openais(line: Line) -> None:
    assert "OPENAI_API_KEY" not in line.worker.family[-1].environ()
    async with line.caller("+15035550108") as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        moved = "i moved last week so the address you have is wrong"
        await books.says_until(caller, moved, asks="identity.account", open_flow="update_address")


async def test_change_agreed_to_while_the_database_is_away_is_not_claimed(
    failing: FailingLine,
) -> None:
    line = failing.line
    async with line.caller(ANN) as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        wish = opening("hi i have a new phone number")
        await books.until_asked(caller, "identity.fact", wish)
        await caller.presses("97401")
        await caller.hears_out()
        await books.asks("identity.code")
        await caller.presses(await books.code())
        await caller.hears_out()
        await books.asks("account.phone")
        await caller.presses("5035550144#")
        await caller.hears_out()
        await books.asks("account.confirm")
        with failing.database_away():
            await caller.types(YES)
            away = await caller.hears(AWAY)
            assert CLAIM not in away
            assert await books.effects() == []
        await books.asks("escalation.choice")
        await caller.types("no thanks")
        await caller.hears_out()
        await books.asks("account.confirm")
        heard = await books.until_asked(caller, "closing.more", {"account.confirm": YES})
        assert CLAIM in " ".join(heard)
        assert await books.effects() == ["update_phone"]


async def test_caller_who_rings_while_the_database_is_away_is_told_so(failing: FailingLine) -> None:
    line = failing.line
    before = await line.rows("SELECT call_id FROM calls ORDER BY call_id")
    with failing.database_away():
        async with line.caller("+15035550105") as caller:
            await caller.hears(AWAY, to_end=False)
            await caller.sees("disconnected")
    assert await line.rows("SELECT call_id FROM calls ORDER BY call_id") == before
    async with line.caller("+15035550105") as caller:
        assert "How can I help you" in await caller.hears_out()
