"""A caller is handed over to a colleague: who is rung, and what they are told, in the line's own voice."""

from __future__ import annotations

from collections.abc import AsyncIterator

from livekit import rtc
from livekit.agents import JobContext

from conversation import Conversation
from graph.brief import brief_of
from settings import Settings
from voice.consultation import SpokenConsultation
from voice.speech import Speech, build
from voice.transfer import PutThrough, put_through


async def hand_over(
    job: JobContext, settings: Settings, call: Conversation, caller: rtc.RemoteParticipant
) -> PutThrough:
    """As the settings say. The colleague's voice is another one than the caller's, whose language may differ."""
    speech = build(settings)
    speech.speak_as(settings.voice.transfer_language, "calm")
    consultation = SpokenConsultation(
        settings.livekit, lambda: _said(speech, _brief(call, settings))
    )
    try:
        return await put_through(job.api, job.room, caller, settings.voice, consultation)
    finally:
        await speech.aclose()


def _brief(call: Conversation, settings: Settings) -> str:
    """Who waits and why, in the colleagues' language."""
    handover = call.handover()
    if handover is None:
        return ""
    return call.context.wording.speak(brief_of(handover), settings.voice.transfer_language)


async def _said(speech: Speech, text: str) -> AsyncIterator[rtc.AudioFrame]:
    async for piece in speech.tts.synthesize(text):
        yield piece.frame
