"""A caller is handed over to a colleague: who is rung, and what they are told, in the line's own voice."""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog
from livekit import rtc
from livekit.agents import JobContext

from conversation import Conversation
from deadline import bounded
from graph.brief import brief_of
from settings import Settings
from tools.errors import DeskError
from tools.records import TransferOutcome
from voice.consultation import SpokenConsultation
from voice.on_hold import on_hold
from voice.speech import Speech, build
from voice.transfer import PutThrough, put_through

log = structlog.get_logger(__name__)
ON_RECORD_WITHIN = 2.0  #: seconds


async def hand_over(
    job: JobContext, settings: Settings, call: Conversation, caller: rtc.RemoteParticipant
) -> PutThrough:
    """As the settings say. The colleague's voice is another one than the caller's, whose language may differ."""
    speech = build(settings)
    speech.speak_as(settings.voice.transfer_language, "calm")
    consultation = SpokenConsultation(
        settings.livekit, lambda: _said(speech, _brief(call, settings))
    )
    # Where the phone network moves the call, it plays them a dial tone.
    music = settings.voice.hold_music if settings.voice.transfer_trunk is not None else "none"
    try:
        async with on_hold(job.room, music):
            put = await put_through(job.api, job.room, caller, settings.voice, consultation)
    finally:
        await speech.aclose()
    await _put_on_record(call, put.outcome)
    return put


async def _put_on_record(call: Conversation, outcome: TransferOutcome) -> None:
    """For staff, who must not think that a caller was put through who was not. Neither of the two waits for it long."""
    try:
        await bounded(call.transferred(outcome), ON_RECORD_WITHIN)
    except (DeskError, TimeoutError):
        log.warning("transfer.not_on_record", outcome=outcome)


def _brief(call: Conversation, settings: Settings) -> str:
    """Who waits and why, in the colleagues' language."""
    handover = call.handover()
    if handover is None:
        return ""
    return call.context.wording.speak(brief_of(handover), settings.voice.transfer_language)


async def _said(speech: Speech, text: str) -> AsyncIterator[rtc.AudioFrame]:
    async for piece in speech.tts.synthesize(text):
        yield piece.frame
