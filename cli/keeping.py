"""`holdfast prune`, `erase`, `rotate-key`: what is kept, for how long, and under which key."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli.running import USAGE, fail, with_services

if TYPE_CHECKING:
    from services import Services

_UNITS = {"d": "days", "h": "hours", "w": "weeks"}


def prune_calls(
    older_than: Annotated[str, typer.Option(metavar="AGE", help="for example 90d, 12w or 36h")],
) -> None:
    """Delete calls whose last turn is older, with everything they left."""
    age = _age(older_than)

    async def work(services: Services) -> None:
        from keeping import prune

        _print("pruned", await prune(services, age))

    with_services(work)


def erase(
    customer: Annotated[str, typer.Option(metavar="ID", help="the customer's id")],
) -> None:
    """Erase a customer everywhere: account, orders, callbacks, handovers, codes, notices, and their calls."""

    async def work(services: Services) -> None:
        from keeping import erase_customer

        _print("erased", await erase_customer(services, customer))

    with_services(work)


def rotate() -> None:
    """Encrypt everything with the newest key, while calls go on. Old keys can be taken away afterwards."""

    async def work(services: Services) -> None:
        from keeping import rotate_key

        key_id, counts = await rotate_key(services)
        _print(f"everything is sealed with key {key_id}; sealed again", counts)

    with_services(work)


def _age(text: str) -> timedelta:
    parts = re.fullmatch(r"(\d{1,5})([dhw])", text.strip())
    if parts is None:
        fail(f"--older-than is not an age: {text!r}; for example 90d, 12w or 36h", USAGE)
    return timedelta(**{_UNITS[parts[2]]: int(parts[1])})


def _print(what: str, counts: dict[str, int]) -> None:
    shown = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
    print(f"{what}: {shown or 'nothing'}")
