"""`holdfast worker`: answer the calls that LiveKit sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.running import USAGE, Interrupted, fail, read_settings, with_services

if TYPE_CHECKING:
    from services import Services


def worker() -> None:
    """Answer calls. Ctrl-C or SIGTERM: those going on are finished, no more are taken; a second time: out at once."""
    from voice.errors import VoiceError
    from voice.speech import build
    from voice.worker import agent_server, serve

    settings = read_settings()
    try:
        server = agent_server(settings)
        build(settings)
    except (ValueError, VoiceError) as error:
        fail(str(error), USAGE)

    async def work(_: Services) -> None:
        await serve(server)  # the database is ready, and an embedded one stays open between calls

    try:
        with_services(work, settings)
    except Interrupted:
        return
