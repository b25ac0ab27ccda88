"""Topics by words, on a handful of samples."""

from __future__ import annotations

import pytest

from tools.postgres.matching import WordMatcher, nearest

SAMPLES = [
    ("llamas", "do you sell llamas"),
    ("llamas", "how much is a llama"),
    ("kites", "do you sell kites"),
    ("kites", "can i fly a kite in the rain"),
]
BODIES = [("llamas", "Llamas eat hay."), ("kites", "Kites are made of silk.")]


@pytest.fixture(scope="module")
def matcher() -> WordMatcher:
    return WordMatcher.fitted("en", SAMPLES, BODIES)


def test_sample_question_is_its_topic(matcher: WordMatcher) -> None:
    for topic, question in SAMPLES:
        assert nearest(matcher.margins(question))[0] == topic


def test_word_of_an_answer_counts_too(matcher: WordMatcher) -> None:
    assert nearest(matcher.margins("silk"))[0] == "kites"


def test_what_nobody_answers_is_far_from_every_topic(matcher: WordMatcher) -> None:
    sure = nearest(matcher.margins("do you sell kites"))[1]
    assert nearest(matcher.margins("where is my order"))[1] < 0 < sure
    assert nearest(matcher.margins("xqzt vrrp"))[1] < 0


def test_one_topic_alone_can_be_told_from_nothing() -> None:
    alone = WordMatcher.fitted("en", SAMPLES[:2], BODIES[:1])
    assert alone.topics == ("llamas",)
    assert alone.margins("do you sell llamas")["llamas"] > 0 > alone.margins("hello")["llamas"]


def test_same_samples_give_the_same_matcher(matcher: WordMatcher) -> None:
    again = WordMatcher.fitted("en", SAMPLES, BODIES)
    assert again.margins("a kite for my llama") == matcher.margins("a kite for my llama")
