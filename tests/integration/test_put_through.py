"""A caller on the way to a colleague is on the line until they have left it."""

from __future__ import annotations

from typing import Any

import pytest

from checkpoints.errors import StorageDown
from services import Services

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


async def test_line_that_dies_while_the_caller_is_put_through_is_resumed_and_told(
    services: Services,
) -> None:
    await services.company.set_staff_available(True)
    call = await services.answer(JANE, None)
    await call.begin()
    await call.hear(WISH)
    assert await call.drop()
    again = await services.answer(JANE, None)
    assert again.record.call_id == call.record.call_id
    reply = await again.begin()
    assert "already with a colleague" in reply.say
    assert await services.done_in(call.record.call_id) == ("hand_over",)


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
