"""The line waits longest where people stop in the middle."""

from __future__ import annotations

from typing import get_args

import pytest

from graph.understanding.commands import LANGUAGES, Asks, Language
from voice.patience import patience


def waits(asks: str | None, language: Language = "en") -> tuple[float, float]:
    options = patience(asks, language)
    return options["min_delay"], options["max_delay"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_address_is_waited_for_longer_than_digits_and_digits_longer_than_a_yes(
    language: Language,
) -> None:
    address, digits = waits("account.address", language), waits("account.phone", language)
    usual, yes_or_no = waits(None, language), waits("account.confirm", language)
    assert address[1] > digits[1] > usual[1] > yes_or_no[1]
    assert digits[0] > usual[0] > yes_or_no[0]


def test_french_pairs_of_digits_have_longer_pauses() -> None:
    assert waits("callback.phone", "fr")[0] > waits("callback.phone", "es")[0]
    assert waits("callback.confirm", "fr") == waits("callback.confirm", "es")


@pytest.mark.parametrize("asks", [*get_args(Asks), None, "no.such.question"])
def test_no_wait_outlasts_the_silence_after_which_the_line_asks_again(asks: str | None) -> None:
    for language in LANGUAGES:
        shortest, longest = waits(asks, language)
        assert 0 < shortest < longest < 15.0
