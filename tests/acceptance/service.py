"""A process of ours that serves during a test: started with an environment of its own, read by its log, ended whole."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

import psutil

from voice.children import ends_with_us

STARTS_WITHIN, ENDS_WITHIN = 300.0, 15.0  # seconds, on a busy machine
LOOK_EVERY = 0.05


class Service:
    """One process and its children."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log

    @classmethod
    async def start(
        cls, command: Sequence[str], log: Path, environment: Mapping[str, str]
    ) -> Service:
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *ends_with_us(command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=log.parent,  # no .env of a developer's
                env={"PATH": os.defpath, "HOME": str(log.parent), **environment},
                start_new_session=True,
            )
        return cls(process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def family(self) -> list[psutil.Process]:
        """The process and everything it started, children first."""
        first = psutil.Process(self.pid)
        return [*reversed(first.children(recursive=True)), first]

    async def says(self, pattern: str, *, times: int = 1, within: float = STARTS_WITHIN) -> str:
        """Wait until its log has the pattern so many times; returns the last match.

        Raises:
            AssertionError: not in time, or it ended; the text is the end of the log.
        """
        deadline = monotonic() + within
        while len(found := re.findall(pattern, self.written())) < times:
            if self._process.returncode is not None or monotonic() > deadline:
                end = self.written()[-3000:]
                raise AssertionError(f"{self.log.name} has no “{pattern}”; it ends with\n{end}")
            await asyncio.sleep(LOOK_EVERY)
        return str(found[-1])

    def written(self) -> str:
        return self.log.read_text("utf-8", errors="replace")

    def send_signal(self, number: signal.Signals) -> None:
        """To the whole family."""
        for process in self.family:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    async def end(self) -> None:
        """Asked, then whatever is left is killed."""
        if self._process.returncode is None:
            family = self.family
            self._process.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(ENDS_WITHIN):
                    await self._process.wait()
            for process in family:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        await self._process.wait()
