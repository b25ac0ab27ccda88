"""The line as a test sees it: callers ring, and what is left in the database is compared with what they heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import LiteralString, TypeVar
from uuid import uuid4

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from graph.state import Lang
from services import Services, open_services
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
WRITTEN_WITHIN = 60.0  # seconds after it was said; LiveKit takes some twenty to miss a caller
LOOK_EVERY = 0.05
RESTORED: LiteralString = (
    "UPDATE company.customers SET full_name = %(full_name)s, email = %(email)s, phone = %(phone)s,"
    " language = %(language)s, line1 = %(line1)s, line2 = %(line2)s, city = %(city)s,"
    " region = %(region)s, postal_code = %(postal_code)s, country = %(country)s"
    " WHERE customer_id = %(customer_id)s"
)


@dataclass
class Line:
    """A LiveKit server, the vendors' stand-ins, a worker, and its database."""

    server: LocalLiveKit
    vendors: Vendors
    worker: Worker
    exchange: Exchange
    dsn: str
    services: Services  #: beside the worker's, on the same database, for what was sent to customers
    books: AsyncConnection[DictRow]  #: to the same database, for what is on record
    customers: list[Row]  #: of the company, as they were when the line was opened

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
        try:
            async with self.exchange.caller(token, language=language, process=process) as caller:
                yield caller
        except Exception:
            if number:
                await self._forgets(number)
            raise

    async def _forgets(self, number: str) -> None:
        """A scenario that failed may be played again: its caller is not to be taken up where the first try ended."""
        caller = self.services.cipher.keyed_hash(number)

        async def left() -> bool:
            live = "SELECT 1 FROM calls WHERE caller_hash = %s AND state = 'live'"
            return not await self.rows(live, caller)

        with suppress(AssertionError):
            await self.eventually(left, "the end of the call")
        await self.rows(
            "UPDATE calls SET state = 'closed', ended_at = now(), asks = NULL, lease_owner = NULL,"
            " lease_expires_at = NULL WHERE caller_hash = %s RETURNING call_id",
            caller,
        )
        await self._undoes(number, caller)

    async def _undoes(self, number: str, caller: str) -> None:
        """What the first try left with the company; the rows by which effects are counted stay."""
        for customer in self.customers:
            if customer["phone"] == number:
                await self.books.execute(RESTORED, customer)
        await self.books.execute(
            "UPDATE company.callbacks SET status = 'cancelled' WHERE call_id IN"
            " (SELECT call_id FROM calls WHERE caller_hash = %s)",
            (caller,),
        )
        await self.books.execute(
            "DELETE FROM company.identity_failures WHERE call_id IN"
            " (SELECT call_id FROM calls WHERE caller_hash = %s)",
            (caller,),
        )

    async def eventually(
        self, look: Callable[[], Awaitable[T | None]], what: str, within: float = WRITTEN_WITHIN
    ) -> T:
        """What is written a little after it was said.

        Raises:
            AssertionError: it was not, in time.
        """
        deadline = monotonic() + within
        while not (found := await look()):
            assert monotonic() < deadline, f"{what}: not within {within} s"
            await asyncio.sleep(LOOK_EVERY)
        return found

    async def rows(self, query: LiteralString, *values: object) -> list[Row]:
        return await (await self.books.execute(query, values)).fetchall()


OpenLine = Callable[..., AbstractAsyncContextManager[Line]]


@asynccontextmanager
async def open_line(
    server: LocalLiveKit,
    vendors: Vendors,
    clips: Clips,
    dsn: str,
    home: Path,
    folder: Path,
    host: str | None = None,
    **more: str,
) -> AsyncIterator[Line]:
    """Ready for calls, which no other line takes.

    Args:
        host: what the worker's machine is called, when it is to be another than the test's.
        more: what the worker finds in its environment besides.
    """
    settings = settings_for(dsn, home)
    agent_name = f"holdfast-{uuid4().hex[:8]}"
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
        "HOLDFAST_VOICE__AGENT_NAME": agent_name,
        **more,
    }
    exchange = Exchange(server, clips, folder, vendors.learn, agent_name)
    async with (
        open_services(settings, demo=False) as services,
        await AsyncConnection.connect(dsn, autocommit=True, row_factory=dict_row) as books,
        running_worker(folder, environment, host) as worker,
    ):
        customers = await (await books.execute("SELECT * FROM company.customers")).fetchall()
        yield Line(server, vendors, worker, exchange, dsn, services, books, customers)
