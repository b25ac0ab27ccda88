"""Changes to an account. Each runs inside EffectLog.run_once and tells the contact that was on file before."""

from __future__ import annotations

from tools.errors import Refused
from tools.notices import notify_change
from tools.ports import CustomerDirectory, Notifier
from tools.records import Address, Customer, Level


async def update_address(
    customers: CustomerDirectory,
    notices: Notifier,
    *,
    customer_id: str,
    level: Level,
    address: Address,
    company: str,
) -> Customer:
    """The customer as it is after the change.

    Raises:
        Refused: the caller has not given the one-time code, or the address is not accepted.
    """
    _require_code(level)
    before = await customers.get(customer_id)
    after = await customers.update_address(customer_id, address)
    await notify_change(notices, before, "address_changed", company)
    return after


async def update_phone(
    customers: CustomerDirectory,
    notices: Notifier,
    *,
    customer_id: str,
    level: Level,
    phone: str,
    company: str,
) -> Customer:
    """The customer as it is after the change.

    Raises:
        Refused: the caller has not given the one-time code, or the number is not accepted.
    """
    _require_code(level)
    before = await customers.get(customer_id)
    after = await customers.update_phone(customer_id, phone)
    await notify_change(notices, before, "phone_changed", company)
    return after


def _require_code(level: Level) -> None:
    if level < Level.CODE:
        raise Refused("not_verified")
