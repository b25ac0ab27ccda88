"""The bridge between caller and colleague: what was held up does not make the rest of their talk late."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
from livekit import rtc

from tests.unit.voice.rooms import FakeRoom
from voice import bridge

PIECE = bridge.RATE // 100  #: samples in 10 ms
HELD_UP = 300  #: pieces that come at once: three seconds


class FakeSource:
    """rtc.AudioSource: how much waits to be heard, when nothing is heard meanwhile."""

    def __init__(self) -> None:
        self.queued_duration = 0.0
        self.carried = 0

    def clear_queue(self) -> None:
        self.queued_duration = 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        self.queued_duration += frame.duration
        self.carried += 1


class FakeStream:
    """rtc.AudioStream after a stall: everything at once."""

    def __aiter__(self) -> AsyncIterator[SimpleNamespace]:
        return self._pieces()

    async def _pieces(self) -> AsyncIterator[SimpleNamespace]:
        for _ in range(HELD_UP):
            piece = rtc.AudioFrame(bytes(2 * PIECE), bridge.RATE, 1, PIECE)
            yield SimpleNamespace(frame=piece)

    async def aclose(self) -> None: ...


async def test_what_was_held_up_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}

    def opened(**options: object) -> FakeStream:
        given.update(options)
        return FakeStream()

    monkeypatch.setattr(rtc.AudioStream, "from_participant", opened)
    source = FakeSource()
    await bridge._carried((FakeRoom("caller"), "caller"), source)  # type: ignore[arg-type]
    assert source.carried == HELD_UP
    assert source.queued_duration <= bridge.LATE_SECONDS + 0.01
    assert given["capacity"] == bridge.WAITING_PIECES
