"""Finding an account from what a caller says, and judging whether a fact belongs to it."""

from __future__ import annotations

import hmac
import re

from tools.ports import CustomerDirectory
from tools.records import Customer


async def find_accounts(
    customers: CustomerDirectory, slot: str, value: str
) -> tuple[Customer, ...]:
    """Accounts that a phone number, e-mail or order number points to; empty when there is none."""
    if slot == "phone":
        return await customers.find_by_phone(value)
    if slot == "email":
        return await customers.find_by_email(value.lower())
    return await customers.find_by_order(value)


async def matches_fact(
    customers: CustomerDirectory, customer: Customer, slot: str, value: str
) -> bool:
    """Does the fact belong to this account? Names are no fact: too many people know them."""
    if slot == "postal_code":
        return _same(_postal(value, customer), _postal(customer.address.postal_code, customer))
    if slot == "email":
        return _same(value.lower(), customer.email.lower())
    if slot == "phone":
        return _same(value, customer.phone)
    if slot == "order":
        owners = await customers.find_by_order(value)
        return any(owner.customer_id == customer.customer_id for owner in owners)
    return False


def _postal(text: str, customer: Customer) -> str:
    """Comparable form; of a US ZIP+4 the five digits people know."""
    plain = _plain(text)
    return plain[:5] if customer.address.country == "US" else plain


def _plain(text: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def _same(said: str, on_file: str) -> bool:
    return bool(said) and hmac.compare_digest(said.encode(), on_file.encode())
