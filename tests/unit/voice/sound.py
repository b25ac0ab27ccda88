"""Sound that the loopback servers are tried on: sentences, silence, noise, and their way through the real plugins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import numpy as np
from livekit import rtc
from livekit.agents import stt

from voice.loopback import espeak
from voice.loopback.espeak import Samples

RATE = 16000
SENTENCES = (
    ("I want to change my address", "en"),
    ("My order number is four eight two one", "en"),
    ("Where is my order?", "en"),
    ("I would like to talk to a person", "en"),
    ("Yes please", "en"),
    ("Quiero cambiar mi dirección", "es"),
    ("¿Dónde está mi pedido?", "es"),
    ("Je voudrais changer mon adresse", "fr"),
    ("Où est ma commande?", "fr"),
    ("Oui, s'il vous plaît", "fr"),
)


def spoken(
    text: str, language: str, speaker: str = espeak.SPEAKERS[0], *, rate: int = RATE
) -> Samples:
    """A sentence with silence around it."""
    clip = espeak.speech(text, language, speaker=speaker, rate=rate)
    return np.concatenate((silence(0.5, rate), clip.samples, silence(0.5, rate)))


def silence(seconds: float, rate: int = RATE) -> Samples:
    return np.zeros(round(seconds * rate), dtype=np.int16)


def mixed(
    speech: Samples, noise: np.ndarray[tuple[int], np.dtype[np.float64]], db: float
) -> Samples:
    """Speech that is louder than the noise by so many decibels, by their mean power while speech is on."""
    loud = speech[np.abs(speech) > 100].astype(np.float64)
    scale = np.sqrt((loud**2).mean() / (noise**2).mean()) * 10 ** (-db / 20)
    return np.clip(speech + noise[: len(speech)] * scale, -32768, 32767).astype(np.int16)


def white(length: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.random.default_rng(1).normal(size=length)


def babble(length: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Several people at once, saying what nobody knows."""
    said = (
        ("The weather has been dreadful all week and the garden is full of leaves", "en", "m7"),
        ("Nobody believed what the old captain said about the storm", "en", "f2"),
        ("El perro de mi vecino ladra toda la noche sin parar nunca", "es", "m3"),
        ("Les enfants jouent dans le jardin pendant que la soupe refroidit", "fr", "f4"),
    )
    voices = [
        espeak.speech(text, language, speaker=speaker, rate=RATE).samples
        for text, language, speaker in said
    ]
    return np.sum([np.resize(voice, length).astype(np.float64) for voice in voices], axis=0)


def frame(samples: Samples, rate: int = RATE) -> rtc.AudioFrame:
    return rtc.AudioFrame(samples.tobytes(), rate, 1, len(samples))


async def hear(stream: stt.RecognizeStream, sound: Samples) -> list[stt.SpeechEvent]:
    """Let a plugin's stream hear something that ends in silence, and return its events to the end of speech."""
    stream.push_frame(frame(sound))
    return await until(stream, {stt.SpeechEventType.END_OF_SPEECH})


async def until(
    stream: stt.RecognizeStream, kinds: Iterable[stt.SpeechEventType]
) -> list[stt.SpeechEvent]:
    """Return a stream's events up to the first of a kind."""
    wanted, events = set(kinds), []
    async with asyncio.timeout(20):
        async for event in stream:
            events.append(event)
            if event.type in wanted:
                return events
    raise AssertionError(f"ended without {wanted}: {events}")


async def eventually(true: Callable[[], bool]) -> None:
    """Return once something has come true at a server."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 (the servers keep records and tell nobody)
            await asyncio.sleep(0.01)


def finals(events: Iterable[stt.SpeechEvent]) -> list[stt.SpeechData]:
    return [
        event.alternatives[0]
        for event in events
        if event.type == stt.SpeechEventType.FINAL_TRANSCRIPT
    ]
