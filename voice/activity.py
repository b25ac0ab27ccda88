"""Activity: when somebody speaks, as Silero hears it, believed as long as words come of it.

Silero takes voices in the background for speech that never ends: six of them, 20 dB below the caller's, for seventeen
seconds and more. LiveKit waits for the end of the caller's turn then, and holds back whatever the line would say.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator
from typing import Protocol

from livekit import rtc
from livekit.agents import vad
from livekit.agents.utils import aio

#: Seconds in which words come of speech, or never will; and in which more come, if the caller goes on.
RECOGNISED_WITHIN, GOES_ON_WITHIN = 2.5, 2.0
#: The first where a recogniser is given whole utterances: people hardly say more without a pause for breath.
WHOLE_RECOGNISED_WITHIN = 10.0
#: After so many seconds of quiet, a sound is judged anew.
QUIET_SECONDS = 1.0


class Hearing(Protocol):
    """What recognises the words: voice.ear.Ear."""

    words: int  #: how often new ones came so far

    def conclude(self) -> None:
        """Nothing more comes of what is being said: its words are wanted now."""


class Activity(vad.VAD):
    def __init__(self, detector: vad.VAD, hearing: Hearing, *, within: float) -> None:
        """
        Args:
            within: seconds in which the first words come of speech.
        """
        super().__init__(capabilities=detector.capabilities)
        self._detector = detector
        self._hearing = hearing
        self._within = within
        self._tell: Callable[[vad.VADEvent], None] = _nobody

    def follow(self, tell: Callable[[vad.VADEvent], None]) -> None:
        """Told of everything that is believed, before LiveKit is."""
        self._tell = tell

    @property
    def model(self) -> str:
        return self._detector.model

    @property
    def provider(self) -> str:
        return self._detector.provider

    @property
    def min_silence_duration(self) -> float | None:
        """LiveKit's turn detector needs some, and asks for it by this name."""
        seconds = getattr(self._detector, "min_silence_duration", None)
        return seconds if isinstance(seconds, float) else None

    def stream(self) -> vad.VADStream:
        belief = Belief(self._hearing, self._within)
        return _Judged(self, self._detector.stream(), belief, self._tell)


def _nobody(_: vad.VADEvent) -> None:
    """Nobody follows."""


class Belief:
    """What is believed of one caller's sound. Time is counted in sound."""

    def __init__(self, hearing: Hearing, within: float) -> None:
        self._hearing, self._words = hearing, hearing.words
        self._within = within
        self._until = within  #: a sound is believed to be speech without more words
        self._quiet_since = -QUIET_SECONDS
        self._detected = False
        self._believed = False

    def judge(self, event: vad.VADEvent) -> Iterator[vad.VADEvent]:
        """What is believed of it: the event, another one, or none."""
        if event.type == vad.VADEventType.START_OF_SPEECH:
            yield from self._begun(event)
        elif event.type == vad.VADEventType.END_OF_SPEECH:
            yield from self._ended(event)
        else:
            yield from self._going_on(event)

    def _begun(self, event: vad.VADEvent) -> Iterator[vad.VADEvent]:
        self._detected = True
        if event.timestamp - self._quiet_since >= QUIET_SECONDS:
            self._until = event.timestamp + self._within
        if event.timestamp < self._until:
            self._believed = True
            yield event

    def _ended(self, event: vad.VADEvent) -> Iterator[vad.VADEvent]:
        self._detected = False
        self._quiet_since = event.timestamp
        if self._believed:
            self._believed = False
            yield event

    def _going_on(self, event: vad.VADEvent) -> Iterator[vad.VADEvent]:
        if self._hearing.words != self._words:
            self._words = self._hearing.words
            self._until = max(self._until, event.timestamp + GOES_ON_WITHIN)
        believed = self._detected and event.timestamp < self._until
        if believed and not self._believed:
            yield _turned(event, vad.VADEventType.START_OF_SPEECH)
        elif self._believed and not believed:
            yield _turned(event, vad.VADEventType.END_OF_SPEECH)
            self._hearing.conclude()
        self._believed = believed
        yield event if believed or not self._detected else _unspoken(event)


def _turned(event: vad.VADEvent, kind: vad.VADEventType) -> vad.VADEvent:
    begins = kind == vad.VADEventType.START_OF_SPEECH
    return dataclasses.replace(
        event, type=kind, speaking=begins, speech_duration=0.0, silence_duration=0.0
    )


def _unspoken(event: vad.VADEvent) -> vad.VADEvent:
    return dataclasses.replace(
        event, speaking=False, speech_duration=0.0, raw_accumulated_speech=0.0, probability=0.0
    )


class _Judged(vad.VADStream):
    def __init__(
        self,
        activity: Activity,
        detected: vad.VADStream,
        belief: Belief,
        tell: Callable[[vad.VADEvent], None],
    ) -> None:
        super().__init__(activity)
        self._detected = detected
        self._belief = belief
        self._tell = tell

    async def _main_task(self) -> None:
        passing_on = asyncio.create_task(self._pass_on())
        try:
            async for event in self._detected:
                for one in self._belief.judge(event):
                    self._tell(one)
                    self._event_ch.send_nowait(one)
        finally:
            await aio.cancel_and_wait(passing_on)
            await self._detected.aclose()

    async def _pass_on(self) -> None:
        async for data in self._input_ch:
            if isinstance(data, rtc.AudioFrame):
                self._detected.push_frame(data)
            else:
                self._detected.flush()
        self._detected.end_input()
