"""How every subcommand runs: settings read once, one line on stderr for what went wrong, the right exit code."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from checkpoints.database import Database
from checkpoints.errors import StorageError
from graph.errors import GraphError
from settings import Settings
from tools.errors import DeskError

if TYPE_CHECKING:
    from services import (
        Services,
    )  # takes seconds, which `--help` and a mistyped option need not wait for

T = TypeVar("T")
FAILED, USAGE = 1, 2
_OURS = "Value error, "  # how pydantic begins a message of a validator's own


class CommandFailed(Exception):
    """Refused or failed; the text is the one line the user sees."""


class Interrupted(Exception):
    """Ctrl-C or SIGTERM; everything that was open has been closed."""


def complain(message: str) -> None:
    """One line on stderr."""
    print("holdfast: " + " ".join(message.split()), file=sys.stderr)


def fail(message: str, code: int = FAILED) -> NoReturn:
    """One line on stderr, and out."""
    complain(message)
    raise typer.Exit(code)


def read_settings() -> Settings:
    """The environment, or one line that names the variable that is wrong (never its value)."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        fail(
            f"{_variable(first['loc'])} is not usable: {_reason(first['type'], first['msg'])}",
            USAGE,
        )
    except UnicodeDecodeError:
        fail("the file .env is not UTF-8", USAGE)
    except SettingsError as error:
        group = str(error).partition('"')[2].partition('"')[0]
        fail(
            f"HOLDFAST_{group.upper()} is not usable: name what you set, as in .env.example", USAGE
        )


def _variable(where: tuple[int | str, ...]) -> str:
    """As it is written in the environment."""
    name = "__".join(str(part) for part in where).upper()
    return name if name in Settings.own_names().values() else f"HOLDFAST_{name}"


def _reason(kind: str, message: str) -> str:
    return "there is no such setting" if kind == "extra_forbidden" else message.removeprefix(_OURS)


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run a subcommand's work; known failures become one line.

    Raises:
        Interrupted: by the user, or by whoever supervises this process.
    """
    try:
        return asyncio.run(_terminable(work))
    except (StorageError, DeskError, GraphError, CommandFailed) as error:
        fail(str(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise Interrupted from None


def with_services(
    work: Callable[[Services], Awaitable[T]], settings: Settings | None = None, **options: Any
) -> T:
    """Run work that needs the database and everything on it."""
    chosen = settings or read_settings()
    _ask_database(chosen)
    from services import open_services

    async def opened() -> T:
        async with open_services(chosen, **options) as services:
            return await work(services)

    return run(opened)


def _ask_database(settings: Settings) -> None:
    """When it does not answer, that is said before everything is loaded, which takes seconds of its own."""
    url = settings.database_url
    if url is not None:
        pooler = settings.postgres.pooler
        run(lambda: Database(url.get_secret_value(), pooler=pooler).probe())


async def _terminable(work: Callable[[], Awaitable[T]]) -> T:
    """SIGTERM ends the work as Ctrl-C does, so that nothing is left running or locked."""
    task = asyncio.ensure_future(work())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task
