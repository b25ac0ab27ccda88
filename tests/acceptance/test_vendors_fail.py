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

from tests.acceptance.caller import Caller
from tests.acceptance.clips import Clips
from tests.acceptance.line import Line, open_line
from tests.acceptance.vendors import Vendors, loopback_vendors
from tests.faults.conftest import filled_template
from tests.faults.network import Network
from tests.faults.proxy import Proxy, proxy_to
from tests.faults.server import Server, own_server
from voice.local_server import LocalLiveKit

ANN = "+15035550199"
ORDER = "i'm calling about an order"
CLAIM = "your phone number is changed"
LOST_SECONDS = 1.0  #: of sound, at most, where a voice broke off
TWO_VOICES = "two-voices"  #: a name of its own: the worker of the other tests answers, too
AWAY = "our system isn't answering"

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]


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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(
    livekit_server: LocalLiveKit,
    loopback: Vendors,
    clips: Clips,
    server: Server,
    company_database: str,
    model_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[FailingLine]:
    """One worker for all of them, without a key of OpenAI's; the test itself reaches the database at all times."""
    folder = tmp_path_factory.mktemp("line")
    async with proxy_to(server.network.address, server.port) as proxy:
        dsn = server.dsn(company_database)
        worker_dsn = server.dsn(company_database, host="127.0.0.1", port=proxy.port)
        async with open_line(
            *(livekit_server, loopback, clips, dsn, model_home, folder), DATABASE_URL=worker_dsn
        ) as line:
            yield FailingLine(line, proxy)
            proxy.pass_on()


@pytest_asyncio.fixture(loop_scope="module")
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
    call = await line.asks("identity.account")
    assert (call["open_flow"], call["turns"]) == ("order_status", 2)
    assert ORDER in caller.understood


async def test_another_provider_goes_on_where_the_first_broke_off(
    livekit_server: LocalLiveKit,
    vendors: Vendors,
    clips: Clips,
    database_copy: str,
    model_home: Path,
    tmp_path: Path,
) -> None:
    async with loopback_vendors(tmp_path) as others:
        providers = [vendors.cartesia, others.cartesia]
        speaking = json.dumps([{"provider": "cartesia", "base_url": url} for url in providers])
        place = (livekit_server, vendors, clips, database_copy, model_home, tmp_path)
        async with open_line(
            *place, HOLDFAST_VOICE__TTS=speaking, HOLDFAST_VOICE__AGENT_NAME=TWO_VOICES
        ) as line:
            line.exchange.agent_name = TWO_VOICES
            undisturbed = await first_answer(line, "+15035550103", nothing)
            assert await spoken(others) == []
            breaks_off = partial(vendors.drops, "cartesia")
            answer = await first_answer(line, "+15035550104", breaks_off)
        assert answer.text == undisturbed.text
        assert answer.seconds > undisturbed.seconds - LOST_SECONDS
        (rest,) = await spoken(others)
        assert answer.text.endswith(rest)
        assert len(rest) < len(answer.text)


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
        call = await line.asks("identity.account")
        assert call["open_flow"] == "update_address"


async def test_change_agreed_to_while_the_database_is_away_is_not_claimed(
    line: Line, opened: FailingLine
) -> None:
    async with line.caller(ANN) as caller:
        await caller.hears_out()
        await caller.says("hi i have a new phone number")
        await caller.hears_out()
        await line.asks("identity.fact")
        await caller.presses("97401")
        await caller.hears_out()
        await line.asks("identity.code")
        await caller.presses(await line.code())
        await caller.hears_out()
        await line.asks("account.phone")
        await caller.presses("5035550144#")
        await caller.hears_out()
        await line.asks("account.confirm")
        opened.proxy.swallow()
        await caller.says("yes that is correct")
        away = await caller.hears(AWAY)
        assert CLAIM not in away
        assert await line.effects() == []
        opened.proxy.pass_on()
        await line.asks("escalation.choice")
        await caller.says("no thanks")
        await caller.hears_out()
        await line.asks("account.confirm")
        await caller.says("yes that is correct")
        assert CLAIM in await caller.hears_out()
        await line.asks("closing.more")
    assert await line.effects() == ["update_phone"]


async def test_caller_who_rings_while_the_database_is_away_is_told_so(
    line: Line, opened: FailingLine
) -> None:
    before = len(await line.calls())
    opened.proxy.swallow()
    async with line.caller("+15035550105") as caller:
        await caller.hears(AWAY, to_end=False)
        await caller.sees("disconnected")
    opened.proxy.pass_on()
    assert len(await line.calls()) == before
    async with line.caller("+15035550105") as caller:
        assert "How can I help you" in await caller.hears_out()
