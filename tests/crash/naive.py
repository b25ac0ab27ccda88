"""The control: a line that performs its writes without key and log. The harness is believed only if it fails here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import BaseModel

from adapters import EffectLogOnDatabase
from tools.effects import EffectKey, EffectOutcome

R = TypeVar("R", bound=BaseModel)


def perform_plainly() -> None:
    """From now on this process performs effects as they come, and knows of none that happened."""
    for method in (run_once, is_done):
        setattr(EffectLogOnDatabase, method.__name__, method)


async def run_once(
    log: EffectLogOnDatabase,
    key: EffectKey,
    arguments: BaseModel,
    perform: Callable[[], Awaitable[R]],
    result_type: type[R],
) -> EffectOutcome[R]:
    return EffectOutcome[R](result=await perform(), repeated=False)


async def is_done(log: EffectLogOnDatabase, key: EffectKey) -> bool:
    return False
