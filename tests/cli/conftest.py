"""The command on a database with the test company, and with models that were fitted once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.cli.command import Holdfast
from tests.company import KEY, NOW, settings_for


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Holdfast:
    """With nothing set but a home that does not exist: for what must not need a database."""
    folder = tmp_path_factory.mktemp("elsewhere")
    return Holdfast(folder, {"HOLDFAST_HOME": str(folder / "home")})


@pytest.fixture
def holdfast(database_copy: str, model_home: Path, tmp_path: Path) -> Holdfast:
    """On a database of the test's own, with the test company in it."""
    return Holdfast(
        tmp_path,
        {
            "HOLDFAST_HOME": str(model_home),
            "HOLDFAST_CACHE": str(settings_for(database_copy, model_home).cache),
            "HOLDFAST_ENCRYPTION_KEY": KEY,
            "DATABASE_URL": database_copy,
        },
    )


@pytest.fixture
def now() -> tuple[str, str]:
    """Options: Monday, 23 November 2026, 18:00 UTC, for which the test company was written."""
    return ("--now", NOW.isoformat())


@pytest.fixture
def register(database_copy: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """The same database, looked at from outside."""
    with psycopg.connect(database_copy, autocommit=True, row_factory=dict_row) as connection:
        yield connection
