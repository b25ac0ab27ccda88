"""What lets a caller's browser into the room of its one call, and nowhere else."""

from __future__ import annotations

from datetime import timedelta
from math import ceil

from livekit.api import AccessToken, RoomAgentDispatch, RoomConfiguration, VideoGrants

from graph.state import Lang
from settings import LiveKitSettings
from voice.telephony import LANGUAGE, NUMBER

#: Time enough to join. Whoever stays is given new ones by the server.
LIFETIME = timedelta(minutes=5)
#: Seconds a room outlives the wait for a caller whose network went away.
ROOM_OUTLIVES = 10


def caller_token(
    livekit: LiveKitSettings,
    room: str,
    identity: str,
    language: Lang | None,
    number: str | None,
    *,
    agent_name: str,
    blip: float,
) -> str:
    """A token to join `room`, speak, listen, type and press keys; the room asks for our agent when it is made.

    Args:
        agent_name: the worker's, `settings.voice.agent_name`.
        blip: `settings.voice.blip`. LiveKit counts agents for nobody: it would close the room while ours still waits.
    """
    grants = VideoGrants(
        room_join=True,
        room=room,
        can_publish=True,
        can_publish_sources=["microphone"],
        can_subscribe=True,
        can_publish_data=True,  # typed words and keypad digits are data
        can_update_own_metadata=False,
    )
    configuration = RoomConfiguration(
        agents=[RoomAgentDispatch(agent_name=agent_name)],
        departure_timeout=ceil(blip) + ROOM_OUTLIVES,
    )
    # Only the signed token sets these: the caller may not.
    known = {LANGUAGE: language, NUMBER: number}
    token = AccessToken(livekit.api_key, livekit.api_secret.get_secret_value())
    token = token.with_identity(identity).with_ttl(LIFETIME).with_grants(grants)
    token = token.with_attributes({name: value for name, value in known.items() if value})
    return token.with_room_config(configuration).to_jwt()
