"""`holdfast migrate`: bring the database to this release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.running import with_services

if TYPE_CHECKING:
    from services import Services


def migrate() -> None:
    """Create or update the tables. Safe to run at any time, also by several processes at once."""

    async def work(services: Services) -> None:
        print(f"the database is up to date ({services.migrations} migrations)")

    with_services(work)
