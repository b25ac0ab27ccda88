"""Stand-ins for the vendors' clouds on 127.0.0.1: their wire protocols, espeak-ng's voice, a small real recogniser."""

from __future__ import annotations

from voice.loopback.cartesia import CartesiaServer, SpeechRequest
from voice.loopback.deepgram import DeepgramServer, ListenRequest, Transcript
from voice.loopback.espeak import Clip, EspeakMissing, available, speech
from voice.loopback.faults import Fault
from voice.loopback.library import Library

__all__ = [
    "CartesiaServer",
    "Clip",
    "DeepgramServer",
    "EspeakMissing",
    "Fault",
    "Library",
    "ListenRequest",
    "SpeechRequest",
    "Transcript",
    "available",
    "speech",
]
