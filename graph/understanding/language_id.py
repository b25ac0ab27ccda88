"""Which of the three languages an utterance is in. Short answers, numbers and names prove nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from lingua import Language as Lingua
from lingua import LanguageDetector, LanguageDetectorBuilder

from graph.understanding.commands import Asks, Language

_CODES: dict[Lingua, Language] = {
    Lingua.ENGLISH: "en",
    Lingua.SPANISH: "es",
    Lingua.FRENCH: "fr",
}
#: Questions whose answers are names, codes and addresses: no evidence of a language.
_NAMES_AND_NUMBERS: tuple[Asks, ...] = (
    "identity.account",
    "identity.fact",
    "identity.code",
    "account.address",
    "account.phone",
    "callback.phone",
)
_LIKELY, _SURE = 0.80, 0.92
_WORDS_LIKELY, _WORDS_SURE = 2, 3
_OPENERS: dict[str, Language] = {
    "hola": "es",
    "buenas": "es",
    "buenos": "es",
    "gracias": "es",
    "bonjour": "fr",
    "bonsoir": "fr",
    "merci": "fr",
    "oui": "fr",
    "hello": "en",
    "thanks": "en",
}


@dataclass(frozen=True)
class LanguageReading:
    language: Language
    sure: bool  #: a whole sentence that can only be this language


@cache
def detector() -> LanguageDetector:
    return LanguageDetectorBuilder.from_languages(*_CODES).build()


def read_language(text: str, current: Language, asks: Asks | None) -> LanguageReading:
    """The language of an utterance; the current one when there is no good reason for another."""
    words = [word for word in text.lower().split() if word.isalpha()]
    if asks in _NAMES_AND_NUMBERS and len(words) < 8:
        return LanguageReading(current, sure=False)
    if len(words) < _WORDS_LIKELY:
        opener = _OPENERS.get(words[0]) if words else None
        return LanguageReading(opener or current, sure=False)
    likeliest, *_ = detector().compute_language_confidence_values(" ".join(words))
    language = _CODES[likeliest.language]
    if language == current or likeliest.value < _LIKELY:
        return LanguageReading(current, sure=False)
    return LanguageReading(language, sure=likeliest.value >= _SURE and len(words) >= _WORDS_SURE)
