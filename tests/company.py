"""The test company: eight customers and ten orders, and the services on a database that holds them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from services import Services, open_services
from settings import Settings

COMPANY = Path(__file__).parent / "conversations" / "company"
NOW = datetime.fromisoformat("2026-11-23T18:00:00+00:00")
KEY = "a key for tests only"


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, words: str) -> None:
        """`30s`, `16m`, `2h`."""
        unit = {"s": "seconds", "m": "minutes", "h": "hours"}[words[-1]]
        self.now += timedelta(**{unit: int(words[:-1])})


def settings_for(dsn: str, home: Path) -> Settings:
    return Settings(
        home=home, database_url=SecretStr(dsn), encryption_key=SecretStr(KEY), log_level="error"
    )


@asynccontextmanager
async def company_services(
    dsn: str, home: Path, clock: Clock | None = None
) -> AsyncIterator[Services]:
    """The real services on a database that already holds the test company."""
    settings = settings_for(dsn, home)
    async with open_services(settings, clock=clock or Clock(), demo=False) as services:
        yield services


async def fill_template(dsn: str, home: Path) -> None:
    async with company_services(dsn, home) as services:
        await services.import_company(COMPANY / "customers.csv", COMPANY / "orders.csv")
