"""What a verified caller may hear about their orders."""

from __future__ import annotations

from tools.errors import NotFound, Refused
from tools.ports import OrderBook
from tools.records import Level, Order

ORDERS_READ_OUT = 3  # more than a listener can keep in mind


async def order_of(
    orders: OrderBook, customer_id: str | None, level: Level, order: str
) -> Order | None:
    """One of the caller's own orders; None when they have no such order.

    Raises:
        Refused: the caller is not identified far enough.
    """
    try:
        return await orders.find(_owner(customer_id, level), order)
    except NotFound:
        return None


async def recent_orders(
    orders: OrderBook, customer_id: str | None, level: Level
) -> tuple[Order, ...]:
    """The caller's newest orders, newest first.

    Raises:
        Refused: the caller is not identified far enough.
    """
    return await orders.recent(_owner(customer_id, level), limit=ORDERS_READ_OUT)


def _owner(customer_id: str | None, level: Level) -> str:
    if customer_id is None or level < Level.FACT:
        raise Refused("not_verified")
    return customer_id
