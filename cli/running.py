"""How every subcommand runs: settings read once, one line on stderr for what went wrong, the right exit code."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from checkpoints.errors import StorageError
from graph.errors import GraphError
from services import Services, open_services
from settings import Settings
from tools.errors import DeskError

T = TypeVar("T")
FAILED, USAGE = 1, 2


class CommandFailed(Exception):
    """Refused or failed; the text is the one line the user sees."""


def fail(message: str, code: int = FAILED) -> NoReturn:
    """One line on stderr, and out."""
    print("holdfast: " + " ".join(message.split()), file=sys.stderr)
    raise typer.Exit(code)


def read_settings() -> Settings:
    """The environment, or one line that names the variable that is wrong (never its value)."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "__".join(str(part) for part in first["loc"]).upper()
        fail(f"the setting {name} is not usable: {first['msg']}", USAGE)


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run a subcommand's work; known failures become one line."""
    try:
        return asyncio.run(_terminable(work))
    except (StorageError, DeskError, GraphError, CommandFailed) as error:
        fail(str(error))


def with_services(
    work: Callable[[Services], Awaitable[T]], settings: Settings | None = None, **options: Any
) -> T:
    """Run work that needs the database and everything on it."""

    async def opened() -> T:
        async with open_services(settings or read_settings(), **options) as services:
            return await work(services)

    return run(opened)


async def _terminable(work: Callable[[], Awaitable[T]]) -> T:
    """SIGTERM ends the work as Ctrl-C does, so that nothing is left running or locked."""
    task = asyncio.ensure_future(work())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task
