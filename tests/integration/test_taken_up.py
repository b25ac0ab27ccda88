"""A call whose worker died is taken up by another one while its caller waits in the same room."""

from __future__ import annotations

import re

import pytest

from conversation import Conversation, Reply
from services import Services

JANE = "+15035550127"
POSTAL_CODE = "97205"
CODE = re.compile(r"\b\d{6}\b")


async def taken_up(services: Services, call: Conversation, *, stayed: bool) -> Conversation:
    again = await services.answer(JANE, "en", call.record.call_id)
    again.stayed = stayed
    return again


async def goes_on(call: Conversation) -> Reply:
    """They want to."""
    reply = await call.begin()
    assert reply.asks == "resume.continue"
    return await call.hear("yes please")


async def asked_for_an_address(services: Services, *, proven: bool) -> Conversation:
    call = await services.answer(JANE, "en")
    await call.begin()
    await call.hear("i need to change my address")
    reply = await call.hear(POSTAL_CODE)
    assert reply.asks == "identity.code"
    if proven:
        (notice,) = await services.notices_of(call.record.call_id)
        reply = await call.hear(CODE.findall(notice.body)[0])
        assert (reply.asks, reply.verified) == ("account.address", 2)
    return call


@pytest.mark.parametrize("proven", [False, True], ids=["by a fact", "by a code"])
async def test_caller_who_stayed_in_the_room_is_asked_for_a_code_alone(
    services: Services, *, proven: bool
) -> None:
    call = await asked_for_an_address(services, proven=proven)
    again = await taken_up(services, call, stayed=True)
    reply = await goes_on(again)
    assert (reply.asks, reply.verified) == ("identity.code", 1)


async def test_caller_who_came_back_is_asked_for_the_fact_too(services: Services) -> None:
    call = await asked_for_an_address(services, proven=True)
    again = await taken_up(services, call, stayed=False)
    reply = await goes_on(again)
    assert (reply.asks, reply.verified) == ("identity.fact", 0)
