"""The words that decide on their own, per language: yes, no, profanity, which order, which channel."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from graph.understanding.commands import Language

FOLDER = Path(__file__).parent / "lexicon"
_LISTS = (
    "yes",
    "no",
    "joints",
    "wavering",
    "doubt",
    "last",
    "other",
    "not_received",
    "upset",
    "profanity",
    "email_channel",
    "sms_channel",
    "resend",
    "now_choice",
    "callback_choice",
    "asap",
    "own_number",
    "own_number_leads",
    "manners",
    "goodbye",
    "address",
    "call_me",
    "not_no",
    "greeting",
    "thanks",
    "soft_yes",
    "contrast",
    "line1",
    "line2",
    "city",
    "region",
    "postal_code",
    "time",
    "phone",
    "topic",
)


@dataclass(frozen=True)
class Lexicon:
    """Compiled word lists; `find(name, text)` on text that went through `plain`."""

    patterns: dict[str, re.Pattern[str]]
    starts: dict[str, re.Pattern[str]]
    languages: dict[str, tuple[str, ...]]

    def has(self, name: str, text: str) -> bool:
        return self.patterns[name].search(text) is not None

    def count(self, name: str, text: str) -> int:
        return len(self.patterns[name].findall(text))

    def leading(self, name: str, text: str) -> tuple[bool, str]:
        """Does the text begin with such words? And what is left after them."""
        found = self.starts[name].match(text)
        return (True, text[found.end() :].strip()) if found else (False, text)

    def ends(self, text: str, name: str) -> bool:
        """Does the text end with such words?"""
        return any(found.end() == len(text) for found in self.patterns[name].finditer(text))


def plain(text: str) -> str:
    """Lower case, no accents, no punctuation but apostrophes inside words, single spaces."""
    text = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    text = "".join(char for char in text if not unicodedata.combining(char))
    text = re.sub(r"[^\w'@+./:-]|(?<!\w)['.:/-]|['.:/-](?!\w)", " ", text)
    return re.sub(r"\s+", " ", text).strip()


@cache
def lexicon(language: Language) -> Lexicon:
    """The lists of a language, read once."""
    raw = yaml.safe_load((FOLDER / f"{language}.yaml").read_text("utf-8"))
    words = {name: _words(raw[name]) for name in _LISTS}
    return Lexicon(
        patterns={name: re.compile(rf"\b(?:{joined})\b") for name, joined in words.items()},
        starts={name: re.compile(rf"(?:(?:{joined})\b[\s,]*)+") for name, joined in words.items()},
        languages={
            key: tuple(plain(word) for word in names) for key, names in raw["languages"].items()
        },
    )


def _words(words: list[str]) -> str:
    """Longest first, so that "no thank you" is not read as "no"."""
    plains = sorted({plain(word) for word in words}, key=len, reverse=True)
    return "|".join(re.escape(word) for word in plains if word)
