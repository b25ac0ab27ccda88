"""A timer that the test moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Waiting:
    """voice.timers.Timer."""

    at: float
    happens: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class HandTimer:
    """voice.timers.Later: seconds pass when they are told to."""

    now: float = 0.0
    waiting: list[Waiting] = field(default_factory=list)

    def __call__(self, seconds: float, happens: Callable[[], None]) -> Waiting:
        one = Waiting(self.now + seconds, happens)
        self.waiting.append(one)
        return one

    def pass_(self, seconds: float) -> None:
        """Let so many seconds go by."""
        self.now += seconds
        due = [one for one in self.waiting if one.at <= self.now]
        self.waiting = [one for one in self.waiting if one.at > self.now]
        for one in due:
            if not one.cancelled:
                one.happens()

    @property
    def running(self) -> int:
        """How many are still going to happen."""
        return sum(not one.cancelled for one in self.waiting)
