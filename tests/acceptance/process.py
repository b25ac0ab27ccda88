"""A caller process as a test sees it: commands that are answered, events as they come, and its end in any way."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "tests.acceptance.callers")
LEAVES_WITHIN = 10.0  # seconds, of the politest
LINE = 1 << 20  # bytes, at most

Event = Mapping[str, Any]
Listener = Callable[[Event], None]


class CallerFailed(Exception):
    """The caller process could not do what it was told to."""


class CallerProcess:
    """One process, which may hold calls of several rooms."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self._ids = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Event | None]] = {}
        self._listeners: dict[str, Listener] = {}
        self._reader = asyncio.create_task(self._read())

    def listen(self, call: str, listener: Listener) -> None:
        self._listeners[call] = listener

    async def do(self, call: str, do: str, **given: object) -> Event | None:
        """Returns when it is done.

        Raises:
            CallerFailed: it could not be done, or the process is gone.
        """
        number = next(self._ids)
        answer: asyncio.Future[Event | None] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        line = json.dumps({"id": number, "call": call, "do": do, **given})
        assert self._process.stdin is not None
        if self._reader.done():
            raise CallerFailed(f"the caller process has ended: {self._log}")
        self._process.stdin.write(line.encode() + b"\n")
        return await answer

    def send_signal(self, number: signal.Signals) -> None:
        """SIGKILL: the connection is gone without a goodbye. SIGSTOP: nothing comes and nothing goes."""
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for raw in self._process.stdout:
            line = json.loads(raw)
            if "event" in line:
                self._listeners[line["call"]](line)
            elif (asked := self._asked.pop(line["id"])).done():
                continue  # whoever asked has gone
            elif "error" in line:
                asked.set_exception(CallerFailed(line["error"]))
            else:
                asked.set_result(line["answer"])
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(CallerFailed(f"the caller process has ended: {self._log}"))
                asked.exception()  # nobody may be waiting any more

    async def end(self) -> None:
        """Politely, if it can; by force, if not."""
        process = self._process
        assert process.stdin is not None
        self.send_signal(signal.SIGCONT)
        process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVES_WITHIN):
                await process.wait()
        self.send_signal(signal.SIGKILL)
        await process.wait()
        await self._reader
        with suppress(BrokenPipeError, ConnectionResetError):
            await process.stdin.wait_closed()


@asynccontextmanager
async def caller_process(log: Path) -> AsyncIterator[CallerProcess]:
    """Ends with the block."""
    with log.open("ab") as complaints:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
            cwd=ROOT,
            env={"PATH": os.defpath, "HOME": str(log.parent)},
            limit=LINE,
        )
    callers = CallerProcess(process, log)
    try:
        yield callers
    finally:
        await callers.end()
