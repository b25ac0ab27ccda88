"""`holdfast worker`: answer the calls that LiveKit sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.running import (
    USAGE,
    CommandFailed,
    Interrupted,
    complain,
    fail,
    read_settings,
    with_services,
)

if TYPE_CHECKING:
    from services import Services


def worker() -> None:
    """Answer calls. Ctrl-C or SIGTERM: those going on are finished, no more are taken; a second time: out at once."""
    from voice.errors import LiveKitAway, LiveKitRefuses, VoiceError
    from voice.speech import build
    from voice.worker import agent_server, ask, serve

    settings = read_settings()
    try:
        server = agent_server(settings)
        build(settings)
    except (ValueError, VoiceError) as error:
        fail(str(error), USAGE)

    def say_ready(*_: object) -> None:
        agent, url = settings.voice.agent_name, settings.livekit.url
        print(f"{url} sends calls for {agent} here; Ctrl-C finishes those going on", flush=True)

    server.on("worker_registered", say_ready)

    async def work(_: Services) -> None:
        """The database is ready, and an embedded one stays open between calls."""
        try:
            await ask(settings.livekit)
        except LiveKitAway as error:
            complain(f"{error}; it is asked again for two minutes")
        except LiveKitRefuses as error:
            raise CommandFailed(str(error)) from None
        try:
            await serve(server)
        except LiveKitAway as error:
            raise CommandFailed(str(error)) from None

    try:
        with_services(work, settings)
    except Interrupted:
        return
