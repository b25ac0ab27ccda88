"""The local classifier: a model kept on disk is the one that was fitted, and the examples are enough."""

from __future__ import annotations

from pathlib import Path

from graph.understanding import intents
from graph.understanding.commands import LANGUAGES

SAID = (
    "where is my order",
    "hola quería cambiar mi dirección",
    "rappelez-moi demain s'il vous plaît",
    "xyzzy",
    "",
    "no no no that's not it",
)


def test_a_model_from_the_cache_guesses_as_the_fitted_one(tmp_path: Path) -> None:
    fitted = intents.intent_model("en", tmp_path)
    kept = intents.intent_model("en", tmp_path)
    for text in SAID:
        assert fitted.guesses(text) == kept.guesses(text)


def test_every_language_has_every_intent_with_eighty_examples_or_more() -> None:
    by_language = {language: intents.examples(language) for language in LANGUAGES}
    assert len({frozenset(one) for one in by_language.values()}) == 1
    for language, by_intent in by_language.items():
        for intent, sentences in by_intent.items():
            assert len(set(sentences)) >= 80, (language, intent)
