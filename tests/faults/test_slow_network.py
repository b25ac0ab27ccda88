"""A database that answers everything, and each time late: what a turn asks for is held to one limit together."""

from __future__ import annotations

from services import Services
from tests.faults.callers import Caller
from tests.faults.proxy import Proxy
from tests.faults.times import BACK_SECONDS, REPLY_SECONDS

LATE = 1.2  #: seconds; every look-up by itself is within its limit


async def test_turn_that_asks_for_many_things_is_answered_in_time(
    services: Services, proxy: Proxy
) -> None:
    caller = Caller(services, "+15035550127")
    await caller.rings()
    proxy.delay = LATE
    heard = await caller.says("i need to change my address")
    assert heard.asks in ("identity.fact", "escalation.choice"), heard
    heard = await caller.says("nine seven two oh five")
    assert heard.seconds < REPLY_SECONDS
    assert heard.asks == "escalation.choice", heard

    proxy.delay = 0.0
    await caller.call.memory.durable(BACK_SECONDS)
    await caller.says("no thanks")
    heard = await caller.says("nine seven two oh five")
    assert heard.asks == "identity.code", heard
