"""What the built-in company systems are given, and the edge where a driver's errors become theirs."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar

import psycopg
from psycopg.rows import DictRow

from tools.errors import BackendDown, DeskError

P = ParamSpec("P")
T = TypeVar("T")
Connection = psycopg.AsyncConnection[DictRow]


class Connections(Protocol):
    """Where connections come from: the ambient transaction when there is one."""

    def connection(self) -> AbstractAsyncContextManager[Connection]: ...

    def transaction(self) -> AbstractAsyncContextManager[Connection]: ...


class Sealer(Protocol):
    """Secrets at rest, and hashes that cannot be guessed without the key."""

    def seal(self, plaintext: bytes) -> bytes: ...

    def open(self, sealed: bytes) -> bytes: ...

    def keyed_hash(self, value: str) -> str: ...


def port_method(
    method: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """The edge of a port: whatever the database does wrong becomes BackendDown, without its text."""

    @wraps(method)
    async def edged(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(*args, **kwargs)
        except DeskError:
            raise
        except (psycopg.Error, OSError):
            raise BackendDown from None

    return edged
