"""Silence: how long the caller has said nothing that was understood. A sound alone is no sign of them.

LiveKit's own timer begins anew with every sound, so in a noisy place it never ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from voice.timers import Later, Timer

#: Seconds that are given to somebody who may just be speaking.
GRACE = 5.0


class Silence:
    def __init__(
        self,
        seconds: float,
        over: Callable[[], None],
        *,
        speaking: Callable[[], bool],
        later: Later | None = None,
    ) -> None:
        """
        Args:
            seconds: the caller is waited for.
            over: told when they have passed, once.
            speaking: does it sound as if somebody spoke?
            later: default: the running event loop's timer.
        """
        self._seconds = seconds
        self._over = over
        self._speaking = speaking
        self._later = later
        self._timer: Timer | None = None

    def begins(self) -> None:
        """It is the caller's turn to speak, from now on."""
        self.ends()
        self._timer = self._in(self._seconds, self._passed)

    def ends(self) -> None:
        """The line speaks, or is about to."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def broken(self) -> None:
        """The caller said something; if they don't go on, it begins anew."""
        if self._timer is not None:
            self.begins()

    def _passed(self) -> None:
        if self._speaking():
            self._timer = self._in(GRACE, self._told)
        else:
            self._told()

    def _told(self) -> None:
        self._timer = None
        self._over()

    def _in(self, seconds: float, happens: Callable[[], None]) -> Timer:
        later = self._later or asyncio.get_running_loop().call_later
        return later(seconds, happens)
