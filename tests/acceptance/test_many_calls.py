"""Several people ring at once: each is greeted, answered, and on record."""

from __future__ import annotations

import asyncio

import pytest

from graph.understanding.commands import FlowName
from tests.acceptance.books import Books, PromiseBroken, not_said
from tests.acceptance.line import Line, Row
from tests.acceptance.process import CallerProcess

APART = 0.3  #: seconds between two rings
QUESTIONS: tuple[tuple[str, FlowName], ...] = (
    ("i'm calling about an order", "order_status"),
    ("i need to change my address", "update_address"),
    ("hi i have a new phone number", "update_phone"),
    ("change my address please", "update_address"),
    ("where is my order", "order_status"),
)

pytestmark = pytest.mark.slow


async def test_five_callers_at_once_are_greeted_and_answered(line: Line) -> None:
    async with line.exchange.process() as phones:
        calls = (_calls(line, phones, at, *one) for at, one in enumerate(QUESTIONS))
        ends = await asyncio.gather(*calls, return_exceptions=True)
    failures = [end for end in ends if isinstance(end, Exception)]
    for broken in failures:
        if isinstance(broken, PromiseBroken):
            raise broken
    if failures:
        raise ExceptionGroup("calls that failed", failures)
    closed = [end for end in ends if not isinstance(end, BaseException)]
    assert all(call["legs"] == 1 for call in closed)
    assert len({call["caller_hash"] for call in closed}) == len(QUESTIONS)


async def _calls(
    line: Line, phones: CallerProcess, number: int, question: str, flow: FlowName
) -> Row:
    await asyncio.sleep(number * APART)
    async with line.caller(f"+1503555014{number}", process=phones) as caller:
        await caller.hears("How can I help you")
        books = await Books.of(line, caller)
        await books.says_until(caller, question, open_flow=flow)
        assert not_said(caller.understood, question) == []
        await caller.says("oh i gotta go bye")
        await caller.sees("disconnected")
    return await books.has(state="closed")
