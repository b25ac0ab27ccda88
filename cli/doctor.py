"""`holdfast doctor`: is everything here that a call needs? Names what is missing and what to do."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable

import typer

from cli.running import FAILED, read_settings, run
from settings import Settings


def doctor() -> None:
    """Check database, key, migrations, knowledge and understanding, and say what each found."""
    settings = read_settings()
    if not run(lambda: _checked(settings)):
        raise typer.Exit(FAILED)


async def _checked(settings: Settings) -> bool:
    print(f"home           {settings.home}")
    print(f"database       {'DATABASE_URL' if settings.database_url else 'embedded Postgres'}")
    started = time.perf_counter()
    try:
        from services import open_services

        async with open_services(settings) as services:
            print(f"ready          in {time.perf_counter() - started:.1f} s")
            checks: dict[str, Callable[[], Awaitable[str]]] = {
                "server": services.server_version,
                "knowledge": services.count_answers,
                "company": services.count_company,
                "understanding": services.try_understanding,
                "model": services.try_models,
            }
            for name, check in checks.items():
                print(f"{name:14} {await check()}")
    except Exception as error:  # noqa: BLE001 - the doctor reports every illness instead of dying of it
        print(f"FAILED         {error}", file=sys.stderr)
        return False
    return True
