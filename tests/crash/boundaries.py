"""Every point at which a process can die: before and after each statement, commit, effect, notice and register write.

Installed in a forked child only: psycopg and our own writers are wrapped where they stand.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar

import psycopg
from pydantic import BaseModel

from checkpoints.calls import CallRegister
from checkpoints.effects import PostgresEffectLog
from tools.postgres.notices import PostgresNotices

R = TypeVar("R", bound=BaseModel)
_STATEMENT = re.compile(
    r"\s*(\w+)(?:.*?\b(?:INTO|FROM|UPDATE|JOIN)\s+([\w.]+)|\s+([\w.]+))?", re.DOTALL
)


class Boundaries:
    """Counts boundaries once armed, and strikes at the n-th."""

    def __init__(self, at: int, strike: Callable[[str], None]) -> None:
        """
        Args:
            at: which boundary, from 1.
            strike: does the fault; it is told the boundary's name.
        """
        self.armed = False
        self._count = 0
        self._at = at
        self._strike = strike

    def passed(self, name: str) -> None:
        if not self.armed:
            return
        self._count += 1
        if self._count == self._at:
            self._strike(name)

    def install(self) -> None:
        """Wrap what writes and reads. There is no way back: the process is a run's own."""
        for method in ("execute", "executemany"):
            self._around(psycopg.AsyncCursor, method, lambda _, query, *__: statement_name(query))
        self._around(psycopg.AsyncConnection, "commit", lambda _: "commit")
        self._around(psycopg.AsyncConnection, "rollback", lambda _: "rollback")
        self._around(psycopg.AsyncTransaction, "__aenter__", lambda _: "begin")
        self._around(psycopg.AsyncTransaction, "__aexit__", _how_it_ends)
        self._around(psycopg.AsyncPipeline, "__aexit__", lambda *_: "pipeline sync")
        self._around(CallRegister, "write_turn", lambda *_: "register write")
        self._around(PostgresNotices, "queue", lambda *_: "notice queued")
        self._around_perform()

    def _around(self, owner: type, method: str, name_of: Callable[..., str]) -> None:
        original = getattr(owner, method)

        @wraps(original)
        async def between(*args: Any, **kwargs: Any) -> Any:
            name = name_of(*args)
            self.passed(f"before {name}")
            result = await original(*args, **kwargs)
            self.passed(f"after {name}")
            return result

        setattr(owner, method, between)

    def _around_perform(self) -> None:
        original = PostgresEffectLog.run_once

        async def between(
            log: PostgresEffectLog,
            key: Any,
            arguments: BaseModel,
            perform: Callable[[], Awaitable[R]],
            *rest: Any,
        ) -> Any:
            async def performed() -> R:
                self.passed(f"before perform {key.effect}")
                result = await perform()
                self.passed(f"after perform {key.effect}")
                return result

            return await original(log, key, arguments, performed, *rest)

        setattr(PostgresEffectLog, "run_once", between)  # noqa: B010 - mypy takes no new method


def _how_it_ends(_: object, kind: type[BaseException] | None, *__: object) -> str:
    return "commit" if kind is None else "rollback"


def statement_name(query: object) -> str:
    """A statement's verb and table, for the report."""
    text = query.decode() if isinstance(query, bytes) else str(query)
    found = _STATEMENT.match(text)
    if found is None:
        return "nothing"
    return " ".join(part for part in (found[1].lower(), found[2] or found[3]) if part)
