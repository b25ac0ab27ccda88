"""The order book in Postgres."""

from __future__ import annotations

from psycopg.rows import DictRow

from tools.errors import NotFound
from tools.postgres.connections import Connections, port_method
from tools.records import Order, OrderItem


def plain_id(order_id: str) -> str:
    """An order id as it is heard: letters and digits, upper case."""
    return "".join(char for char in order_id.upper() if char.isalnum())


def order_of(row: DictRow) -> Order:
    """A row of company.orders as a record."""
    fields = {name: row[name] for name in Order.model_fields if name != "items"}
    return Order(items=tuple(OrderItem.model_validate(item) for item in row["items"]), **fields)


class PostgresOrders:
    """tools.ports.OrderBook."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    @port_method
    async def recent(self, customer_id: str, limit: int = 5) -> tuple[Order, ...]:
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "SELECT * FROM company.orders WHERE customer_id = %s "
                "ORDER BY placed_at DESC, order_id LIMIT %s",
                (customer_id, limit),
            )
            return tuple(order_of(row) for row in await cursor.fetchall())

    @port_method
    async def find(self, customer_id: str, order: str) -> Order:
        heard = plain_id(order)
        if not heard:
            raise NotFound
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "SELECT * FROM company.orders WHERE customer_id = %(customer)s "
                "AND (plain_id = %(heard)s OR digits = %(heard)s "
                "OR (digits <> '' AND ltrim(digits, '0') = ltrim(%(heard)s, '0'))) LIMIT 20",
                {"customer": customer_id, "heard": heard},
            )
            rows = await cursor.fetchall()
        for meant in (
            [row for row in rows if row["plain_id"] == heard],
            [row for row in rows if row["digits"] == heard],
            rows,
        ):
            if len(meant) == 1:
                return order_of(meant[0])
        raise NotFound
