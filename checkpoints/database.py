"""Connections: a pool on the database, the transaction an effect runs in, and drivers' errors turned into ours."""

from __future__ import annotations

import asyncio
import re
import select
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import waiting
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from checkpoints.errors import StorageDown, StorageError, StorageUnusable
from checkpoints.owner import APPLICATION, hidden, this_process
from deadline import bounded

OLDEST_SERVER = 150000
CONNECT_SECONDS = 3
PROBE_SECONDS = (
    4.0  #: a host name may have several addresses, each of them tried for CONNECT_SECONDS
)
CLOSE_SECONDS = 1.0  #: for those who are just connecting
ANEW_SECONDS = 1.0  #: between two times that all connections are made anew
SILENT_SECONDS = 6.0  #: no statement takes longer (see statement_timeout below), so nobody is there
IDLE_BEFORE_CHECK = (
    5.0  # checking every checkout doubles the round trips; a connection just used is alive
)
CANNOT_WRITE_NOW = (
    "25"  #: SQLSTATE class: read-only, as on a standby; or the transaction was ended by a timeout
)
_SERVER_SAID = re.compile(r"FATAL:\s+(.+)")


class Connection(psycopg.AsyncConnection[DictRow]):
    """Gives itself up instead of waiting for a server that does not answer.

    psycopg waits for ever; interrupted, it asks the server to stop and waits for that, twice for five seconds. So
    long the pool would lack the connection, and a process could not end.
    """

    patience: float | None = (
        SILENT_SECONDS  #: None: for statements that may take as long as they need
    )
    used_at = 0.0

    async def wait(  # psycopg's signature
        self,
        gen: PQGen[RV],
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> RV:
        try:
            return await waiting.wait_async(
                self._while_answered(gen), self.pgconn.socket, interval, timeout
            )
        except (_Silent, asyncio.CancelledError):
            self.pgconn.finish()
            raise
        except psycopg.OperationalError:
            if _cancelled():  # so another task that works on it has just closed it, as above
                raise asyncio.CancelledError from None
            raise

    def _while_answered(self, gen: PQGen[RV]) -> PQGen[RV]:
        """The steps of a statement, as long as the server has said something lately."""
        heard = time.monotonic()
        try:
            step = next(gen)
            while True:
                ready = yield step
                now = time.monotonic()
                if ready:
                    heard = now
                elif self.patience is not None and now - heard > self.patience:
                    raise _Silent("the server does not answer")
                step = gen.send(ready)
        except StopIteration as end:
            result: RV = end.value
            return result


class _Silent(psycopg.OperationalError):
    """Nothing was heard from the server for `Connection.patience`."""


def _cancelled() -> bool:
    """Was the task that runs now cancelled? What fails while it ends must not make it try again instead."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


_joined: ContextVar[Connection | None] = ContextVar("joined_connection", default=None)


class Database:
    """A pool of autocommit connections with rows as dicts.

    Inside `transaction()`, whoever asks for a `connection()` in the same task gets the transaction's own.
    """

    def __init__(
        self, dsn: str, *, pool_min: int = 1, pool_max: int = 10, pooler: bool = False
    ) -> None:
        """
        Args:
            dsn: a libpq connection string or URI.
            pooler: a transaction pooler stands in front, so no prepared statements and no startup options.

        Raises:
            StorageUnusable: the string is not one.
        """
        self._pooler = pooler
        #: The name of this process for others: what it connects with, and holds calls under.
        self.owner = hidden(this_process()) if pooler else this_process()
        self._closing = False
        self._anew_at = 0.0
        try:
            parts = conninfo_to_dict(dsn)
            self._where = _where(parts)
            options = _connection_options(str(parts.get("options") or ""), pooler=pooler)
            options["application_name"] = APPLICATION + self.owner
            self.dsn = make_conninfo(dsn, **options)
        except psycopg.ProgrammingError:
            msg = (
                "DATABASE_URL is not a connection string: write it like "
                "postgresql://user:password@host:5432/name, with @ : / and % in the password as %40 %3A %2F %25"
            )
            raise StorageUnusable(msg) from None
        self.pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            self.dsn,
            connection_class=Connection,
            min_size=pool_min,
            max_size=pool_max,
            open=False,
            timeout=CONNECT_SECONDS,
            max_idle=300,
            max_lifetime=1800,
            # Tries again after 1, 2, 4, ... seconds. Given up, the next one who asks makes it try at once; otherwise
            # a database that was away for 20 seconds would be found again after 30.
            reconnect_timeout=CONNECT_SECONDS,
            check=_alive,
            kwargs=self._connecting,
        )

    def _connecting(self) -> dict[str, Any]:
        """For each new connection. While the pool closes, whose workers would wait for it, none is made."""
        if self._closing:
            raise StorageDown
        return {
            "autocommit": True,
            "row_factory": dict_row,
            "prepare_threshold": None if self._pooler else 0,
        }

    async def __aenter__(self) -> Self:
        """Raises StorageDown, StorageUnusable, within a few seconds."""
        await self.probe()
        await self.pool.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        await self.pool.close(timeout=CLOSE_SECONDS)

    async def probe(self) -> None:
        """One plain connection first: the pool would only say that it timed out.

        Raises:
            StorageDown, StorageUnusable: within a few seconds.
        """
        try:
            connection = await bounded(Connection.connect(self.dsn, autocommit=True), PROBE_SECONDS)
        except (psycopg.Error, OSError, ValueError) as error:  # ValueError: no such host name
            raise StorageDown(self._down(error)) from None
        async with connection:
            version = connection.info.server_version
        if version < OLDEST_SERVER:
            msg = f"the server is Postgres {version // 10000}: Holdfast needs Postgres 15 or newer"
            raise StorageUnusable(msg)

    def _down(self, error: Exception) -> str:
        """Where, and the server's own reason when it gave one; never the password."""
        reason = _SERVER_SAID.search(str(error))
        said = f" ({reason[1].strip()})" if reason else ""
        return (
            f"no database at {self._where}{said}: check DATABASE_URL and that the server is running"
        )

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """The ambient transaction's connection, or one of the pool's."""
        joined = _joined.get()
        if joined is not None:
            yield joined
            return
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self.pool.connection())
            except (psycopg.OperationalError, PoolTimeout):
                msg = f"no connection to {self._where}: check that the server is running"
                raise StorageDown(msg) from None
            try:
                yield connection
            except psycopg.errors.ReadOnlySqlTransaction:
                await connection.close()
                await self._connect_anew()
                raise

    async def _connect_anew(self) -> None:
        """A session may stay read-only after its server no longer is, or be with a server that no longer leads."""
        if time.monotonic() - self._anew_at > ANEW_SECONDS:
            self._anew_at = time.monotonic()
            await self.pool.drain()

    @asynccontextmanager
    async def unhurried(self, connection: Connection) -> AsyncIterator[None]:
        """Statements on this connection may take as long as they need: for migrations."""
        connection.patience = None
        if not self._pooler:  # there the setting would stay with somebody else's server connection
            await connection.execute("SET statement_timeout = 0")
        try:
            yield
        finally:
            connection.patience = SILENT_SECONDS
            if not self._pooler and not connection.closed:
                await connection.execute("RESET statement_timeout")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction that everything in this task joins, other transactions among it."""
        joined = _joined.get()
        if joined is not None:
            yield joined
            return
        async with self.connection() as connection, connection.transaction():
            token = _joined.set(connection)
            try:
                yield connection
            finally:
                _joined.reset(token)


@asynccontextmanager
async def storage_errors() -> AsyncIterator[None]:
    """psycopg's errors end here; their text may quote values, so it is not kept."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout):
        raise StorageDown from None
    except psycopg.Error as error:
        if (error.sqlstate or "").startswith(CANNOT_WRITE_NOW):
            raise StorageDown from None
        msg = f"the database refused a statement (SQLSTATE {error.sqlstate})"
        raise StorageError(msg) from None


async def _alive(connection: Connection) -> None:
    """Only a connection that lay idle is asked whether it still works (measured: half the round trips).

    And one that has something to say: a server that goes away says so, or its end of the line is closed. After a
    restart all connections are in that state, however lately they were used.
    """
    idle = time.monotonic() - connection.used_at
    if idle > IDLE_BEFORE_CHECK or _has_something_to_say(connection):
        await connection.execute("", prepare=False)
    connection.used_at = time.monotonic()


def _has_something_to_say(connection: Connection) -> bool:
    poll = select.poll()  # one system call; a selector takes four
    poll.register(connection.pgconn.socket, select.POLLIN)
    return bool(poll.poll(0))


def _connection_options(given: str, *, pooler: bool) -> dict[str, Any]:
    """Ours, and after them the startup options of the DSN itself, such as a search path."""
    options: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": 5,
        "tcp_user_timeout": 3000,
    }
    if not pooler:
        ours = "-c statement_timeout=5000 -c lock_timeout=3000 -c idle_in_transaction_session_timeout=5000"
        options["options"] = f"{ours} {given}".strip()
    return options


def _where(parts: dict[str, Any]) -> str:
    """Host, port and name, for messages.

    Raises:
        psycopg.ProgrammingError: part of a password is among them: libpq reads "user:pa@ss@host" as host "ss@host".
    """
    host, port = str(parts.get("host") or "localhost"), str(parts.get("port") or 5432)
    name = str(parts.get("dbname") or "")
    if "@" in host + name or not re.fullmatch(r"[0-9,]+", port):
        raise psycopg.ProgrammingError
    return f"{host}:{port}/{name or parts.get('user') or ''}"
