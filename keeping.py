"""Keeping and forgetting in all that Holdfast holds: erase a customer, prune old calls, take a new key. Audited."""

from __future__ import annotations

from datetime import timedelta

from checkpoints.cipher import add_key
from checkpoints.retention import (
    Counts,
    audited,
    calls_of_customer,
    calls_older_than,
    delete_calls,
    reencrypt,
)
from services import Services
from tools.errors import NotFound


async def erase_customer(services: Services, customer_id: str) -> Counts:
    """Everything kept of a customer: account, orders, callbacks, handovers, codes, notices, and their calls.

    Their calls are those from the number on file and those in which the account was named or proven. A call that is
    live is taken from its worker. What is left is a line in the audit log, under a keyed hash.

    Raises:
        NotFound: there is no such customer, nor any call about one.
    """
    database, forgetting = services.database, services.company.forgetting
    keyed_hash = services.cipher.keyed_hash
    on_file = await forgetting.phones_of(customer_id)
    phones = on_file or ()
    keys = [keyed_hash(phone) for phone in phones]
    subject = keyed_hash(customer_id)
    calls = {
        *await calls_of_customer(database, (subject, *keys)),
        *await forgetting.calls_about(customer_id, phones),
    }
    if on_file is None and not calls:
        msg = f"there is no customer {customer_id}, and no call about one"
        raise NotFound(msg)
    async with database.transaction():
        counts = {
            **await delete_calls(database, sorted(calls)),
            **await forgetting.forget_customer(customer_id, phones, keys, sorted(calls)),
        }
        await audited(database, "erase_customer", subject, counts)
    return counts


async def prune(services: Services, age: timedelta) -> Counts:
    """Calls whose last turn is older, with all they left but callbacks still to come."""
    before = services.clock() - age
    database = services.database
    calls = await calls_older_than(database, before)
    async with database.transaction():
        counts = {
            **await services.company.forgetting.forget_calls(calls, before),
            **await delete_calls(database, calls),
        }
        await audited(database, "prune", None, counts)
    return counts


async def rotate_key(services: Services) -> tuple[str, Counts]:
    """Everything under the newest key; calls go on meanwhile, because the old keys still open what they sealed.

    With keys from the environment the newest is the first of HOLDFAST_ENCRYPTION_KEY. Without, one is made and put
    in front of those in the key file, which running processes read again when they meet it.

    Returns:
        The id of the key, and how many rows were sealed again.
    """
    settings = services.settings
    cipher = services.cipher
    if settings.encryption_key is None:
        add_key(settings.home)
        cipher.reread()
    counts = await reencrypt(services.database, cipher)
    counts["notices"] = await services.company.forgetting.reseal()
    await audited(services.database, "rotate_key", cipher.key_ids[0], counts)
    return cipher.key_ids[0], counts
