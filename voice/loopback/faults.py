"""How a loopback server fails on purpose: what is wrong with it now, until when, and who waits for it to pass."""

from __future__ import annotations

import asyncio
from typing import Literal

Fault = Literal[
    "refuse",  # a new connection is answered with 503
    "close",  # a connection is closed when the first answer on it is due
    "stall",  # connections are taken and nothing is ever answered while it lasts
    "error",  # HTTP requests get a 500, sockets the vendor's error message
]
FAULTS: tuple[Fault, ...] = ("refuse", "close", "stall", "error")


class Faults:
    """The one fault a server has at a time, if any."""

    def __init__(self) -> None:
        self.now: Fault | None = None
        self._cleared = asyncio.Event()
        self._cleared.set()
        self._timer: asyncio.TimerHandle | None = None

    def fail(self, fault: Fault, seconds: float | None = None) -> None:
        """Begin to fail, for so many seconds or until cleared."""
        self.clear()
        self.now = fault
        self._cleared.clear()
        if seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.clear)

    def clear(self) -> None:
        """Work again. What a stall held back is answered now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.now = None
        self._cleared.set()

    async def stalled(self) -> None:
        """Return when no stall is on."""
        while self.now == "stall":
            await self._cleared.wait()
