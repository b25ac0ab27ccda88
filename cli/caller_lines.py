"""The caller's side of a terminal call: the JSON lines a program writes, and the lines of standard input."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator


class CallerLine(BaseModel):
    """One thing a caller does: exactly one of say, keys, silence, drop, hangup."""

    model_config = ConfigDict(extra="forbid", strict=True)

    say: str | None = None
    heard: str | None = None  #: with `say`: the part of our last line that was heard
    keys: str | None = None
    silence: bool = False
    drop: bool = False
    hangup: bool = False

    @model_validator(mode="after")
    def one_thing(self) -> CallerLine:
        done = (self.say is not None, self.keys is not None, self.silence, self.drop, self.hangup)
        if sum(done) != 1:
            msg = "give exactly one of say, keys, silence, drop, hangup"
            raise ValueError(msg)
        return self


class UnreadableLine(ValueError):
    """What is wrong with a line, and what to write instead. Never repeats what was in it."""


def parse_line(raw: str) -> CallerLine:
    """Raises UnreadableLine."""
    try:
        data: object = json.loads(raw.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        msg = 'not JSON: write one object per line, for example {"say": "hello"}'
        raise UnreadableLine(msg) from None
    if not isinstance(data, dict):
        msg = 'not an object: write one per line, for example {"say": "hello"}'
        raise UnreadableLine(msg)
    try:
        return CallerLine.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise UnreadableLine(f"{where}: {reason}" if where else reason) from None


async def input_lines() -> AsyncIterator[str]:
    """Lines of standard input as they come, until its end.

    A daemon thread reads, because a blocking read elsewhere would keep Ctrl-C from ending the process.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue()

    def put(line: str | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(queue.put_nowait, line)

    def read() -> None:
        stream = open(sys.stdin.fileno(), encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        for line in stream:
            put(line)
        put(None)

    threading.Thread(target=read, daemon=True).start()
    while (line := await queue.get()) is not None:
        yield line
