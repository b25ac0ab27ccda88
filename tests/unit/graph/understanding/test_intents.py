"""The local classifier: the fast path gives scikit-learn's figures, and a model kept on disk is the one trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graph.understanding import intents
from graph.understanding.commands import LANGUAGES, Language
from graph.understanding.lexicon import plain
from settings import Settings

SAID = (
    "where is my order",
    "hola quería cambiar mi dirección",
    "rappelez-moi demain s'il vous plaît",
    "xyzzy",
    "",
    "no no no that's not it",
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_fast_path_gives_scikit_learns_margins(language: Language) -> None:
    model = intents.intent_model(language, Settings().cache)
    for text in SAID:
        features = intents._features(model.words, model.letters, [plain(text)])
        slow = np.asarray(features @ model.weights.T)[0] + model.bias
        fast = model._words.margins(plain(text)) + model._letters.margins(plain(text)) + model.bias
        assert np.allclose(slow, fast, atol=1e-5), text


def test_a_model_from_the_cache_guesses_as_the_trained_one(tmp_path: Path) -> None:
    trained = intents.intent_model("en", tmp_path)
    kept = intents.intent_model("en", tmp_path)
    for text in SAID:
        assert trained.guesses(text)[0].intent == kept.guesses(text)[0].intent
        assert trained.guesses(text)[0].share == pytest.approx(
            kept.guesses(text)[0].share, abs=0.01
        )


def test_every_language_has_every_intent_with_eighty_examples_or_more() -> None:
    by_language = {language: intents.examples(language) for language in LANGUAGES}
    assert len({frozenset(one) for one in by_language.values()}) == 1
    for language, by_intent in by_language.items():
        for intent, sentences in by_intent.items():
            assert len(set(sentences)) >= 80, (language, intent)
