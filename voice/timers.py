"""A timer as this package is given one: the event loop's in a call, one that the test moves in a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """What is going to happen, unless it is cancelled."""

    def cancel(self) -> None: ...


#: Call this in so many seconds: `asyncio.get_running_loop().call_later`.
Later = Callable[[float, Callable[[], None]], Timer]
