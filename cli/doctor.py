"""`holdfast doctor`: is everything here that a call needs? Names what is missing and what to do."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import typer

from cli.running import FAILED, read_settings, run
from settings import Settings

if TYPE_CHECKING:
    from graph.understanding.model import ChatModel
    from services import Services

SENTENCE = "where is my order"


def doctor() -> None:
    """Check database, key, migrations, knowledge and understanding, and say what each found."""
    settings = read_settings()
    if not run(lambda: _checked(settings)):
        raise typer.Exit(FAILED)


async def _checked(settings: Settings) -> bool:
    for name, meant in settings.unknown_names().items():
        hint = f": {meant}?" if meant else ""
        print(f"settings       {name} is no setting and was not heeded{hint}")
    print(f"home           {settings.home}")
    print(f"database       {'DATABASE_URL' if settings.database_url else 'embedded Postgres'}")
    started = time.perf_counter()
    try:
        from services import open_services

        async with open_services(settings) as services:
            print(f"ready          in {time.perf_counter() - started:.1f} s")
            for name, check in CHECKS.items():
                print(f"{name:14} {await check(services)}")
    except Exception as error:  # noqa: BLE001 - the doctor reports every illness instead of dying of it
        print(f"FAILED         {error}", file=sys.stderr)
        return False
    return True


async def _server(services: Services) -> str:
    async with services.database.connection() as connection:
        cursor = await connection.execute("SELECT current_setting('server_version') AS version")
        row = await cursor.fetchone()
    return f"Postgres {row['version'] if row else 'unknown'}, {services.migrations} migrations"


async def _knowledge(services: Services) -> str:
    return f"{await services.company.knowledge.count()} answers"


async def _company(services: Services) -> str:
    return f"{len(await services.company.callers())} customers"


async def _understanding(services: Services) -> str:
    """Reads a sentence, which also loads the models."""
    from graph.understanding.commands import Pending

    read = await services.understander.read(SENTENCE, Pending())
    return f"reads '{SENTENCE}' as {read.commands[0].command}"


async def _models(services: Services) -> str:
    """Asks each model once: what configured it wrongly is seen now, and not by callers who wait."""
    from graph.understanding.cascade import Cascade

    understander = services.understander
    if not isinstance(understander, Cascade):
        return "none: the local understanding reads alone"
    await asyncio.to_thread(understander.warm_up)
    tried = [await _tried(one, understander.seconds) for one in understander.models]
    return "; ".join(tried)


async def _tried(model: ChatModel, seconds: float) -> str:
    from deadline import bounded
    from graph.understanding.commands import Pending
    from graph.understanding.model import ModelFailed

    began = time.perf_counter()
    try:
        read = await bounded(model.read(SENTENCE, Pending()), seconds)
    except TimeoutError:
        return f"{model.name} does not answer within {seconds:g} s"
    except ModelFailed as error:
        return f"{model.name} does not answer ({error.error_type})"
    ms = round(1000 * (time.perf_counter() - began))
    return f"{model.name} reads '{SENTENCE}' as {read.meant[0].command} in {ms} ms"


async def _livekit(services: Services) -> str:
    """Whether it answers and takes the keys."""
    try:
        livekit = services.settings.livekit
    except ValueError as missing:
        return str(missing)
    try:
        from voice.errors import VoiceError
        from voice.worker import ask
    except ModuleNotFoundError:
        return f"{livekit.url}; the voice is not installed here (make worker does)"
    try:
        await ask(livekit)
    except VoiceError as error:
        return str(error)
    return f"{livekit.url} answers"


CHECKS: dict[str, Callable[[Services], Awaitable[str]]] = {
    "server": _server,
    "knowledge": _knowledge,
    "company": _company,
    "understanding": _understanding,
    "model": _models,
    "livekit": _livekit,
}
