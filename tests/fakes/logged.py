"""What a module logs."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs


@contextmanager
def logged(module: ModuleType) -> Iterator[list[MutableMapping[str, Any]]]:
    """Its events meanwhile. A logger that was used before keeps its processors, so the module is given a new one."""
    with pytest.MonkeyPatch.context() as patch, capture_logs() as events:
        patch.setattr(module, "log", structlog.get_logger())
        yield events
