"""A caller as a test directs it: says, presses, hears, cuts in, hangs up, vanishes. Waiting is for events."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.acceptance.clips import Aside, Clips, Noise, Samples, read_wav
from tests.acceptance.process import CallerFailed, CallerProcess, Event

WITHIN = 60.0  # seconds, for anything; a machine shared with others is slow at times
LINGERS = 1.0  # seconds: an answer cut off by a late transcript is followed by another
STATE = "lk.agent.state"
T = TypeVar("T")
Announce = Callable[[str, str], Awaitable[None]]


@dataclass
class Caption:
    """One piece of speech as it is written in the room, growing."""

    who: str
    began: float
    text: str = ""
    final: bool = False


@dataclass
class Sound:
    """From the first to the last sample that is no silence."""

    who: str
    began: float
    ended: float | None = None


@dataclass(frozen=True)
class Said:
    """When the caller's words were in the air; monotonic seconds, as everywhere here."""

    began: float
    ended: float
    into: float = 0.0  #: when cutting in: seconds after the line began to sound


@dataclass
class Caller:
    """One call of one caller process."""

    process: CallerProcess
    call: str
    clips: Clips
    announce: Announce
    language: str = "en"
    identity: str = ""
    room: str = ""
    joined: float = 0.0  #: when the caller began to connect
    events: list[Event] = field(default_factory=list)
    captions: dict[str, Caption] = field(default_factory=dict)
    sounds: list[Sound] = field(default_factory=list)
    _told: list[tuple[float, str]] = field(default_factory=list)
    _place: tuple[int, int] = (
        0,
        0,
    )  #: up to where captions were asked about: which one, which character
    _acted: float = 0.0  #: when the caller last did something the line answers
    _heard_out: int = 0  #: captions up to then
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def joins(self, url: str, token: str) -> None:
        self.process.listen(self.call, self._see)
        answer = await self._do("join", url=url, token=token)
        self.identity, self.room, self.joined = (
            answer["identity"],
            answer["room"],
            answer["began"],
        )

    # what the caller does

    async def says(
        self,
        text: str,
        *,
        language: str | None = None,
        speed: float = 1.0,
        noise: Noise | None = None,
        aside: Aside | None = None,
    ) -> Said:
        """To the end."""
        clip = await self._clip(text, language, speed, noise, aside)
        self._tell(f"says: {text}")
        said = Said(**await self._do("say", path=str(clip)))
        self._acted = said.ended
        return said

    async def cuts_in_after(
        self, seconds: float, text: str, *, language: str | None = None, speed: float = 1.0
    ) -> Said:
        """So many seconds into the first thing that is heard after the caller's own last words."""
        clip = await self._clip(text, language, speed, None, None)
        self._tell(f"cuts in after {seconds} s: {text}")
        said = Said(**await self._do("cut_in", path=str(clip), after=seconds))
        self._acted = said.ended
        return said

    async def is_hushed(self) -> None:
        """Breaks off in the middle of a word."""
        await self._do("hush")

    async def is_at(self, noise: Noise | None) -> None:
        """In a noisy place from now on, or in a quiet one."""
        await self._do("surround", path=str(self.clips.noise(noise)) if noise else None)

    async def presses(self, keys: str) -> None:
        self._tell(f"presses: {keys}")
        self._acted = time.monotonic()
        await self._do("press", keys=keys)

    async def types(self, text: str) -> None:
        self._tell(f"types: {text}")
        self._acted = time.monotonic()
        await self._do("type", text=text)

    async def hangs_up(self) -> None:
        self._tell("hangs up")
        await self._do("leave")

    async def is_gone(self) -> None:
        """Politely, unless the process has vanished."""
        self.process.send_signal(signal.SIGCONT)
        with suppress(CallerFailed):
            await self._do("leave")

    def vanishes(self) -> None:
        """With every call of the process: the connection is gone without a goodbye."""
        self._tell("vanishes")
        self.process.send_signal(signal.SIGKILL)

    def freezes(self) -> None:
        """With every call of the process: nothing comes and nothing goes, as in a tunnel."""
        self._tell("freezes")
        self.process.send_signal(signal.SIGSTOP)

    def thaws(self) -> None:
        self._tell("thaws")
        self.process.send_signal(signal.SIGCONT)

    async def reconnects(self, *, fully: bool = False) -> None:
        """As LiveKit's client does after a network change, with or without a new media connection."""
        self._tell("reconnects")
        await self._do("reconnect", how="full" if fully else "signal")

    # what the caller hears and sees

    async def hears(self, fragment: str, *, to_end: bool = True, within: float = WITHIN) -> str:
        """Wait until the line's captions say this, after what was asked about before; case and marks don't count.

        Args:
            to_end: return when that piece of speech is over and the line is silent.

        Returns:
            The whole piece of speech, as far as it was said.
        """
        wanted = _plain(fragment)
        what = f"hears “{fragment}”"
        caption = await self.until(lambda: self._find(wanted), what, within)
        if to_end:
            await self.until(lambda: caption.final, f"{what} to the end of its caption", within)
            heard = f"{what} with the ear, too"
            await self.until(lambda: self._sounded_since(caption.began), heard, within)
            await self.until_silent(within=within)
        return caption.text

    async def hears_out(self, *, within: float = WITHIN) -> str:
        """Wait for the end of the line's answer to what the caller did last, whatever its words; returns them."""
        since = self._acted or self.joined
        await self.hears_sound(since=since, within=within)
        await self.until(self._line_waits, "hears the line out", within)
        while await self._more_comes():
            await self.until(self._line_waits, "hears the line out", within)
        fresh, self._heard_out = self.line_said[self._heard_out :], len(self.line_said)
        return " ".join(fresh)

    async def until_silent(self, *, within: float = WITHIN) -> float:
        """Returns when the last sound ended."""
        await self.until(lambda: not self.hearing, "hears the line fall silent", within)
        return max((sound.ended or 0.0 for sound in self.sounds), default=0.0)

    async def hears_sound(self, *, since: float, within: float = WITHIN) -> float:
        """Returns when the first sound after `since` began."""

        def began() -> float | None:
            return next((sound.began for sound in self.sounds if sound.began >= since), None)

        return await self.until(began, "hears a sound", within)

    async def sees(self, event: str, *, within: float = WITHIN, **what: object) -> Event:
        """Wait for an event: met, missed, changed, key, chat, reconnecting, reconnected, disconnected."""

        def seen() -> Event | None:
            fitting = (one for one in self.events if one["event"] == event)
            return next((one for one in fitting if what.items() <= dict(one).items()), None)

        return await self.until(seen, f"sees {event} {what or ''}", within)

    async def until(self, check: Callable[[], T | None], what: str, within: float = WITHIN) -> T:
        """Wait until the check gives something.

        Raises:
            AssertionError: not in time.
        """
        try:
            async with asyncio.timeout(within):
                while not (found := check()):
                    self._news.clear()
                    await self._news.wait()
                return found
        except TimeoutError:
            raise AssertionError(f"{what}: not within {within} s") from None

    @property
    def hearing(self) -> bool:
        """Whether the line sounds now."""
        return any(sound.ended is None for sound in self.sounds)

    def heard_for(self, *, since: float) -> float:
        """Seconds of sound; the line is silent now."""
        sounds = [(one.began, one.ended) for one in self.sounds if one.began >= since]
        return sum(ended - began for began, ended in sounds if ended is not None)

    @property
    def line_said(self) -> list[str]:
        """The captions of others, in order."""
        return [caption.text for caption in self._others()]

    @property
    def understood(self) -> list[str]:
        """The captions of the caller's own words: what was recognised."""
        return [one.text for one in self.captions.values() if one.who == self.identity]

    async def recording(self, path: Path) -> tuple[Samples, float]:
        """What was heard so far, 48 kHz, and the time of its first sample; kept in the file."""
        began = await self._do("save", path=str(path))
        return read_wav(path), float(began["began"])

    def story(self) -> str:
        """What happened, for a reader."""
        told = [
            *self._told,
            *((one.began, f"{self._name(one.who)}: {one.text}") for one in self.captions.values()),
            *((one.began, f"({self._sounding(one)})") for one in self.sounds),
            *((one["at"], _in_words(one)) for one in self.events if one["event"] in _TOLD),
        ]
        return "\n".join(f"{at - self.joined:7.2f}  {words}" for at, words in sorted(told))

    def _find(self, wanted: str) -> Caption | None:
        index, character = self._place
        for number, caption in enumerate(self._others()):
            text = _plain(caption.text)
            found = (
                text.find(wanted, character if number == index else 0) if number >= index else -1
            )
            if found >= 0:
                self._place = (number, found + len(wanted))
                return caption
        return None

    def _others(self) -> list[Caption]:
        return [one for one in self.captions.values() if one.who != self.identity]

    def _line_waits(self) -> bool:
        """It has said everything, and listens. A greeting has parts: the last is a question."""
        if not self._acted and not any(text.rstrip().endswith("?") for text in self.line_said):
            return False
        states = [one["attributes"].get(STATE) for one in self.events if one["event"] == "changed"]
        told = [state for state in states if state]
        written = all(caption.final for caption in self._others())
        return not self.hearing and written and (not told or told[-1] == "listening")

    async def _more_comes(self) -> bool:
        """Within a moment, though the line seems to wait."""
        before = self._so_far()
        try:
            await self.until(lambda: self._so_far() != before, "hears more", LINGERS)
        except AssertionError:
            return not self._line_waits()
        return True

    def _so_far(self) -> tuple[list[str], int]:
        return self.line_said, len(self.sounds)

    def _sounded_since(self, began: float) -> bool:
        """A caption may be a little ahead of its sound, or behind it."""
        return any((sound.ended or began) >= began for sound in self.sounds)

    async def _clip(
        self,
        text: str,
        language: str | None,
        speed: float,
        noise: Noise | None,
        aside: Aside | None,
    ) -> Path:
        spoken = language or self.language
        await self.announce(text, spoken)
        if aside:
            await self.announce(aside.text, spoken)
        return self.clips.speech(text, spoken, speed=speed, noise=noise, aside=aside)

    async def _do(self, do: str, **given: object) -> Event:
        return await self.process.do(self.call, do, **given) or {}

    def _tell(self, words: str) -> None:
        self._told.append((time.monotonic(), words))

    def _see(self, event: Event) -> None:
        self.events.append(event)
        what, who, at = event["event"], event.get("who", ""), event["at"]
        if what == "caption":
            caption = self.captions.setdefault(event["segment"], Caption(who, at))
            caption.text, caption.final = event["text"], event["final"]
        elif what == "heard_start":
            self.sounds.append(Sound(who, at))
        elif what == "heard_end":
            next(one for one in self.sounds if one.who == who and one.ended is None).ended = at
        self._news.set()

    def _name(self, who: str) -> str:
        return "(caller)" if who == self.identity else who

    def _sounding(self, sound: Sound) -> str:
        ended = "still" if sound.ended is None else f"{sound.ended - sound.began:.2f} s"
        return f"sound of {self._name(sound.who)}, {ended}"


_TOLD = {"met", "missed", "key", "chat", "reconnecting", "reconnected", "disconnected", "failed"}


def _in_words(event: Event) -> str:
    return " ".join(str(value) for name, value in event.items() if name not in ("at", "call"))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", text.casefold()).split())
