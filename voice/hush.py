"""Hush: the line falls silent at the caller's first sound, whatever it is, and goes on if it was nothing.

LiveKit stops it at a recognised word, so that a cough or an "mhm" does not end a sentence; the word comes half a second
after the caller began, and until then both would speak.
"""

from __future__ import annotations

import asyncio

from livekit.agents import AgentSession, vad

from voice.audio import CallerVoice, loudness
from voice.timers import Later, Timer

#: How sure Silero must be that a piece of sound (32 ms) is speech; and to take it for the same speech going on.
SPEECH, STILL_SPEECH = 0.5, 0.35
#: Seconds of speech after which the line is silent: two pieces, as a click is one.
AFTER = 0.06
#: Seconds without speech after which it goes on, when nobody recognised a word.
QUIET = 0.3
#: Seconds after which it goes on in any case: the caller's sound does not reach us any more.
LONGEST = 4.0


class Hush:
    def __init__(
        self, session: AgentSession[None], voice: CallerVoice | None, later: Later | None = None
    ) -> None:
        """
        Args:
            voice: whose sounds count; None: everybody's.
            later: default: the running event loop's timer.
        """
        self._session = session
        self._voice = voice
        self._later = later
        self._at = 0.0  #: seconds into the call
        self._speech = 0.0  #: seconds of it, without a gap
        self._quiet = 0.0
        self._spent = False  #: this sound has hushed the line already
        self._timer: Timer | None = None  #: while the line is hushed

    def hear(self, event: vad.VADEvent) -> None:
        """A piece of the caller's sound."""
        if event.type != vad.VADEventType.INFERENCE_DONE:
            return
        seconds, self._at = event.timestamp - self._at, event.timestamp
        if self._is_speech(event):
            self._speech, self._quiet = self._speech + seconds, 0.0
            if self._speech >= AFTER:
                self._fall_silent()
        else:
            self._speech, self._quiet = 0.0, self._quiet + seconds
            if self._quiet >= QUIET:
                self.go_on()
                self._spent = False

    def go_on(self) -> None:
        """It was nothing. When a word was recognised meanwhile, LiveKit has stopped the line, and it stays so."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer = None
        output = self._session.output.audio
        if output is not None and self._session.agent_state == "speaking":
            output.resume()

    def _fall_silent(self) -> None:
        speech, output = self._session.current_speech, self._session.output.audio
        if self._spent or output is None or self._session.agent_state != "speaking":
            return
        if speech is None or speech.interrupted or not speech.allow_interruptions:
            return
        later = self._later or asyncio.get_running_loop().call_later
        self._spent, self._timer = True, later(LONGEST, self.go_on)
        output.pause()

    def _is_speech(self, event: vad.VADEvent) -> bool:
        enough = STILL_SPEECH if self._speech or self._timer is not None else SPEECH
        if event.probability < enough:
            return False
        return self._voice is None or not any(
            self._voice.is_far(loudness(frame), event.timestamp) for frame in event.frames
        )
