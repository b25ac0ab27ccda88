"""Who can take calls over, and the cases they were given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from tools.ports import LanguageCode
from tools.postgres.connections import Connections, port_method
from tools.records import Handover, HandoverTicket, TransferOutcome

Availability = Literal["table", "always", "never"]  # "table": as company.staff says


class PostgresStaff:
    """tools.ports.StaffDesk."""

    def __init__(
        self,
        connections: Connections,
        clock: Callable[[], datetime],
        availability: Availability = "table",
    ) -> None:
        self._connections = connections
        self._clock = clock
        self._availability = availability

    @port_method
    async def available(self, language: LanguageCode) -> bool:
        if self._availability != "table":
            return self._availability == "always"
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "SELECT 1 FROM company.staff WHERE available AND %s = ANY (languages) LIMIT 1",
                (language,),
            )
            return await cursor.fetchone() is not None

    @port_method
    async def hand_over(
        self, handover: Handover, way: Literal["transfer", "queue"]
    ) -> HandoverTicket:
        ticket = HandoverTicket(handover_id=uuid4(), way=way)
        async with self._connections.connection() as connection:
            await connection.execute(
                "INSERT INTO company.handovers (handover_id, call_id, way, record, created_at) "
                "VALUES (%s, %s, %s, %s, %s)",
                (
                    ticket.handover_id,
                    handover.call_id,
                    way,
                    handover.model_dump_json(),
                    self._clock(),
                ),
            )
        return ticket

    @port_method
    async def transferred(self, call_id: UUID, outcome: TransferOutcome) -> None:
        async with self._connections.connection() as connection:
            await connection.execute(
                "UPDATE company.handovers SET outcome = %s WHERE handover_id = ("
                "SELECT handover_id FROM company.handovers "
                "WHERE call_id = %s AND way = 'transfer' ORDER BY number DESC LIMIT 1)",
                (outcome, call_id),
            )
