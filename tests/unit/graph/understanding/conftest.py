"""The local understanding, its models fitted once for the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.understanding.local import LocalUnderstander


@pytest.fixture(scope="session")
def local(model_home: Path) -> LocalUnderstander:
    understander = LocalUnderstander(model_home / "cache")
    understander.warm_up()
    return understander
