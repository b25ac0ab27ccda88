"""Limits around every port: how long a look-up may take, one retry, how many, and a breaker for a system that is down.

Writes pass straight through: they run inside an effect, which has its own rules.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from time import monotonic
from typing import Any, ParamSpec, TypeVar, cast

import stamina
import structlog

from deadline import bounded
from tools.errors import BackendDown, BackendSlow, DeskError, Refused

log = structlog.get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
Port = TypeVar("Port")

#: The methods of tools.ports that only read.
LOOKUPS = frozenset(
    {
        "find_by_phone", "find_by_email", "find_by_order", "get", "recent", "find", "free_slots", "is_free",
        "booked_for", "search", "prepare", "available", "locked", "is_done",
    }
)  # fmt: skip
ATTEMPTS = 2
FAILURES_TO_OPEN = 5
OPEN_SECONDS = 3.0  # a system that is back is found again as soon


@dataclass
class Breaker:
    """Stops asking a system that failed several times in a row; lets one look-up through after a while."""

    failures: int = 0
    opened_at: float = 0.0
    failures_to_open: int = FAILURES_TO_OPEN
    open_seconds: float = OPEN_SECONDS

    def check(self) -> None:
        """Raises BackendDown while open."""
        if self.failures < self.failures_to_open:
            return
        if monotonic() - self.opened_at < self.open_seconds:
            raise BackendDown
        self.opened_at = monotonic()  # half open: this one tries, the others wait

    def succeeded(self) -> None:
        self.failures = 0

    def failed(self) -> None:
        self.failures += 1
        if self.failures == self.failures_to_open:
            self.opened_at = monotonic()

    def called_off(self) -> None:
        """Nobody waited for the answer: whoever was let through while open has found out nothing, and the next may."""
        if self.failures >= self.failures_to_open:
            self.opened_at = monotonic() - self.open_seconds


@dataclass
class Window:
    """At most so many in so many seconds."""

    most: int
    seconds: float
    times: deque[float] = field(default_factory=deque)

    def take(self) -> None:
        """Raises Refused when there were too many."""
        now = monotonic()
        while self.times and now - self.times[0] > self.seconds:
            self.times.popleft()
        if len(self.times) >= self.most:
            raise Refused("rate_limited")
        self.times.append(now)


@dataclass(frozen=True)
class Limits:
    """What look-ups of one call are held to. `process` is shared by all calls."""

    seconds: float
    call: Window
    process: Window
    breakers: dict[str, Breaker]


@dataclass
class Patience:
    """Seconds that are left for look-ups. A slow system answers each in time, and ten of them too late."""

    left: float


_patience: ContextVar[Patience | None] = ContextVar("patience", default=None)


def look_up_within(seconds: float) -> None:
    """For all the look-ups of the turn that begins in this task, together."""
    _patience.set(Patience(seconds))


class _Guarded:
    """A port whose look-ups are held to limits."""

    def __init__(self, port: object, limits: Limits) -> None:
        self._port = port
        self._limits = limits
        self._breaker = limits.breakers.setdefault(type(port).__name__, Breaker())

    def __getattr__(self, name: str) -> object:
        method = getattr(self._port, name)
        return self._guard(method) if name in LOOKUPS else method

    def _guard(self, method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Awaitable[T]]:
        @wraps(method)
        async def looked_up(*args: P.args, **kwargs: P.kwargs) -> T:
            self._limits.call.take()
            self._limits.process.take()
            async for attempt in stamina.retry_context(
                on=BackendDown, attempts=ATTEMPTS, wait_initial=0.05, wait_jitter=0.05, timeout=None
            ):
                with attempt:
                    return await self._once(lambda: method(*args, **kwargs))
            raise AssertionError

        return looked_up

    async def _once(self, lookup: Callable[[], Coroutine[Any, Any, T]]) -> T:
        self._breaker.check()
        patience = _patience.get() or Patience(float("inf"))
        seconds = min(self._limits.seconds, patience.left)
        if seconds <= 0:
            raise BackendSlow
        began = monotonic()
        try:
            result = await in_time(lookup(), seconds)
        except BackendDown:
            self._breaker.failed()
            log.warning("lookup.failed", port=type(self._port).__name__)
            raise
        except DeskError:  # "no such order" is an answer
            self._breaker.succeeded()
            raise
        finally:
            patience.left -= monotonic() - began
        self._breaker.succeeded()
        return result


def guarded(port: Port, limits: Limits) -> Port:
    """The port, with its look-ups held to the limits. Same type to whoever uses it."""
    return cast("Port", _Guarded(port, limits))


async def in_time(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """The result, if it comes while a caller can wait. A write that took longer may have happened all the same.

    Raises:
        BackendSlow
    """
    try:
        return await bounded(work, seconds)
    except TimeoutError:
        raise BackendSlow from None
