"""One fault in the middle of several calls: what was said, how soon, and what the database holds afterwards."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from conversation import Conversation
from graph.state import AddressFlow, CallState
from services import Services
from tests.faults.callers import Caller, Exchange, identified
from tests.faults.conftest import line_on
from tests.faults.faults import Fault, Scene
from tests.faults.pooler import pooler_before
from tests.faults.proxy import proxy_to
from tests.faults.rows import Rows, phone_of, rows_of
from tests.faults.server import Server
from tests.faults.times import BACK_SECONDS
from tools.limits import OPEN_SECONDS

OMAR, ANN, JANE, STRANGER = "+15035550188", "+15035550199", "+15035550127", "+15035550155"
NEW_PHONE = "+15035550144"
MEANWHILE = ("fifty main street", "hold on a second", "what did you say", "portland")
QUESTION = "what are your opening hours"


@dataclass(frozen=True)
class Episode:
    """What happened, in the order of the promises."""

    fault: Fault
    seconds: float  #: the fault lasted
    meanwhile: tuple[Exchange, ...]  #: all that was said while it lasted
    slots: tuple[Exchange, ...]  #: Omar, who gives his new address
    asked: Exchange  #: Omar's question, which needs a look-up
    agreed: Exchange  #: Ann's yes, of which only the write was still to come
    rang: Exchange  #: somebody new
    apology: str
    durable_after: float  #: seconds after the fault until what Omar said was on record
    in_memory: CallState
    on_record: CallState
    omar_meanwhile: Rows
    jane_dropped: bool  #: her drop was put on record
    jane_again: tuple[Exchange, ...]
    jane_flow: AddressFlow
    ann: tuple[Exchange, ...]  #: all she heard
    ann_rows: Rows
    ann_phone: str
    omar_last: Exchange
    omar_rows: Rows
    answered_again: Exchange
    rang_again: Exchange


async def play(fault: Fault, server: Server, name: str, home: Path) -> Episode:
    """The whole story of one fault."""
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(proxy_to(server.network.address, server.port))
        port = proxy.port if fault.through_proxy else None
        if fault.through_pooler:
            port = stack.enter_context(pooler_before(server))
        dsn = server.dsn(name) if port is None else server.dsn(name, host="127.0.0.1", port=port)
        line = line_on(dsn, home, pooler=fault.through_pooler)
        services = await stack.enter_async_context(line)
        return await _Story(fault, Scene(server, proxy), services, name).told()


class _Story:
    def __init__(self, fault: Fault, scene: Scene, services: Services, name: str) -> None:
        self.fault = fault
        self.scene = scene
        self.services = services
        self.name = name
        self.omar, self.ann = Caller(services, OMAR), Caller(services, ANN)
        self.jane, self.stranger = Caller(services, JANE), Caller(services, STRANGER)

    async def told(self) -> Episode:
        await self._before()
        agreed = await self.ann.seems_to_agree()
        before = {id(one) for caller in self._callers for one in caller.exchanges}
        began = time.monotonic()
        await asyncio.to_thread(self.fault.begins, self.scene)
        try:
            hanging = asyncio.create_task(self.jane.hangs())
            slots, rang, yes = await asyncio.gather(
                self._talk(), self.stranger.rings(), self.ann.did_agree(agreed)
            )
            apology = self.services.unavailable(STRANGER, None)
            meanwhile = [
                one for caller in self._callers for one in caller.exchanges if id(one) not in before
            ]
            await asyncio.sleep(max(0.0, began + self.fault.lasts - time.monotonic()))
        finally:
            await asyncio.to_thread(self.fault.ends, self.scene)
        ended = time.monotonic()
        await self.omar.call.memory.durable(BACK_SECONDS)
        durable_after = time.monotonic() - ended
        jane_dropped = await hanging
        in_memory = self._state(self.omar.call)
        on_record = await self._stored(self.omar.call)
        omar_meanwhile = self.rows(self.omar.call)
        answered = await self._until_answered(ended + BACK_SECONDS)
        jane_again = await self._jane_again()
        await self._ann_again()
        await self.omar.says("the zip is nine seven two oh five")
        omar_last = await self.omar.says("yes that's right")
        rang_again = await Caller(self.services, STRANGER).rings()
        for caller in (self.omar, self.ann):
            await caller.call.memory.durable(BACK_SECONDS)
        flow = self._state(self.jane.call)["case"].stack[-1]
        assert isinstance(flow, AddressFlow)
        return Episode(
            fault=self.fault,
            seconds=ended - began,
            meanwhile=tuple(meanwhile),
            slots=slots[:-2],
            asked=slots[-2],
            agreed=yes,
            rang=rang,
            apology=apology,
            durable_after=durable_after,
            in_memory=in_memory,
            on_record=on_record,
            omar_meanwhile=omar_meanwhile,
            jane_dropped=jane_dropped,
            jane_again=jane_again,
            jane_flow=flow,
            ann=tuple(self.ann.exchanges),
            ann_rows=self.rows(self.ann.call),
            ann_phone=phone_of(self.scene.server, self.name, "C-102"),
            omar_last=omar_last,
            omar_rows=self.rows(self.omar.call),
            answered_again=answered,
            rang_again=rang_again,
        )

    @property
    def _callers(self) -> tuple[Caller, ...]:
        return self.omar, self.ann, self.jane, self.stranger

    async def _before(self) -> None:
        """Omar is asked for his new address, Ann whether her new number is right, Jane for the city."""
        await identified(
            self.omar, "i moved and i need to change my address", "nine seven three oh one"
        )
        await identified(
            self.ann, "i got a new phone number please update it", "nine seven four oh one"
        )
        await self.ann.says("it's five oh three five five five oh one four four")
        await identified(self.jane, "i need to change my address", "nine seven two oh five")
        await self.jane.says("nine elm street")

    async def _talk(self) -> tuple[Exchange, ...]:
        """What needs only the call's memory, then what needs a look-up, then back to the address."""
        return tuple([await self.omar.says(words) for words in (*MEANWHILE, QUESTION, "no thanks")])

    async def _until_answered(self, until: float) -> Exchange:
        """Asked again, the question is answered: at the latest when a system is asked again that was given up."""
        while True:
            heard = await self.omar.says(QUESTION)
            if heard.asks != "escalation.choice" or time.monotonic() > until:
                return heard
            await self.omar.says("no thanks")
            await asyncio.sleep(OPEN_SECONDS / 10)

    async def _jane_again(self) -> tuple[Exchange, ...]:
        self.jane = Caller(self.services, JANE)
        return (
            await self.jane.rings(),
            await self.jane.says("yes please"),
            await self.jane.says("nine seven two oh five"),
            await self.jane.reads_code(),
        )

    async def _ann_again(self) -> None:
        """No, she wants nobody else; yes, the number is right."""
        for words in ("no thanks", "yes"):
            if not self.ann.exchanges[-1].did:
                await self.ann.says(words)

    @staticmethod
    def _state(call: Conversation) -> CallState:
        assert call._state is not None
        return call._state

    async def _stored(self, call: Conversation) -> CallState:
        """As another process would read it."""
        snapshot = await self.services.graph.aget_state(call.config)
        return cast("CallState", snapshot.values)

    def rows(self, call: Conversation) -> Rows:
        return rows_of(self.scene.server, self.name, call)
