"""Nothing is written for words the caller may not have said: a port whose writes wait until the turn is confirmed.

Then they may take as long as a caller can wait.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from tools.limits import LOOKUPS, in_time

P = ParamSpec("P")
T = TypeVar("T")
Port = TypeVar("Port")
WRITE_SECONDS = 3.0


class Gate(Protocol):
    """What a turn's writes wait for."""

    async def passed(self) -> None:
        """Returns when the turn is confirmed and all before it is on record; never, for a discarded turn.

        Raises:
            BackendDown: it is confirmed, and what came before can't be put on record now.
        """


class _HeldBack:
    def __init__(self, port: object, gate: Gate) -> None:
        self._port = port
        self._gate = gate

    def __getattr__(self, name: str) -> object:
        method = getattr(self._port, name)
        return method if name in LOOKUPS else self._hold_back(method)

    def _hold_back(self, method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Awaitable[T]]:
        @wraps(method)
        async def after_gate(*args: P.args, **kwargs: P.kwargs) -> T:
            await self._gate.passed()
            return await in_time(method(*args, **kwargs), WRITE_SECONDS)

        return after_gate


def held_back(port: Port, gate: Gate) -> Port:
    """The port, with everything that writes waiting at the gate. Same type to whoever uses it."""
    return cast("Port", _HeldBack(port, gate))
