"""Twenty calls at once through a restart: every caller hears something each time, and every change is made once."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from graph.wording.line import line
from graph.wording.speak import FluentWording
from services import Services
from tests.faults.callers import Caller, Exchange
from tests.faults.conftest import line_on
from tests.faults.rows import query, rows_of
from tests.faults.server import Server
from tests.faults.times import BACK_SECONDS, PICKED_UP_SECONDS, REPLY_SECONDS

CALLERS = 20
AWAY_SECONDS = 3.0
MOST_TURNS = 60
NEIGHBOURS = (
    "INSERT INTO company.customers SELECT 'N-' || number, full_name, number || email, "
    "'+1503555' || lpad(number::text, 4, '0'), language, line1, line2, city, region, postal_code, country, false "
    "FROM company.customers, generate_series(1000, 1000 + %s - 1) AS number WHERE customer_id = 'C-101'"
)
#: When the answer to a commit was lost, the line can't tell that it is done; asked again, it finds the new address.
ALREADY = FluentWording().speak([line("address-same")], "en")
ANSWERS = {
    None: "i need to change my address",
    "identity.fact": "nine seven three oh one",
    "account.address": "fifty main street portland oregon nine seven two oh five",
    "account.confirm": "yes",
    "escalation.choice": "no thanks",
    "closing.more": "i need to change my address",
    "clarify": "i need to change my address",
    "resume.continue": "yes please",
}


class Neighbour(Caller):
    """Wants one thing, and goes on until it is done."""

    def __init__(self, services: Services, number: str) -> None:
        super().__init__(services, number)
        self.code = ""

    async def gets_it_done(self) -> None:
        heard = await self.rings()
        for _ in range(MOST_TURNS):
            if not heard.said or "update_address" in heard.did or ALREADY in heard.said:
                break
            await asyncio.sleep(0.25)  # people take longer
            heard = await self._answers(heard)
        await self.call.hang_up()

    async def _answers(self, heard: Exchange) -> Exchange:
        for notice in await self.services.sent_notices(self.call):
            self.code = "".join(re.findall(r"\b\d{6}\b", notice.body)) or self.code
        if heard.asks == "identity.code":
            return await self.says(f"it's {self.code}" if self.code else "hold on a second")
        return await self.says(ANSWERS[heard.asks])


@pytest.fixture
def neighbours(server: Server, company_database: str) -> list[str]:
    """Phone numbers of customers who have nothing to do with each other."""
    with server.admin(company_database) as connection:
        connection.execute(NEIGHBOURS, (CALLERS,))
    return [f"+1503555{1000 + number}" for number in range(CALLERS)]


async def test_twenty_calls_at_once_survive_a_restart_of_the_database(
    server: Server, company_database: str, neighbours: list[str], model_home: Path
) -> None:
    async with line_on(server.dsn(company_database), model_home) as services:
        callers = [Neighbour(services, number) for number in neighbours]
        calls = [asyncio.create_task(caller.gets_it_done()) for caller in callers]
        await asyncio.sleep(1.0)  # in the middle of them all
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(AWAY_SECONDS)
        await asyncio.to_thread(server.start)
        await asyncio.gather(*calls)
        for caller in callers:
            await caller.call.memory.durable(BACK_SECONDS)

    for caller in callers:
        assert not [str(one) for one in caller.exchanges if not one.said]
        slow = [str(one) for one in caller.exchanges[1:] if one.seconds > REPLY_SECONDS]
        assert not slow
        assert caller.exchanges[0].seconds < PICKED_UP_SECONDS
        done = [one for one in caller.exchanges if "update_address" in one.did]
        assert len(done) == 1 or ALREADY in caller.exchanges[-1].said, caller.exchanges
        rows = rows_of(server, company_database, caller.call)
        assert rows.effects == ("update_address",)
        assert rows.notices == ("address_changed",)
        assert rows.turns == len(caller.exchanges)
    streets = query(
        server,
        company_database,
        "SELECT line1 FROM company.customers WHERE customer_id LIKE 'N-%%'",
    )
    assert [row["line1"] for row in streets] == ["50 Main Street"] * CALLERS
