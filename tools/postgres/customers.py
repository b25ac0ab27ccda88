"""The customer directory in Postgres."""

from __future__ import annotations

from typing import LiteralString

from psycopg.rows import DictRow

from tools.errors import NotFound
from tools.postgres.connections import Connections, port_method
from tools.records import Address, Customer

_COLUMNS: LiteralString = (
    "c.customer_id, full_name, email, phone, language, "
    "line1, line2, city, region, postal_code, country"
)


def customer_of(row: DictRow) -> Customer:
    """A row of company.customers as a record."""
    address = Address.model_validate({name: row[name] for name in Address.model_fields})
    plain = {name: row[name] for name in Customer.model_fields if name != "address"}
    return Customer(address=address, **plain)


class PostgresCustomers:
    """tools.ports.CustomerDirectory."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    @port_method
    async def find_by_phone(self, phone: str) -> tuple[Customer, ...]:
        return await self._find("c.phone = %(value)s", phone)

    @port_method
    async def find_by_email(self, email: str) -> tuple[Customer, ...]:
        return await self._find("lower(c.email) = lower(%(value)s)", email)

    @port_method
    async def find_by_order(self, order: str) -> tuple[Customer, ...]:
        if not order:
            return ()
        return await self._find(
            "EXISTS (SELECT 1 FROM company.orders o WHERE o.customer_id = c.customer_id "
            "AND (o.plain_id = %(value)s OR o.digits = %(value)s))",
            order.upper(),
        )

    @port_method
    async def get(self, customer_id: str) -> Customer:
        found = await self._find("c.customer_id = %(value)s", customer_id)
        if not found:
            raise NotFound
        return found[0]

    @port_method
    async def update_address(self, customer_id: str, address: Address) -> Customer:
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "UPDATE company.customers AS c SET line1 = %(line1)s, line2 = %(line2)s, city = %(city)s, "
                "region = %(region)s, postal_code = %(postal_code)s, country = %(country)s "
                f"WHERE customer_id = %(customer_id)s RETURNING {_COLUMNS}",
                {**address.model_dump(), "customer_id": customer_id},
            )
            row = await cursor.fetchone()
        if row is None:
            raise NotFound
        return customer_of(row)

    @port_method
    async def update_phone(self, customer_id: str, phone: str) -> Customer:
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "UPDATE company.customers AS c SET phone = %s WHERE customer_id = %s "
                f"RETURNING {_COLUMNS}",
                (phone, customer_id),
            )
            row = await cursor.fetchone()
        if row is None:
            raise NotFound
        return customer_of(row)

    async def _find(self, condition: LiteralString, value: str) -> tuple[Customer, ...]:
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                f"SELECT {_COLUMNS} FROM company.customers c WHERE {condition} "
                "ORDER BY c.customer_id LIMIT 20",
                {"value": value},
            )
            return tuple(customer_of(row) for row in await cursor.fetchall())
