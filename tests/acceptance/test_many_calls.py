"""Several people ring at once: each is greeted, answered, and on record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.clips import Clips
from tests.acceptance.line import Line, Row, open_line
from tests.acceptance.process import CallerProcess
from tests.acceptance.vendors import Vendors
from voice.local_server import LocalLiveKit

CALLERS = 5
APART = 0.3  #: seconds between two rings
QUESTIONS = (
    "i'm calling about an order",
    "i need to change my address",
    "hi i have a new phone number",
    "change my address please",
    "where is my order",
)

pytestmark = pytest.mark.slow


@pytest.fixture
async def line(
    livekit_server: LocalLiveKit,
    vendors: Vendors,
    clips: Clips,
    database_copy: str,
    model_home: Path,
    tmp_path: Path,
) -> AsyncIterator[Line]:
    """A process ready for each: LiveKit counts calls that are just starting against those."""
    ready = {"HOLDFAST_VOICE__IDLE_PROCESSES": str(CALLERS + 1)}
    async with open_line(
        livekit_server, vendors, clips, database_copy, model_home, tmp_path, **ready
    ) as opened:
        yield opened


async def test_five_callers_at_once_are_greeted_and_answered(line: Line) -> None:
    async with line.exchange.process() as phones:
        calls = (_calls(line, phones, number) for number in range(CALLERS))
        ends = await asyncio.gather(*calls, return_exceptions=True)
    if failures := [end for end in ends if isinstance(end, Exception)]:
        raise ExceptionGroup("calls that failed", failures)

    async def all_closed() -> list[Row] | None:
        found = await line.calls()
        return found if all(call["state"] == "closed" for call in found) else None

    closed = await line.eventually(all_closed, "five closed calls")
    assert len(closed) == CALLERS
    assert all(call["legs"] == 1 for call in closed)
    assert len({call["caller_hash"] for call in closed}) == CALLERS


async def _calls(line: Line, phones: CallerProcess, number: int) -> None:
    await asyncio.sleep(number * APART)
    async with line.caller(f"+1503555014{number}", process=phones) as caller:
        await caller.hears("How can I help you")
        await caller.says(QUESTIONS[number])
        assert await caller.hears_out()
        assert caller.understood == [QUESTIONS[number]]
        await caller.says("oh i gotta go bye")
        await caller.sees("disconnected")
