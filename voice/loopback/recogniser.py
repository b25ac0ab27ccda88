"""One stream of audio recognised as it comes: where speech begins and ends, and what is said in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from voice.loopback.decoder import Decoder, HeardWord
from voice.loopback.features import FRAMES_A_SECOND, Frame, FrontEnd, Samples
from voice.loopback.library import LONGEST_PAUSE, Library

_ONSET_FRAMES, _ONSET_WITHIN = 3, 5  # so many frames of speech within so many begin an utterance
_LEAD_FRAMES: Final = 20  # frames before the onset that are listened to as well
_SHORTEST_PAUSE: Final = 0.2  # seconds: less may be the stop of a "t" or a "k", no pause
_INTERIM_FRAMES: Final = 10  # between two interim results
_BATCH: Final = 5  # frames matched at a time
_RESUMED_WITHIN: Final = 100  # frames of silence after which a sentence broken off may go on
_LONGEST: Final = 500  # frames of speech without a pause after which a result is final anyway
_SLACK: Final = 0.06  # seconds by which a word's time may move when more is heard


@dataclass(frozen=True)
class SpeechBegan:
    """Somebody begins to speak, so many seconds after the stream began."""

    at: float


@dataclass(frozen=True)
class Heard:
    """What was said between two moments, perhaps nothing that is known."""

    words: tuple[HeardWord, ...]
    start: float
    end: float
    final: bool  # it won't change
    pause: bool  # the speaker has stopped, as far as that was asked for


@dataclass(frozen=True)
class SpeechEnded:
    """Nobody has spoken for the time that was asked for."""

    last_word_end: float


Event = SpeechBegan | Heard | SpeechEnded


class Recogniser:
    """Hears one stream; what it is told to listen for is in the library, which may grow meanwhile."""

    def __init__(
        self,
        library: Library,
        rate: int,
        *,
        languages: frozenset[str] | None = None,
        endpointing: float | None = 0.01,
        utterance_end: float | None = None,
    ) -> None:
        self._library = library
        self._languages = languages
        self._endpoints = endpointing is not None
        self._pause = round(max(endpointing or 0.0, _SHORTEST_PAUSE) * FRAMES_A_SECOND)
        self._utterance_end = utterance_end and round(utterance_end * FRAMES_A_SECOND)
        self._front = FrontEnd(rate)
        self._decoder: Decoder | None = None
        self._lead: deque[Frame] = deque(maxlen=_LEAD_FRAMES)
        self._pending: list[tuple[Frame, int]] = []
        self._now = 0  # frames since the stream began
        self._spoke = -_LONGEST  # the last frame of speech
        self._speaking = False
        self._open = False  # whether an utterance waits for its SpeechEnded
        self._began = 0  # first frame of what the next final result covers
        self._final_until = 0.0  # seconds: the end of the last word that was final

    def push(self, samples: Samples) -> list[Event]:
        """Take samples and return what they brought to light."""
        events: list[Event] = []
        for frame in self._front.push(samples):
            events.extend(self._take(frame))
            self._now += 1
        return events

    def finish(self) -> Heard:
        """Return what was said since the last final result, as final."""
        heard = self._heard(final=True, pause=self._speaking and self._endpoints)
        self._rest()
        return heard

    def _take(self, frame: Frame) -> Iterator[Event]:
        if frame.speech:
            self._spoke = self._now
        if not self._speaking:
            self._lead.append(frame)
            if self._onset():
                yield self._begin()
            elif self._utterance_end and self._open and self._silence() >= self._utterance_end:
                self._open = False
                yield SpeechEnded(self._final_until)
            if self._decoder is not None and self._silence() > _RESUMED_WITHIN:
                self._decoder = None
            return
        if self._silence() <= LONGEST_PAUSE:
            self._pending.append((frame, self._now))
        if self._silence() >= self._pause:
            yield self._heard(final=True, pause=self._endpoints)
            self._rest()
        elif self._now - self._began >= _LONGEST:
            yield self._heard(final=True, pause=False)
            self._decoder = Decoder(self._library.tape(), self._languages)
        elif (self._now - self._began) % _INTERIM_FRAMES == 0:
            yield self._heard(final=False, pause=False)

    def _silence(self) -> int:
        return self._now - self._spoke

    def _onset(self) -> bool:
        recent = list(self._lead)[-_ONSET_WITHIN:]
        return sum(frame.speech for frame in recent) >= _ONSET_FRAMES

    def _begin(self) -> SpeechBegan:
        self._speaking = self._open = True
        first = self._now - len(self._lead) + 1  # the lead is never longer than the stream
        self._pending = [(frame, first + index) for index, frame in enumerate(self._lead)]
        self._lead.clear()
        self._began = first
        tape = self._library.tape()
        if self._decoder is None or (self._decoder.tape is not tape and not self._decoder.best()):
            self._decoder = Decoder(tape, self._languages)
        spoke = next(number for frame, number in self._pending if frame.speech)
        return SpeechBegan(spoke / FRAMES_A_SECOND)

    def _rest(self) -> None:
        """Wait for speech again; a sentence that isn't at its end may be gone on with."""
        self._speaking = False
        if self._decoder is not None and self._decoder.complete():
            self._decoder = None

    def _heard(self, *, final: bool, pause: bool) -> Heard:
        words: list[HeardWord] = []
        if self._decoder is not None:
            for first in range(0, len(self._pending), _BATCH):
                frames, times = zip(*self._pending[first : first + _BATCH], strict=True)
                self._decoder.take(list(frames), list(times))
            self._pending = []
            words = [
                word for word in self._decoder.best() if word.start >= self._final_until - _SLACK
            ]
        start, end = self._began / FRAMES_A_SECOND, (self._now + 1) / FRAMES_A_SECOND
        if final:
            self._began = self._now + 1
            if words:
                self._final_until = words[-1].end
        return Heard(tuple(words), start, end, final, pause)
