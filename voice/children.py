"""Child processes: those that go on, each with a log of its own, ended together with everything they started; and
commands that end by themselves."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Literal, Self

from voice.errors import CommandFailed

LOOPBACK = "127.0.0.1"
#: Seconds a child that is asked to end may go on with its calls, twice; then it is ended with all its processes.
LEAVES_WITHIN = 2.5


def free_port() -> int:
    """A TCP port of this machine that is free at this moment."""
    with socket.socket() as place:
        place.bind((LOOPBACK, 0))
        return int(place.getsockname()[1])


@dataclass
class Child:
    """A process in a group of its own, so that Ctrl-C in a terminal reaches it through us alone."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)  #: beside ours
    leaves_within: float = LEAVES_WITHIN
    started: float = 0.0
    _log_began: int = 0  #: where the log of this start begins, in bytes
    _process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self._log_began = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *ends_with_us(self.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        self.started = monotonic()

    def written(self) -> str:
        """Its log since it was started last."""
        with self.log.open("rb") as log:
            log.seek(self._log_began)
            return log.read().decode("utf-8", "replace")

    async def wait(self) -> int:
        """Its exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def end(self) -> None:
        """Asked once it may finish what it does, asked twice it ends; what it leaves behind is killed."""
        if (process := self._process) is None:
            return
        for ask in (process.terminate, process.terminate):
            if process.returncode is not None:
                break
            with suppress(ProcessLookupError):
                ask()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), self.leaves_within)
        await self._kill_group()

    async def _kill_group(self) -> None:
        """Until nothing is left of it: what still is there would keep the embedded Postgres running."""
        assert self._process is not None
        with suppress(ProcessLookupError, TimeoutError):
            async with asyncio.timeout(self.leaves_within):
                while True:
                    os.killpg(self._process.pid, signal.SIGKILL)
                    await asyncio.sleep(0.02)
        await self._process.wait()


class Children:
    """All children of a process: `async with` ends them, at once, whatever ended the block."""

    def __init__(self) -> None:
        self.all: list[Child] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.shield(asyncio.gather(*(child.end() for child in self.all)))

    async def start(self, child: Child) -> Child:
        child.log.parent.mkdir(parents=True, exist_ok=True)
        self.all.append(child)
        await child.start()
        return child


async def run(
    command: Sequence[str],
    within: float,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """What a command prints that ends by itself.

    Args:
        within: seconds.
        environment: beside ours.

    Raises:
        CommandFailed
    """
    process = await asyncio.create_subprocess_exec(
        *ends_with_us(command, "KILL"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env={**os.environ, **(environment or {})},
    )
    try:
        async with asyncio.timeout(within):
            printed, complaint = await process.communicate()
    except TimeoutError:
        complaint = b"it takes too long"
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())
    if process.returncode:
        raise CommandFailed(complaint.decode(errors="replace").strip())
    return printed.decode()


def ends_with_us(command: Sequence[str], by: Literal["TERM", "KILL"] = "TERM") -> list[str]:
    """Where Linux allows it, the kernel ends the process when ours is killed and can't."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", by, *command] if setpriv else [*command]
