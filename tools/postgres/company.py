"""The built-in company as a whole: its systems, its demo data, and what changed in it."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from tools.postgres.callbacks import PostgresCallbacks
from tools.postgres.connections import Connections, Sealer, port_method
from tools.postgres.customers import PostgresCustomers
from tools.postgres.demo import demo_customers, demo_orders
from tools.postgres.embeddings import Embedder
from tools.postgres.forgetting import PostgresForgetting
from tools.postgres.identity import PostgresIdentityVault
from tools.postgres.imports import write_customers, write_orders
from tools.postgres.knowledge import PostgresKnowledge, read_topics
from tools.postgres.notices import PostgresNotices
from tools.postgres.orders import PostgresOrders
from tools.postgres.staff import Availability, PostgresStaff

MIGRATIONS = Path(__file__).parent / "migrations"
FAQ = Path(__file__).parent / "faq"
_SETTLING = 0x401DFA58  # advisory lock: one process fills an empty company


class PostgresCompany:
    """Every built-in system on one database."""

    def __init__(
        self,
        connections: Connections,
        clock: Callable[[], datetime],
        sealer: Sealer,
        *,
        staff: Availability = "table",
        embedder: Embedder | None = None,
        folder: Path | None = None,
    ) -> None:
        """
        Args:
            folder: where fitted models are kept.
        """
        self._connections = connections
        self._clock = clock
        self._sealer = sealer
        self._staff = staff
        self.customers = PostgresCustomers(connections)
        self.orders = PostgresOrders(connections)
        self.callbacks = PostgresCallbacks(connections, clock)
        self.knowledge = PostgresKnowledge(connections, embedder, folder)
        self.staff = PostgresStaff(connections, clock, staff)
        self.notices = PostgresNotices(connections, clock, sealer)
        self.vault = PostgresIdentityVault(connections, clock, sealer)
        self.forgetting = PostgresForgetting(connections, sealer)

    def at(self, clock: Callable[[], datetime]) -> Self:
        """The same systems by another clock: for a replay, where it is as late as it was then."""
        other = copy(self)
        other.callbacks = PostgresCallbacks(self._connections, clock)
        other.staff = PostgresStaff(self._connections, clock, self._staff)
        other.notices = PostgresNotices(self._connections, clock, self._sealer)
        other.vault = PostgresIdentityVault(self._connections, clock, self._sealer)
        return other

    @port_method
    async def settle(self, *, demo: bool) -> None:
        """At first use: the answers that come with Holdfast and, when wanted, the demo company."""
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "SELECT EXISTS (SELECT 1 FROM company.knowledge) AS answers, "
                "EXISTS (SELECT 1 FROM company.customers) AS customers"
            )
            row = await cursor.fetchone()
        if row is not None and row["answers"] and (row["customers"] or not demo):
            return
        async with self._connections.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SETTLING,))
            cursor = await connection.execute(
                "SELECT EXISTS (SELECT 1 FROM company.knowledge) AS answers, "
                "EXISTS (SELECT 1 FROM company.customers) AS customers"
            )
            row = await cursor.fetchone()
            if row is not None and not row["answers"]:
                await self.knowledge.load(read_topics(FAQ))
            if demo and row is not None and not row["customers"]:
                customers = demo_customers()
                await write_customers(connection, customers, demo=True)
                await write_orders(connection, demo_orders(customers, self._clock()), demo=True)

    @port_method
    async def set_staff_available(self, available: bool) -> None:
        """Until staff have a desk: can somebody take a transfer now, in every language?"""
        async with self._connections.connection() as connection:
            await connection.execute(
                "INSERT INTO company.staff (name, languages, available) "
                "VALUES ('desk', '{en,es,fr}', %(available)s) "
                "ON CONFLICT (name) DO UPDATE SET available = excluded.available",
                {"available": available},
            )

    @port_method
    async def callers(self) -> list[tuple[str, str, str]]:
        """Phone, language and postal code of every customer: for benchmarks, which must call as somebody."""
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "SELECT phone, language, postal_code FROM company.customers ORDER BY customer_id"
            )
            return [
                (row["phone"], row["language"], row["postal_code"])
                for row in await cursor.fetchall()
            ]

    @port_method
    async def snapshot(self) -> dict[str, Any]:
        """All that a call may change, every column: for comparing end states."""
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "SELECT * FROM company.customers ORDER BY customer_id"
            )
            customers = {row["customer_id"]: row for row in await cursor.fetchall()}
            cursor = await connection.execute("SELECT * FROM company.callbacks ORDER BY starts_at")
            callbacks = await cursor.fetchall()
            cursor = await connection.execute("SELECT * FROM company.handovers ORDER BY number")
            handovers = [{**row, **row["record"]} for row in await cursor.fetchall()]
        return {"customers": customers, "callbacks": callbacks, "handovers": handovers}
