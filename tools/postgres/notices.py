"""The outbox of messages to customers: sealed until sent, wiped after."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict

from tools.notices import Contact, mask
from tools.postgres.connections import Connections, Sealer, port_method
from tools.records import Notice


class QueuedNotice(BaseModel):
    """A message on its way out."""

    model_config = ConfigDict(frozen=True)

    notice_id: UUID
    kind: str
    channel: str
    masked_to: str
    notice: Notice


class PostgresNotices:
    """The outbox of all calls; `of_call` gives one call its tools.ports.Notifier."""

    def __init__(
        self, connections: Connections, clock: Callable[[], datetime], sealer: Sealer
    ) -> None:
        self._connections = connections
        self._clock = clock
        self._sealer = sealer

    def of_call(self, call_id: UUID) -> CallNotices:
        return CallNotices(self, call_id)

    @port_method
    async def queue(self, call_id: UUID, notice: Notice) -> None:
        """Joins the ambient transaction: a notice goes out if and only if its change happened."""
        masked = mask(Contact(channel=notice.channel, to=notice.to))
        sealed = self._sealer.seal(notice.model_dump_json().encode())
        async with self._connections.connection() as connection:
            await connection.execute(
                "INSERT INTO company.notices "
                "(notice_id, call_id, kind, channel, masked_to, sealed, created_at) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (uuid4(), call_id, notice.kind, notice.channel, masked, sealed, self._clock()),
            )

    @port_method
    async def take(self, call_id: UUID) -> tuple[QueuedNotice, ...]:
        """The call's unsent messages, marked as sent and wiped here: each is handed out once."""
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "WITH due AS (SELECT notice_id, number, sealed FROM company.notices "
                "WHERE call_id = %s AND sent_at IS NULL FOR UPDATE SKIP LOCKED), "
                "sent AS (UPDATE company.notices SET sent_at = %s, sealed = NULL FROM due "
                "WHERE notices.notice_id = due.notice_id "
                "RETURNING notices.notice_id, kind, channel, masked_to, due.number, due.sealed) "
                "SELECT * FROM sent ORDER BY number",
                (call_id, self._clock()),
            )
            rows = await cursor.fetchall()
        return tuple(
            QueuedNotice(
                notice_id=row["notice_id"],
                kind=row["kind"],
                channel=row["channel"],
                masked_to=row["masked_to"],
                notice=Notice.model_validate_json(self._sealer.open(bytes(row["sealed"]))),
            )
            for row in rows
        )


class CallNotices:
    """tools.ports.Notifier of one call."""

    def __init__(self, outbox: PostgresNotices, call_id: UUID) -> None:
        self._outbox = outbox
        self._call_id = call_id

    async def send(self, notice: Notice) -> None:
        await self._outbox.queue(self._call_id, notice)
