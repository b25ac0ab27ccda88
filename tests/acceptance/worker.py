"""The worker process of a test: `holdfast worker`, as whoever runs the line starts it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from tests.acceptance.service import Service

HOLDFAST = Path(sys.executable).with_name("holdfast")
REGISTERED = r"worker\.registered"


def on_host(name: str) -> list[str]:
    """In front of a command: for it and its children, this machine has another name."""
    named = ["unshare", "--uts", "--", "sh", "-c"]
    named.append(f'hostname {name} && exec "$0" "$@"')
    try:
        subprocess.run([*named, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a process can't be given another host name here (unshare --uts)")
    return named


class Worker:
    """Registered with LiveKit, ready for calls."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @property
    def log(self) -> str:
        return self._service.written()

    @property
    def family(self) -> list[psutil.Process]:
        """Its processes: one for each call, some waiting for one, and those that keep them."""
        return self._service.family

    async def says(self, pattern: str, *, times: int = 1) -> str:
        """Wait for something in the log."""
        return await self._service.says(pattern, times=times)

    def is_killed(self) -> None:
        """With all its calls, in the middle of whatever they say."""
        self._service.send_signal(signal.SIGKILL)

    def is_told_to_stop(self) -> None:
        """As by an orchestrator: SIGTERM, once."""
        psutil.Process(self._service.pid).terminate()


@asynccontextmanager
async def running_worker(
    folder: Path, environment: Mapping[str, str], host: str | None = None
) -> AsyncIterator[Worker]:
    """Registered until the block ends; `host`: what its machine is called, when it is to be another."""
    command = [*(on_host(host) if host else ()), str(HOLDFAST), "worker"]
    service = await Service.start(command, folder / "worker.log", environment)
    try:
        await service.says(REGISTERED)
        yield Worker(service)
    finally:
        await service.end()
