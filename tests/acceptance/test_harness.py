"""The harness has teeth: what one participant does, the other hears and sees, at the right time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tests.acceptance.clips import RATE, Clips, Noise, Samples, Sound, read_wav
from tests.acceptance.exchange import Exchange
from tests.acceptance.line import Line
from voice.loopback.espeak import speech

BLOCK = RATE // 50
LATE = 0.3  #: seconds from a mouth to an ear, at most, on a busy machine
OTHER = "what is your return policy for furniture"
WHISPER = 100.0  #: root mean square, of 32768
SENTENCE = "i moved and need to change my address"


async def test_speech_is_heard_when_and_as_it_was_spoken(
    exchange: Exchange, clips: Clips, room: str, tmp_path: Path
) -> None:
    async with (
        exchange.caller(exchange.guest(room, "anna")) as anna,
        exchange.caller(exchange.guest(room, "ben")) as ben,
    ):
        await ben.sees("track", who="anna")
        await anna.says("hello")  # WebRTC hurries through the first words, to catch up
        await ben.hears_sound(since=0)
        await ben.until_silent()
        said = await anna.says(SENTENCE)
        began = await ben.hears_sound(since=said.began)
        ended = await ben.until_silent()
        recording, first_sample = await ben.recording(tmp_path / "heard.wav")
    spoken = read_wav(clips.speech(SENTENCE))
    loud = np.flatnonzero(np.abs(spoken.astype(np.int32)) > 400) / RATE
    assert began - said.began == pytest.approx(loud[0], abs=LATE)
    assert ended - said.began == pytest.approx(loud[-1], abs=LATE)
    assert ended - began == pytest.approx(loud[-1] - loud[0], abs=0.1)
    heard = recording[int((said.began - first_sample) * RATE) :]
    same, other = _unlikeness(spoken, heard), _unlikeness(read_wav(clips.speech(OTHER)), heard)
    assert same < other / 2


async def test_silence_is_no_sound_and_noise_is(exchange: Exchange, room: str) -> None:
    async with (
        exchange.caller(exchange.guest(room, "anna")) as anna,
        exchange.caller(exchange.guest(room, "ben")) as ben,
    ):
        await ben.sees("track", who="anna")
        await anna.says(SENTENCE)
        assert len(ben.sounds) == 1
        await ben.until_silent()
        await anna.is_at(Noise("street", snr=5))
        noisy = await ben.hears_sound(since=ben.sounds[0].began + 0.1)
        await anna.is_at(None)
        assert await ben.until_silent() > noisy
        assert len(ben.sounds) == 2


async def test_caller_cuts_in_when_told_to(exchange: Exchange, room: str) -> None:
    async with (
        exchange.caller(exchange.guest(room, "anna")) as anna,
        exchange.caller(exchange.guest(room, "ben")) as ben,
    ):
        await ben.sees("track", who="anna")
        async with asyncio.TaskGroup() as both:
            cut = both.create_task(ben.cuts_in_after(0.8, "wait"))
            both.create_task(anna.says(SENTENCE))
        assert cut.result().into == pytest.approx(0.8, abs=0.1)
        assert cut.result().began < ben.sounds[0].began + 1


async def test_hushed_caller_stops_within_the_word(exchange: Exchange, room: str) -> None:
    async with (
        exchange.caller(exchange.guest(room, "anna")) as anna,
        exchange.caller(exchange.guest(room, "ben")) as ben,
    ):
        await ben.sees("track", who="anna")
        async with asyncio.TaskGroup() as both:
            saying = both.create_task(anna.says(SENTENCE))
            began = await ben.hears_sound(since=0)
            await anna.is_hushed()
        assert saying.result().ended - saying.result().began < 1.5
        assert await ben.until_silent() - began < 1.5


@pytest.mark.together
async def test_keys_and_typed_words_arrive_in_order(line: Line) -> None:
    exchange, room = line.exchange, "keys"
    async with (
        exchange.caller(exchange.guest(room, "ben")) as ben,
        exchange.caller(
            exchange.phone("+15035550127", room=room, identity="anna", dispatch=False)
        ) as anna,
    ):
        await anna.presses("1234567890*#")
        await anna.types("hello, line")
        await ben.sees("key", digit="#", code=11, who="anna")
        await ben.sees("chat", who="anna", text="hello, line")
    assert "".join(one["digit"] for one in ben.events if one["event"] == "key") == "1234567890*#"


@pytest.mark.together
async def test_phone_is_seen_as_livekits_bridge_shows_it(line: Line) -> None:
    exchange, room = line.exchange, "phone"
    token = exchange.phone("+15035550127", room=room, identity="sip_1", dispatch=False)
    async with exchange.caller(exchange.guest(room, "ben")) as ben, exchange.caller(token):
        seen = await ben.sees("met", who="sip_1", kind="SIP")
    assert seen["attributes"]["sip.phoneNumber"] == "+15035550127"
    assert seen["attributes"]["sip.callID"].startswith("SCL_")


@pytest.mark.together
async def test_goodbye_and_lost_connection_are_told_apart(line: Line) -> None:
    exchange, room = line.exchange, "goodbye"
    async with exchange.caller(exchange.guest(room, "ben")) as ben:
        async with exchange.caller(exchange.guest(room, "anna")) as anna:
            await ben.sees("met", who="anna")
            await anna.hangs_up()
            await ben.sees("missed", who="anna", why="CLIENT_INITIATED")
        async with exchange.caller(exchange.guest(room, "carl")) as carl:
            await ben.sees("met", who="carl")
            carl.vanishes()
            gone = await ben.sees("missed", who="carl")
    assert gone["why"] != "CLIENT_INITIATED"


@pytest.mark.together
async def test_caller_comes_back_under_the_same_name(line: Line) -> None:
    exchange, room = line.exchange, "return"
    spoken = speech(SENTENCE, "en").seconds
    async with exchange.caller(exchange.guest(room, "ben")) as ben:
        async with exchange.caller(exchange.guest(room, "anna")) as anna:
            await ben.sees("met", who="anna")
            anna.vanishes()
        async with exchange.caller(exchange.guest(room, "anna")) as again:
            await again.says(SENTENCE)
            await ben.until(lambda: ben.heard_for(since=0) > spoken / 2, "hears the sentence")
            await ben.until_silent()
    assert ben.heard_for(since=0) < spoken * 1.5


@pytest.mark.together
async def test_frozen_caller_is_silent_and_goes_on(line: Line) -> None:
    exchange, room = line.exchange, "frozen"
    async with (
        exchange.caller(exchange.guest(room, "anna")) as anna,
        exchange.caller(exchange.guest(room, "ben")) as ben,
    ):
        await ben.sees("track", who="anna")
        async with asyncio.TaskGroup() as both:
            both.create_task(anna.says(SENTENCE))
            await ben.hears_sound(since=0)
            anna.freezes()
            await ben.until_silent()
            anna.thaws()
        assert await ben.hears_sound(since=ben.sounds[0].began + 0.1)


@pytest.mark.together
async def test_one_process_holds_calls_of_several_rooms(line: Line) -> None:
    exchange = line.exchange
    async with (
        exchange.process() as many,
        exchange.caller(exchange.guest("room-a", "ben")) as ben,
        exchange.caller(exchange.guest("room-a", "anna"), process=many) as anna,
        exchange.caller(exchange.guest("room-b", "anna"), process=many) as other,
    ):
        await ben.sees("track", who="anna")
        await other.says(OTHER)
        assert not ben.sounds
        await anna.says(SENTENCE)
        await ben.hears_sound(since=0)


async def test_failure_tells_the_story_of_the_call(exchange: Exchange, room: str) -> None:
    async def call() -> None:
        async with exchange.caller(exchange.guest(room, "anna")) as anna:
            await anna.says("hello")
            await anna.hears("welcome", within=0.1)

    with pytest.raises(AssertionError, match="hears “welcome”: not within") as failed:
        await call()
    assert "says: hello" in "".join(failed.value.__notes__)


def _unlikeness(spoken: Samples, heard: Samples) -> float:
    """How differently loudness goes up and down in both; how fast does not count, as WebRTC hurries and waits."""
    ours, theirs = _loudness(spoken), _loudness(heard)
    best = np.full((len(ours) + 1, len(theirs) + 1), np.inf)
    best[0, :] = 0  # it may begin anywhere
    for row, loud in enumerate(ours, start=1):
        for column, other in enumerate(theirs, start=1):
            before = min(best[row - 1, column - 1], best[row - 1, column], best[row, column - 1])
            best[row, column] = before + abs(loud - other)
    return float(best[-1].min()) / len(ours)


def _loudness(samples: Samples) -> Sound:
    """In decibels above a whisper, of 20 ms each, without the silence around."""
    blocks = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK).astype(np.float64)
    decibels: Sound = 10 * np.log10(np.mean(blocks**2, axis=1) / WHISPER**2 + 1)
    loud = np.flatnonzero(decibels > 1)
    return decibels[loud[0] : loud[-1] + 1]
