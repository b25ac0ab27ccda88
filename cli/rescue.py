"""`holdfast rescue`: gives callers whose worker died another one."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.running import USAGE, fail, read_settings, with_services


def rescue(
    host: Annotated[str, typer.Option(help="where LiveKit's webhooks are taken")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: no webhooks")] = 0,
) -> None:
    """Watch the rooms, and send for another worker where one died. Run one or several, beside the workers."""
    from voice.watch import watch

    settings = read_settings()
    try:
        _ = settings.livekit
    except ValueError as missing:
        fail(str(missing), USAGE)
    with_services(lambda services: watch(services, host, port), settings, demo=False)
