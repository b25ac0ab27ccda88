"""What the built-in company systems hold of a customer or of old calls, deleted; and their secrets under a new key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from tools.postgres.connections import Connection, Connections, Sealer, port_method

Counts = dict[str, int]
_OF_CALLS: dict[str, LiteralString] = {
    "handovers": "DELETE FROM company.handovers WHERE call_id = ANY(%(calls)s)",
    "notices": "DELETE FROM company.notices WHERE call_id = ANY(%(calls)s)",
    "one_time_codes": "DELETE FROM company.one_time_codes WHERE call_id = ANY(%(calls)s)",
    "code_checks": "DELETE FROM company.code_checks WHERE call_id = ANY(%(calls)s)",
    "callbacks": "DELETE FROM company.callbacks WHERE call_id = ANY(%(calls)s) AND starts_at < %(before)s",
}
_OF_CUSTOMER: dict[str, LiteralString] = {
    "handovers": "DELETE FROM company.handovers WHERE call_id = ANY(%(calls)s) "
    "OR record->>'customer_id' = %(customer)s",
    "notices": "DELETE FROM company.notices WHERE call_id = ANY(%(calls)s)",
    "one_time_codes": "DELETE FROM company.one_time_codes WHERE call_id = ANY(%(calls)s) "
    "OR customer_id = %(customer)s",
    "code_checks": "DELETE FROM company.code_checks WHERE call_id = ANY(%(calls)s)",
    "identity_failures": "DELETE FROM company.identity_failures WHERE call_id = ANY(%(calls)s) "
    "OR account = %(customer)s OR caller_key = ANY(%(keys)s)",
    "callbacks": "DELETE FROM company.callbacks WHERE call_id = ANY(%(calls)s) OR phone = ANY(%(phones)s)",
    "orders": "DELETE FROM company.orders WHERE customer_id = %(customer)s",
    "customers": "DELETE FROM company.customers WHERE customer_id = %(customer)s",
}


class PostgresForgetting:
    """Deletions across the company's tables. Each joins the ambient transaction."""

    def __init__(self, connections: Connections, sealer: Sealer) -> None:
        self._connections = connections
        self._sealer = sealer

    @port_method
    async def phones_of(self, customer_id: str) -> tuple[str, ...] | None:
        """The number on file; None when there is no such customer."""
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "SELECT phone FROM company.customers WHERE customer_id = %s", (customer_id,)
            )
            row = await cursor.fetchone()
        return None if row is None else tuple(filter(None, (str(row["phone"]),)))

    @port_method
    async def calls_about(self, customer_id: str, phones: Sequence[str]) -> tuple[UUID, ...]:
        """Calls whose handover names the customer, or that booked a callback to their number."""
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "SELECT call_id FROM company.handovers WHERE record->>'customer_id' = %(customer)s "
                "UNION SELECT call_id FROM company.callbacks WHERE phone = ANY(%(phones)s) "
                "UNION SELECT call_id FROM company.one_time_codes WHERE customer_id = %(customer)s",
                {"customer": customer_id, "phones": list(phones)},
            )
            return tuple(row["call_id"] for row in await cursor.fetchall())

    @port_method
    async def forget_customer(
        self, customer_id: str, phones: Sequence[str], keys: Sequence[str], calls: Sequence[UUID]
    ) -> Counts:
        """Everything of the customer, and of the calls that were theirs.

        Args:
            keys: keyed hashes of their numbers.
        """
        values = {
            "customer": customer_id,
            "phones": list(phones),
            "keys": list(keys),
            "calls": list(calls),
        }
        async with self._connections.connection() as connection:
            return await _counted(connection, _OF_CUSTOMER, values)

    @port_method
    async def forget_calls(self, calls: Sequence[UUID], before: datetime) -> Counts:
        """What old calls left in the company's systems; callbacks still to come stay."""
        values = {"calls": list(calls), "before": before}
        async with self._connections.connection() as connection:
            counts = await _counted(connection, _OF_CALLS, values)
            cursor = await connection.execute(
                "DELETE FROM company.identity_failures WHERE failed_at < %s", (before,)
            )
        return {**counts, "identity_failures": cursor.rowcount}

    @port_method
    async def reseal(self) -> int:
        """Unsent notices under the first key."""
        async with self._connections.transaction() as connection:
            cursor = await connection.execute(
                "SELECT notice_id, sealed FROM company.notices WHERE sealed IS NOT NULL FOR UPDATE"
            )
            rows = await cursor.fetchall()
            for row in rows:
                sealed = self._sealer.seal(self._sealer.open(bytes(row["sealed"])))
                await connection.execute(
                    "UPDATE company.notices SET sealed = %s WHERE notice_id = %s",
                    (sealed, row["notice_id"]),
                )
        return len(rows)


async def _counted(
    connection: Connection, statements: dict[str, LiteralString], values: Mapping[str, object]
) -> Counts:
    return {
        name: (await connection.execute(query, values)).rowcount
        for name, query in statements.items()
    }
