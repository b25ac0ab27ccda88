"""What the line needs fails in the middle of calls and comes back: recognition, voices, the database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.acceptance.books import Books, open_day
from tests.acceptance.caller import Caller
from tests.acceptance.line import Line, OpenLine
from tests.acceptance.vendors import Vendors, loopback_vendors
from tests.faults.conftest import filled_template
from tests.faults.network import Network
from tests.faults.proxy import Proxy, proxy_to
from tests.faults.server import Server, own_server
from voice.mouth import PAUSES

ANN = "+15035550199"
ORDER = "i'm calling about an order"
CLAIM = "your phone number is changed"
LOST_SECONDS = 1.0  #: of sound, at most, where a voice broke off
BOOKED = "Your callback is booked"
GIVES_UP_AFTER = 1 + len(PAUSES)
AWAY = "our system isn't answering"

pytestmark = pytest.mark.slow


@dataclass
class FailingLine:
    """A line whose database can be cut off."""

    line: Line
    proxy: Proxy


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server(Network()) as running:
        yield running


@pytest.fixture(scope="module")
def company_database(server: Server, model_home: Path) -> str:
    return filled_template(server, model_home)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def opened(
    open_own_line: OpenLine, server: Server, company_database: str
) -> AsyncIterator[FailingLine]:
    """One worker for all of them, without a key of OpenAI's; the test itself reaches the database at all times."""
    async with proxy_to(server.network.address, server.port) as proxy:
        dsn = server.dsn(company_database)
        worker_dsn = server.dsn(company_database, host="127.0.0.1", port=proxy.port)
        async with open_own_line(dsn, DATABASE_URL=worker_dsn) as line:
            yield FailingLine(line, proxy)
            proxy.pass_on()


@pytest_asyncio.fixture(loop_scope="session")
async def line(opened: FailingLine) -> AsyncIterator[Line]:
    """Whatever a test did to it is over afterwards."""
    yield opened.line
    opened.proxy.pass_on()
    await opened.line.vendors.recover()


async def test_words_said_while_recognition_stalls_are_understood_afterwards(line: Line) -> None:
    async with line.caller("+15035550101") as caller:
        await caller.hears_out()
        await line.vendors.fails("deepgram", "stall", seconds=4)
        await caller.says(ORDER)
        await caller.hears_out()
        await asked_once(line, caller)


async def test_words_said_while_recognition_refuses_are_understood_afterwards(line: Line) -> None:
    async with line.caller("+15035550102") as caller:
        await caller.hears_out()
        await line.vendors.fails("deepgram", "refuse", seconds=4)
        await line.vendors.drops("deepgram")
        await caller.says(ORDER)
        await caller.hears_out()
        await asked_once(line, caller)


async def asked_once(line: Line, caller: Caller) -> None:
    """The line understood what was said, and took it for one turn."""
    books = await Books.of(line, caller)
    await books.has(asks="identity.account", open_flow="order_status")
    assert await books.words() == [ORDER]
    assert ORDER in caller.understood


async def test_another_provider_goes_on_where_the_first_broke_off(
    open_own_line: OpenLine, vendors: Vendors, tmp_path: Path
) -> None:
    async with loopback_vendors(tmp_path) as others:
        providers = [vendors.cartesia, others.cartesia]
        speaking = json.dumps([{"provider": "cartesia", "base_url": url} for url in providers])
        async with open_own_line(HOLDFAST_VOICE__TTS=speaking) as line:
            undisturbed = await first_answer(line, "+15035550103", nothing)
            assert await spoken(others) == []
            breaks_off = partial(vendors.drops, "cartesia")
            answer = await first_answer(line, "+15035550104", breaks_off)
        assert answer.text == undisturbed.text
        assert answer.seconds > undisturbed.seconds - LOST_SECONDS
        (rest,) = await spoken(others)
        assert answer.text.endswith(rest)
        assert len(rest) < len(answer.text)


async def test_sentence_in_which_the_only_voice_breaks_off_is_said_to_its_end_when_it_is_back(
    line: Line,
) -> None:
    async with line.caller("+15035550106") as caller:
        books = await at_read_back(line, caller)
        asked_for = len(await spoken(line.vendors))
        await line.vendors.fails("cartesia", "close")  # with the first piece of sound
        await caller.types("yes")

        async def tried_again() -> bool:
            return len(await spoken(line.vendors)) > asked_for + 1

        await line.eventually(tried_again, "a second request for the same words")
        await line.vendors.recover()
        assert BOOKED in await caller.hears_out()
        await goes_on(books, caller)


async def test_caller_whom_no_voice_answered_hears_it_when_they_ask(line: Line) -> None:
    async with line.caller("+15035550107") as caller:
        books = await at_read_back(line, caller)
        await line.vendors.fails("cartesia", "refuse")
        await line.vendors.drops("cartesia")
        await caller.types("yes")
        failed = rf'"{books.call_id}"[^\n]*provider\.failed_over'
        await line.worker.says(failed, times=GIVES_UP_AFTER)
        await line.vendors.recover()
        await caller.types("what did you say")
        assert BOOKED in await caller.hears_out()
        await goes_on(books, caller)


async def at_read_back(line: Line, caller: Caller) -> Books:
    """A callback that waits for its yes."""
    await caller.hears_out()
    books = await Books.of(line, caller)
    day = await open_day(line, "US", "en")
    await caller.types(f"please call me back on {day} at ten about a return")
    await caller.hears_out()
    await books.asks("callback.phone")
    await caller.types("yes")
    await caller.hears_out()
    await books.asks("callback.confirm")
    return books


async def goes_on(books: Books, caller: Caller) -> None:
    """The line listens to what comes next, and has done what was agreed to once."""
    await caller.types("what are your opening hours")
    await caller.hears("Monday to Friday")
    await books.asks("closing.more")
    await caller.hangs_up()
    await books.has(state="closed")
    assert await books.effects() == ["book_callback"]
    assert await books.begun() == 1
    await books.is_one_chain()


@dataclass
class Answer:
    text: str
    seconds: float  #: of sound that was heard


async def nothing() -> None: ...


async def first_answer(line: Line, number: str, happens: Callable[[], Awaitable[None]]) -> Answer:
    """The line's to the caller's first words, always the same; something happens when it begins to sound."""
    async with line.caller(number) as caller:
        await caller.hears("How can I help you")
        said = await caller.says(ORDER)
        await caller.hears_sound(since=said.ended)
        await happens()
        text = await caller.hears("or an order number")
        return Answer(text, heard_for(caller, said.ended))


def heard_for(caller: Caller, since: float) -> float:
    """Seconds of sound; the line is silent now."""
    sounds = [one for one in caller.sounds if one.began >= since and one.ended is not None]
    return sum(one.ended - one.began for one in sounds if one.ended is not None)


async def spoken(vendors: Vendors) -> list[str]:
    """The texts that the voices of a vendor were given, in order."""
    async with httpx.AsyncClient(trust_env=False) as http:
        told = (await http.get(f"{vendors.cartesia}/control")).json()
    return [str(request["transcript"]) for request in told["requests"]]


async def test_line_understands_without_a_model_of_openais(line: Line) -> None:
    assert "OPENAI_API_KEY" not in line.worker.family[-1].environ()
    async with line.caller("+15035550104") as caller:
        await caller.hears_out()
        await caller.says("i moved last week so the address you have is wrong")
        await caller.hears_out()
        books = await Books.of(line, caller)
        await books.has(asks="identity.account", open_flow="update_address")


async def test_change_agreed_to_while_the_database_is_away_is_not_claimed(
    line: Line, opened: FailingLine
) -> None:
    async with line.caller(ANN) as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        await caller.says("hi i have a new phone number")
        await caller.hears_out()
        await books.asks("identity.fact")
        await caller.presses("97401")
        await caller.hears_out()
        await books.asks("identity.code")
        await caller.presses(await books.code())
        await caller.hears_out()
        await books.asks("account.phone")
        await caller.presses("5035550144#")
        await caller.hears_out()
        await books.asks("account.confirm")
        opened.proxy.swallow()
        await caller.says("yes that is correct")
        away = await caller.hears(AWAY)
        assert CLAIM not in away
        assert await books.effects() == []
        opened.proxy.pass_on()
        await books.asks("escalation.choice")
        await caller.says("no thanks")
        await caller.hears_out()
        await books.asks("account.confirm")
        await caller.says("yes that is correct")
        assert CLAIM in await caller.hears_out()
        await books.asks("closing.more")
    assert await books.effects() == ["update_phone"]


async def test_caller_who_rings_while_the_database_is_away_is_told_so(
    line: Line, opened: FailingLine
) -> None:
    before = await line.rows("SELECT call_id FROM calls")
    opened.proxy.swallow()
    async with line.caller("+15035550105") as caller:
        await caller.hears(AWAY, to_end=False)
        await caller.sees("disconnected")
    opened.proxy.pass_on()
    assert await line.rows("SELECT call_id FROM calls") == before
    async with line.caller("+15035550105") as caller:
        assert "How can I help you" in await caller.hears_out()
