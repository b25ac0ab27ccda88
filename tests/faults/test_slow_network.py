"""A database that answers everything, and each time late: what a turn asks for is held to one limit together."""

from __future__ import annotations

from conversation import LOOKUPS_SECONDS, SETTLE_SECONDS
from services import Services
from tests.faults.callers import Caller
from tests.faults.proxy import Proxy
from tests.faults.times import BACK_SECONDS

LATE = 0.95  #: seconds; a look-up takes one answer or two, and by itself is within its limit
TOGETHER = (
    LOOKUPS_SECONDS + SETTLE_SECONDS + 1.5
)  #: without the limit these turns take seven seconds and more


async def test_turn_that_asks_for_many_things_is_answered_in_time(
    services: Services, proxy: Proxy
) -> None:
    caller = Caller(services, "+15035550127")
    await caller.rings()
    await caller.says("what did you say")
    proxy.delay = LATE
    heard = await caller.says("i need to change my address")
    assert heard.seconds < TOGETHER
    assert heard.asks == "escalation.choice", heard

    proxy.delay = 0.0
    await caller.call.memory.durable(BACK_SECONDS)
    heard = await caller.says("no thanks")
    assert heard.asks == "identity.fact", heard
