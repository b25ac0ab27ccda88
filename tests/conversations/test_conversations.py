"""Every file in this folder is a call, or several: see README.md here for the form."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.company import company_services
from tests.conversations.played import Played

FOLDER = Path(__file__).parent
FILES = sorted(file.relative_to(FOLDER) for file in FOLDER.glob("*/*.yaml"))


@pytest.fixture
async def played(database_copy: str, model_home: Path) -> AsyncIterator[Played]:
    async with company_services(database_copy, model_home) as services:
        yield Played(services)


@pytest.mark.parametrize("file", FILES, ids=str)
async def test_conversation(file: Path, played: Played) -> None:
    script: dict[str, Any] = yaml.safe_load((FOLDER / file).read_text("utf-8"))
    await played.play(script)
    await played.check_end(script.get("ends", {}))
