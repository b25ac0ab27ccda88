"""A transfer that came to nothing: the caller is told, offered a callback, and nothing is claimed."""

from __future__ import annotations

from services import Services

JANE = "+15035550127"
WISH = "i want to talk to a real person"


async def test_caller_whom_nobody_takes_is_offered_a_callback(services: Services) -> None:
    await services.company.set_staff_available(True)
    call = await services.answer(JANE, None)
    await call.begin()
    assert (await call.hear(WISH)).ended
    handover = call.handover()
    assert handover is not None
    assert handover.reason == "asked"
    turn = call.start(call.not_put_through())
    turn.confirm()
    reply = await turn.reply()
    assert (reply.ended, reply.asks, reply.flow) == (False, "escalation.choice", "talk_to_human")
    assert "couldn't reach" in reply.say
    assert call.handover() is None
    reply = await call.hear("yes")
    assert (reply.asks, reply.flow) == ("callback.topic", "callback")


async def test_line_that_dies_after_a_failed_transfer_claims_none(services: Services) -> None:
    await services.company.set_staff_available(True)
    call = await services.answer(JANE, None)
    await call.begin()
    await call.hear(WISH)
    turn = call.start(call.not_put_through())
    turn.confirm()
    await turn.reply()
    assert await call.drop()
    again = await services.answer(JANE, None)
    assert again.record.call_id == call.record.call_id
    reply = await again.begin()
    assert "already with a colleague" not in reply.say
    assert reply.asks == "resume.continue"


async def test_caller_whom_nobody_takes_may_ask_again(services: Services) -> None:
    await services.company.set_staff_available(True)
    call = await services.answer(JANE, None)
    await call.begin()
    await call.hear(WISH)
    turn = call.start(call.not_put_through())
    turn.confirm()
    await turn.reply()
    await call.hear("no")
    reply = await call.hear(WISH)
    assert (reply.ended, reply.did) == (True, ("hand_over",))
    assert await call.hang_up()
    record = await services.register.find(call.record.call_id)
    assert record is not None
    assert (record.state, record.outcome) == ("closed", "escalated")
