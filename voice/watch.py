"""Rescue as a process of its own: looks at the rooms every few seconds, and at once when LiveKit says one changed."""

from __future__ import annotations

from livekit import api

from checkpoints.locks import sole
from services import Services
from voice.rescue import Rescue
from voice.webhooks import Webhooks, listening


async def watch(services: Services, host: str, port: int) -> None:
    """Until it is cancelled.

    Args:
        port: where webhooks are taken; 0: nowhere.
    """
    livekit = services.settings.livekit
    secret = livekit.api_secret.get_secret_value()
    async with api.LiveKitAPI(livekit.url, livekit.api_key, secret) as client:
        watcher = Rescue(
            client,
            services.register,
            lambda name: sole(services.database, name),
            agent_name=services.settings.voice.agent_name,
            clock=services.clock,
        )
        if not port:
            await watcher.run()
        async with listening(Webhooks(livekit, watcher.wake), host, port):
            await watcher.run()
