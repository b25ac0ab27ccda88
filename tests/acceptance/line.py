"""The line as a test sees it: callers ring, and what is left in the database is compared with what they heard."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import LiteralString, TypeVar
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row

from graph.state import Lang
from services import SentNotice, Services, open_services
from tests.acceptance.caller import Caller
from tests.acceptance.clips import Clips
from tests.acceptance.exchange import Exchange
from tests.acceptance.process import CallerProcess
from tests.acceptance.vendors import Vendors
from tests.acceptance.worker import Worker, running_worker
from tests.company import KEY, settings_for
from voice.local_server import LocalLiveKit

T = TypeVar("T")
Row = dict[str, object]
WRITTEN_WITHIN = 30.0  # seconds after it was said
CODE = re.compile(r"\b\d{6}\b")
LOOK_EVERY = 0.05


@dataclass
class Line:
    """A LiveKit server, the vendors' stand-ins, a worker, and its database."""

    server: LocalLiveKit
    vendors: Vendors
    worker: Worker
    exchange: Exchange
    dsn: str
    services: Services  #: beside the worker's, on the same database, for what was sent to customers
    _notices: list[SentNotice] = field(default_factory=list)
    _codes_read: int = 0

    @asynccontextmanager
    async def caller(
        self,
        number: str | None = None,
        *,
        language: Lang = "en",
        browser: bool = False,
        room: str | None = None,
        identity: str | None = None,
        process: CallerProcess | None = None,
    ) -> AsyncIterator[Caller]:
        """Somebody on the line, by phone or from a browser.

        Args:
            language: what they speak, and for a browser what the page says they speak.
            room, identity: of a caller who comes back; default: new ones.
            process: one that holds other calls, too; default: its own.
        """
        place, name = room or f"call-{uuid4()}", identity or f"caller-{uuid4().hex[:8]}"
        if browser:
            token = self.exchange.browser(number, room=place, identity=name, language=language)
        else:
            token = self.exchange.phone(number or "anonymous", room=place, identity=name)
        async with self.exchange.caller(token, language=language, process=process) as caller:
            yield caller

    async def calls(self) -> list[Row]:
        """The register, in the order of ringing."""
        return await self.rows("SELECT * FROM calls ORDER BY started_at")

    async def call_is(self, state: str) -> Row:
        """Wait until the latest call is `live`, `interrupted`, `waiting_for_staff` or `closed`."""

        async def found() -> Row | None:
            calls = await self.calls()
            return calls[-1] if calls and calls[-1]["state"] == state else None

        return await self.eventually(found, f"a call that is {state}")

    async def asks(self, question: str | None) -> Row:
        """Wait until this is the open question of the latest call, as the register has it."""

        async def found() -> Row | None:
            calls = await self.calls()
            return calls[-1] if calls and calls[-1]["asks"] == question else None

        return await self.eventually(found, f"the question {question}")

    async def effects(self) -> list[str]:
        """What was done, in order, each as often as it was done; codes sent left out, as `did` does."""
        found = await self.rows(
            "SELECT effect FROM effects WHERE status = 'done' AND effect <> 'send_code' ORDER BY done_at"
        )
        return [str(row["effect"]) for row in found]

    async def notices(self) -> list[SentNotice]:
        """What customers were sent so far: taken from the outbox, as a notifier does."""
        for call in await self.calls():
            self._notices += await self.services.notices_of(UUID(str(call["call_id"])))
        return self._notices

    async def code(self) -> str:
        """Wait for a one-time code that was not read yet; the customer reads it."""

        async def unread() -> str | None:
            codes = [code for one in await self.notices() for code in CODE.findall(one.body)]
            return codes[-1] if len(codes) > self._codes_read else None

        code = await self.eventually(unread, "a one-time code")
        self._codes_read += 1
        return code

    async def eventually(self, look: Callable[[], Awaitable[T | None]], what: str) -> T:
        """What is written a little after it was said.

        Raises:
            AssertionError: it was not, in time.
        """
        deadline = monotonic() + WRITTEN_WITHIN
        while not (found := await look()):
            assert monotonic() < deadline, f"{what}: not within {WRITTEN_WITHIN} s"
            await asyncio.sleep(LOOK_EVERY)
        return found

    async def rows(self, query: LiteralString, *values: object) -> list[Row]:
        connection = await psycopg.AsyncConnection.connect(
            self.dsn, autocommit=True, row_factory=dict_row
        )
        async with connection:
            return await (await connection.execute(query, values)).fetchall()


@asynccontextmanager
async def open_line(
    server: LocalLiveKit,
    vendors: Vendors,
    clips: Clips,
    dsn: str,
    home: Path,
    folder: Path,
    **more: str,
) -> AsyncIterator[Line]:
    """Ready for calls; `more` is what the worker finds in its environment besides."""
    settings = settings_for(dsn, home)
    environment = {
        **server.environment,
        **vendors.environment,
        "DATABASE_URL": dsn,
        "HOLDFAST_HOME": str(home),
        "HOLDFAST_CACHE": str(settings.cache),
        "HOLDFAST_ENCRYPTION_KEY": KEY,
        "HOLDFAST_LOG_LEVEL": "info",
        "HOLDFAST_VOICE__TURN_DETECTION": "vad",  # the model judges real voices, not espeak-ng's
        "HOLDFAST_VOICE__CALLS_PER_WORKER": "20",  # the machine is busy with the tests
        "HOLDFAST_VOICE__IDLE_PROCESSES": "1",
        "HOLDFAST_VOICE__HTTP_PORT": "0",
        **more,
    }
    exchange = Exchange(server, clips, folder, vendors.learn)
    async with (
        open_services(settings, demo=False) as services,
        running_worker(folder, environment) as worker,
    ):
        yield Line(server, vendors, worker, exchange, dsn, services)
