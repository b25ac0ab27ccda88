"""What of the sound on the line counts: noise taken out, side voices left out, and "mhm" told from an answer."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from typing import Protocol

import numpy as np
from livekit import rtc
from livekit.agents import stt

from graph.state import Lang
from graph.understanding.lexicon import plain

# Noise ----------------------------------------------------------------------------------------------------

#: WebRTC's audio processing takes slices of exactly 10 ms.
SLICES_A_SECOND = 100


class NoiseSuppressor(rtc.FrameProcessor[rtc.AudioFrame]):
    """WebRTC's own noise suppression and high-pass filter, in this process: no cloud.

    Not its gain control: that clips voices of usual loudness (RMS 1,400 became 4,400), makes a quiet voice in the
    background as loud as the caller's, and the voice activity detector hears speech down to an RMS of 18 without it.
    """

    def __init__(self) -> None:
        self._enabled = True
        self._processing = rtc.AudioProcessingModule(noise_suppression=True, high_pass_filter=True)

    @property
    def enabled(self) -> bool:
        return self._enabled

    @enabled.setter
    def enabled(self, value: bool) -> None:
        self._enabled = value

    def _process(self, frame: rtc.AudioFrame) -> rtc.AudioFrame:
        samples = frame.sample_rate // SLICES_A_SECOND
        size = samples * frame.num_channels * 2
        sound = bytearray(frame.data.tobytes())
        for start in range(0, len(sound) - size + 1, size):
            piece = sound[start : start + size]
            self._processing.process_stream(
                rtc.AudioFrame(piece, frame.sample_rate, frame.num_channels, samples)
            )
            sound[start : start + size] = piece
        return rtc.AudioFrame(
            sound,
            frame.sample_rate,
            frame.num_channels,
            frame.samples_per_channel,
            userdata=frame.userdata,
        )

    def _close(self) -> None:
        self._enabled = False


def loudness(frame: rtc.AudioFrame) -> float:
    """RMS, of 16 bits."""
    samples = np.frombuffer(frame.data, dtype=np.int16).astype(np.float32)
    return float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0


# Voices ---------------------------------------------------------------------------------------------------

#: A voice this much quieter than the caller's is not at the phone.
AT_THE_PHONE = 0.6
#: What is left of that when the caller has been silent for so many seconds: whoever is heard then, is the caller.
FORGIVING, FORGIVEN_SECONDS = 0.15, 30.0
#: How loud the first words of something are, of the whole.
SOFTLY = 0.5
#: How far the caller's loudness follows each thing they say: up, and down. The suppressor muffles a call's first words.
RISES, FALLS = 0.6, 0.3

Speaker = tuple[int, str]  #: connection, and the speaker's name in it


class CallerVoice:
    """Follows the caller's voice by its loudness.

    A recogniser's names for speakers hold for one connection only, and a phone is handed over now and then, so a voice
    with another name is the caller's too if it is about as loud. LiveKit's MultiSpeakerAdapter asks for a louder one,
    takes the first speaker of a connection for the caller, and needs every provider to tell speakers apart.
    """

    def __init__(self) -> None:
        self._caller: Speaker | None = None
        self._loudness = 0.0
        self._last = 0.0  #: when the caller was heard last

    def spoke(self, speaker: Speaker, loudness: float, at: float) -> bool:
        """Somebody spoke, so loud, at that many seconds into the call: was it the caller?"""
        if self._caller is None:
            self._loudness = loudness
        elif speaker != self._caller and self.is_far(loudness, at):
            return False
        self._caller = speaker
        change = loudness - self._loudness
        self._loudness += change * (RISES if change > 0 else FALLS)
        self._last = at
        return True

    def is_faint(self, loudness: float, at: float) -> bool:
        """Is it too quiet for the caller, however softly they begin?"""
        return loudness < self._loudness * self._share(at) * SOFTLY

    def is_far(self, loudness: float, at: float) -> bool:
        """Is it too quiet for the caller, as loud as they usually are?"""
        return loudness < self._loudness * self._share(at)

    def _share(self, at: float) -> float:
        silent = min((at - self._last) / FORGIVEN_SECONDS, 1.0)
        return AT_THE_PHONE + silent * (FORGIVING - AT_THE_PHONE)


# Backchannels ---------------------------------------------------------------------------------------------

BACKCHANNELS: dict[Lang, str] = {
    "en": "yeah|yes|yep|yup|ok|okay|right|alright|all right|sure|i see|got it|gotcha|fine|good|great|exactly|uh huh|"
    "go on|okay then|of course|perfect|i know|cool|interesting|really",
    "es": "sí|vale|ya|claro|bueno|bien|ok|okey|ajá|de acuerdo|entiendo|entendido|ya veo|eso|exacto|perfecto|correcto|"
    "muy bien|claro que sí|ya ya|dale|siga|dígame",
    "fr": "oui|ouais|d'accord|ok|okay|bien|bon|très bien|entendu|voilà|je vois|exactement|c'est ça|ah bon|ah oui|"
    "tout à fait|parfait|compris|je comprends|bien sûr|hein|allez",
}  # fmt: skip
_HUMMED = r"[mh]{2,}|m|u+h+[ -]?h+u+h+|a+h+a*|o+h+|u+[hm]+|a+j+a+|e+u?h+"


def is_backchannel(text: str, language: Lang | None = None, *, unfinished: bool = False) -> bool:
    """Nothing but "I'm listening"? Of an open question, the same words can be the answer.

    Unfinished words may still become it: "I" is the beginning of "I see".
    """
    words = re.sub(r"[^\w' -]", " ", plain(text)).strip()
    patterns = _UNFINISHED if unfinished else _FINISHED
    languages = (language,) if language else tuple(BACKCHANNELS)
    return bool(words) and any(patterns[one].fullmatch(words) for one in languages)


def _phrases(language: Lang) -> list[str]:
    """The longest first, as a recogniser's words are compared."""
    return sorted(map(plain, BACKCHANNELS[language].split("|")), key=len, reverse=True)


def _pattern(phrases: list[str]) -> str:
    one = "|".join([*map(re.escape, phrases), _HUMMED])
    return rf"(?:(?:{one})(?:[ -]+|$))"


def _beginnings(phrases: list[str]) -> str:
    split = [phrase.split(" ") for phrase in phrases]
    return "|".join(
        re.escape(" ".join(words[:count])) for words in split for count in range(1, len(words))
    )


_FINISHED = {one: re.compile(f"{_pattern(_phrases(one))}+") for one in BACKCHANNELS}
_UNFINISHED = {
    one: re.compile(f"{_pattern(_phrases(one))}*(?:{_beginnings(_phrases(one))})?")
    for one in BACKCHANNELS
}


class Line(Protocol):
    """What is asked of an AgentSession."""

    @property
    def agent_state(self) -> str: ...

    @property
    def current_speech(self) -> object | None: ...


class Backchannels:
    """Holds "mhm" and the like back while the line speaks, so that they neither stop it nor become a turn.

    One said in the last moment of a question is its answer, and is let go when the line has finished. Time is counted
    in sound, so a line that paused meanwhile has not come closer to its end. To be put around an agent's `stt_node`.
    """

    #: Seconds of the line's speech that may follow an answer.
    EARLY_SECONDS = 0.7

    def __init__(self, line: Line, dismissed: Callable[[], None]) -> None:
        """
        Args:
            dismissed: told that what the caller said is nothing but that.
        """
        self._line = line
        self._dismissed = dismissed
        self._spoken = 0.0  #: seconds of the line's speech since the words that are held back
        self._held: stt.SpeechEvent | None = None
        self._let_go: asyncio.Queue[stt.SpeechEvent | None] = asyncio.Queue()

    async def listen(
        self, sound: AsyncIterable[rtc.AudioFrame]
    ) -> AsyncGenerator[rtc.AudioFrame, None]:
        """The sound, on its way to the recogniser."""
        async for frame in sound:
            self._passed(frame.duration)
            yield frame

    async def heard(
        self, events: AsyncIterable[stt.SpeechEvent]
    ) -> AsyncGenerator[stt.SpeechEvent, None]:
        """The recogniser's events, on their way to the turn."""
        self._let_go = asyncio.Queue()  # LiveKit may begin anew, after an error of the recogniser's
        sorting = asyncio.create_task(self._sort(events))
        try:
            while (event := await self._let_go.get()) is not None:
                yield event
            await sorting
        finally:
            sorting.cancel()

    async def _sort(self, events: AsyncIterable[stt.SpeechEvent]) -> None:
        try:
            async for event in events:
                if not self._hold_back(event):
                    self._let_go.put_nowait(event)
        finally:
            self._let_go.put_nowait(None)

    def _hold_back(self, event: stt.SpeechEvent) -> bool:
        words = event.alternatives[0].text if event.alternatives else ""
        final = event.type == stt.SpeechEventType.FINAL_TRANSCRIPT
        backchannel = is_backchannel(words, unfinished=not final)
        if self._line.current_speech is None or not backchannel:
            if words and final:
                self._held = None  # they said more: that is what counts
            return False
        if final:
            self._held, self._spoken = event, 0.0
            self._dismissed()
        return True

    def _passed(self, seconds: float) -> None:
        if self._held is None:
            return
        if self._line.agent_state == "speaking":
            self._spoken += seconds
        if self._spoken > self.EARLY_SECONDS:
            self._held = None
        elif self._line.current_speech is None:
            self._let_go.put_nowait(dataclasses.replace(self._held))
            self._held = None
