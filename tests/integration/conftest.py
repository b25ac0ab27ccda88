"""Real Postgres: a database of the test's own, open, empty or with the test company in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from checkpoints.cipher import Cipher
from checkpoints.database import Database
from services import Services
from tests.company import Clock, company_services


@pytest.fixture
def clock() -> Clock:
    """The time of the test, which moves only when told to."""
    return Clock()


@pytest.fixture
def cipher() -> Cipher:
    """Made-up keys; the first encrypts."""
    return Cipher({"new": b"n" * 32, "old": b"o" * 32})


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    """Migrated and empty."""
    async with Database(database_dsn) as opened:
        yield opened


@pytest.fixture
async def services(database_copy: str, model_home: Path, clock: Clock) -> AsyncIterator[Services]:
    """Everything a call needs, with the test company."""
    async with company_services(database_copy, model_home, clock) as opened:
        yield opened
