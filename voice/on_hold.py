"""What a caller hears while a colleague is rung and told: music, so that they know that the line is there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from livekit import rtc
from livekit.agents import AudioConfig, BackgroundAudioPlayer, BuiltinAudioClip
from livekit.rtc.participant import PublishTrackError

from settings import HoldMusic

log = structlog.get_logger(__name__)
VOLUME = 0.8
FADE_IN = 0.5  #: seconds


@asynccontextmanager
async def on_hold(room: rtc.Room, music: HoldMusic) -> AsyncIterator[None]:
    """Music over and over, until the block ends. Without a voice in the room there is none, and the block goes on.

    Args:
        music: LiveKit's own ("music"), a file of one's own, or "none".
    """
    if music == "none":
        yield
        return
    player = BackgroundAudioPlayer()
    try:
        await player.start(room=room)
        clip = str(music) if isinstance(music, Path) else BuiltinAudioClip.HOLD_MUSIC
        player.play(AudioConfig(clip, volume=VOLUME, fade_in=FADE_IN), loop=True)
    except PublishTrackError:
        log.warning("hold.no_music")
    try:
        yield
    finally:
        await player.aclose()
