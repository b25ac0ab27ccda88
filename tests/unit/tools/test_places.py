"""Places read as countries: a question about a town is one about its country, and "nice" is a word in English."""

from __future__ import annotations

import pytest

from tools.ports import LanguageCode
from tools.postgres.places import gazetteer


@pytest.mark.parametrize(
    ("language", "text", "read"),
    [
        ("en", "how much is shipping to Albacete", "how much is shipping to countryes countryeu"),
        ("en", "how long to new york", "how long to countryus"),
        ("en", "do you ship to the UK", "do you ship to the countrygb"),
        ("en", "is it free in europe", "is it free in countryeu"),
        ("en", "could you make it look nice", "could you make it look nice"),
        ("en", "send it to switzerland", "send it to countrych"),
        ("es", "¿cuánto tarda a Múnich?", "¿cuanto tarda a countryde countryeu?"),
        ("es", "lo mandan a Niza", "lo mandan a countryfr countryeu"),
        ("es", "cómo se usa", "como se usa"),
        ("es", "a estados unidos", "a countryus"),
        ("fr", "aux États-Unis", "aux countryus"),
        ("fr", "j'ai eu un colis", "j'ai eu un colis"),
        ("fr", "livrer à Nice", "livrer a countryfr countryeu"),
        ("fr", "jusqu’à Montréal", "jusqu'a countryca"),
    ],
)
def test_place_is_read_as_its_country(language: LanguageCode, text: str, read: str) -> None:
    assert gazetteer(language).read(text) == read


@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_longer_name_wins_over_the_shorter_one_in_it(language: LanguageCode) -> None:
    assert gazetteer(language).read("new mexico") == "countryus"
