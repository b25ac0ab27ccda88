"""A line whose colleagues are reached by phone, and what they do with a caller."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.acceptance.books import TRIES, Books
from tests.acceptance.caller import WITHIN, Caller
from tests.acceptance.line import Line, OpenLine
from tests.acceptance.phone_network import PhoneNetwork, Ringing, phone_network
from voice.local_server import LocalLiveKit

WISH = "i want to talk to a real person"
COLLEAGUES = "+15035550190"
HEARD_WITHIN = 5.0  #: seconds after it was said, when it may have been lost
TOLD_FIRST = {"HOLDFAST_VOICE__TRANSFER_TRUNK": "ST_tests"}


@dataclass
class Office:
    """A line whose colleagues are reached by phone."""

    line: Line
    network: PhoneNetwork

    async def asked_by(self, caller: Caller) -> Books:
        """The caller is greeted, and wants a person."""
        await caller.hears_out()
        books = await Books.of(self.line, caller)
        await caller.says(WISH)
        return books

    async def rung_by(self, caller: Caller) -> tuple[Books, Ringing]:
        """And a colleague's phone rings."""
        books = await self.asked_by(caller)
        return books, await self.network.rings()

    async def outcomes(self, books: Books) -> list[object]:
        """What staff see of each transfer of a call."""
        rows = await self.line.rows(
            "SELECT outcome FROM company.handovers WHERE way = 'transfer' AND call_id = %s"
            " ORDER BY created_at",
            books.call_id,
        )
        return [row["outcome"] for row in rows]


@asynccontextmanager
async def office_of(
    open_own_line: OpenLine, server: LocalLiveKit, **settings: str
) -> AsyncIterator[Office]:
    async with (
        phone_network(server) as network,
        open_own_line(
            LIVEKIT_URL=network.url, HOLDFAST_VOICE__TRANSFER_TO=f"tel:{COLLEAGUES}", **settings
        ) as line,
    ):
        await line.services.company.set_staff_available(True)
        yield Office(line, network)


async def takes_the_call(colleague: Caller) -> None:
    """They hear who is waiting, and press the key."""
    await colleague.hears_sound(since=colleague.joined)
    await colleague.presses("1")


async def hear_each_other(one: Caller, other: Caller) -> None:
    await _is_heard(one, other)
    await _is_heard(other, one)


async def _is_heard(speaks: Caller, listens: Caller) -> None:
    """Said again when it was lost: after a reconnect sound takes a while to be back."""
    for left in reversed(range(TRIES)):
        await listens.until_silent()
        said = await speaks.says("where is my order")
        try:
            await listens.hears_sound(since=said.began, within=WITHIN if not left else HEARD_WITHIN)
        except AssertionError:
            if not left:
                raise
        else:
            return
