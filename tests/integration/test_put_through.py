"""A caller on the way to a colleague is on the line until they have left it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from checkpoints.errors import StorageDown
from conversation import Conversation
from services import Services
from tests.fakes.line import FakeLine

JANE = "+15035550127"
WISH = "i want to talk to a real person"


async def test_call_is_over_when_the_caller_has_left_for_a_colleague(services: Services) -> None:
    await services.company.set_staff_available(True)
    call = await services.answer(JANE, None)
    await call.begin()
    reply = await call.hear(WISH)
    assert (reply.ended, reply.outcome) == (True, "escalated")
    record = await services.register.find(call.record.call_id)
    assert record is not None
    assert record.state == "live"
    assert await call.hang_up()
    record = await services.register.find(call.record.call_id)
    assert record is not None
    assert (record.state, record.outcome, record.lease_owner) == ("closed", "escalated", None)


async def dropped_on_the_way(services: Services) -> Conversation:
    """The line died while the caller was put through; they are back."""
    await services.company.set_staff_available(True)
    call = await services.answer(JANE, None)
    await call.begin()
    await call.hear(WISH)
    assert await call.drop()
    again = await services.answer(JANE, None)
    assert again.record.call_id == call.record.call_id
    return again


async def test_line_that_dies_while_the_caller_is_put_through_puts_them_through_again(
    services: Services,
) -> None:
    """Nobody but the line that died knew what came of it."""
    again = await dropped_on_the_way(services)
    reply = await again.begin()
    assert "putting you through" in reply.say
    assert "already with a colleague" not in reply.say
    assert (reply.ended, reply.outcome, reply.did) == (True, "escalated", ())
    assert again.putting_through
    handover = again.handover()
    assert handover is not None
    assert handover.reason == "asked"
    assert await services.done_in(again.record.call_id) == ("hand_over",)
    assert len((await services.company.snapshot())["handovers"]) == 1


async def test_caller_is_put_through_again_after_they_heard_so(services: Services) -> None:
    line = FakeLine(await dropped_on_the_way(services))
    try:
        starting = asyncio.create_task(line.phone.start(None, None, None))
        assert await line.phone.finished() == "putting_through"
        heard = [one.text_content for one in line.phone.session.history.messages()]
        assert "putting you through" in " ".join(one or "" for one in heard)
        await starting
    finally:
        await line.phone.close()


async def test_caller_who_can_not_be_put_through_again_is_offered_a_callback(
    services: Services,
) -> None:
    again = await dropped_on_the_way(services)
    await services.company.set_staff_available(False)
    reply = await again.begin()
    assert "couldn't reach" in reply.say
    assert "already with a colleague" not in reply.say
    assert (reply.ended, reply.asks, reply.flow) == (False, "escalation.choice", "talk_to_human")
    assert again.handover() is None
    (handover,) = (await services.company.snapshot())["handovers"]
    assert handover["outcome"] == "failed"


async def test_caller_who_asks_again_after_an_answer_was_lost_is_in_the_queue_once_and_put_through(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.company.set_staff_available(True)
    call = await services.answer(JANE, None)
    await call.begin()
    real = services.effect_log.run_once

    async def answer_lost(*given: Any) -> Any:
        await real(*given)
        raise StorageDown

    with monkeypatch.context() as patched:
        patched.setattr(services.effect_log, "run_once", answer_lost)
        reply = await call.hear(WISH)
    assert (reply.ended, reply.did) == (False, ())
    reply = await call.hear(WISH)
    assert (reply.ended, reply.outcome, reply.did) == (True, "escalated", ())
    assert call.putting_through
    assert call.handover() is not None
    assert len((await services.company.snapshot())["handovers"]) == 1
