"""Names of places made into names of countries: what is true of shipping to Leeds is true of shipping to Bath."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from babel import Locale
from pydantic import BaseModel, ConfigDict

from tools.ports import LanguageCode

FILE = Path(__file__).parent / "places.yaml"


class _Places(BaseModel):
    """places.yaml: names are separated by bars."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    towns: Mapping[str, str]  #: by country code
    european_union: str  #: country codes
    europe_words: str
    not_places: Mapping[LanguageCode, str]


@dataclass(frozen=True)
class Gazetteer:
    """The places of one language."""

    words: Mapping[str, str]  #: what stands in the place of a name
    name: re.Pattern[str]

    def read(self, text: str) -> str:
        """Folded text in which every place is `country` and its code, and `countryeu` for a member state."""
        return self.name.sub(lambda found: self.words[found[0]], folded(text))


def folded(text: str) -> str:
    """Lower case, no accents, hyphens as spaces: recognition writes them or not."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("’", "'").replace("-", " "))
    return "".join(char for char in plain if not unicodedata.combining(char))


@cache
def gazetteer(language: LanguageCode) -> Gazetteer:
    """Country names are Babel's (CLDR), towns those of places.yaml."""
    places = _Places.model_validate(yaml.safe_load(FILE.read_text("utf-8")))
    codes = {
        folded(name): code for code, name in Locale(language).territories.items() if len(code) == 2
    }
    codes |= {name: code for code, names in places.towns.items() for name in _names(names)}
    codes |= dict.fromkeys(_names(places.europe_words), "eu")
    for name in _names(places.not_places[language]):
        codes.pop(name, None)
    union = frozenset(places.european_union.split())
    words = {name: _word(code, union) for name, code in codes.items()}
    longest_first = sorted(map(re.escape, words), key=len, reverse=True)
    return Gazetteer(words, re.compile(rf"\b(?:{'|'.join(longest_first)})\b"))


def _names(joined: str) -> list[str]:
    return [folded(name.strip()) for name in joined.split("|")]


def _word(code: str, union: frozenset[str]) -> str:
    return f"country{code.lower()}" + (" countryeu" if code in union else "")
