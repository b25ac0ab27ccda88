"""The local understanding on sentences it was not made from: the figures of the README must not fall.

The sets in tests/understanding were written without sight of the training examples. Nothing is tuned on them.
"""

from __future__ import annotations

import pytest

from bench.understanding import blind_cases, scored, share
from graph.understanding.commands import LANGUAGES, Language
from graph.understanding.intents import examples
from graph.understanding.lexicon import plain
from graph.understanding.local import LocalUnderstander
from settings import Settings

#: A little under what was measured: all right, first command right, misread (the caller is misled) at the most.
FLOORS: dict[Language, tuple[float, float, float]] = {
    "en": (0.91, 0.93, 0.06),
    "es": (0.88, 0.90, 0.06),
    "fr": (0.87, 0.89, 0.07),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_blind_set_is_read_as_well_as_the_readme_says(language: Language) -> None:
    scores = scored(language, LocalUnderstander(Settings().cache))
    right, first, misread = FLOORS[language]
    assert share(one.right for one in scores) >= right
    assert share(one.first_right for one in scores) >= first
    assert share(not one.right and not one.admitted for one in scores) <= misread


@pytest.mark.parametrize("language", LANGUAGES)
def test_blind_set_is_kept_apart_from_the_examples(language: Language) -> None:
    """Short ones ("yes please") are the same everywhere; a longer one that stands in both measures nothing."""
    trained = {plain(one) for sentences in examples(language).values() for one in sentences}
    long_ones = [one for one in blind_cases(language) if len(one.text.split()) > 5]
    assert len(long_ones) > 100
    assert not [one.text for one in long_ones if plain(one.text) in trained]
