"""Intent of an utterance: a linear model of words and letters, per language, fitted to the examples.

Fitting takes a few seconds, so the model is kept in a cache folder, named by what it was fitted to.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

from graph.understanding.commands import Language
from graph.understanding.lexicon import plain
from text_model import Recipe, TextModel, kept_model

EXAMPLES = Path(__file__).parent / "examples"
RECIPE = Recipe(parts=(2, 5), closeness=0.4, balanced=True)
SHARPNESS = 3.0  # turns margins into shares; set so that 0.5 means about as often right as wrong
PLAIN_VERSION = b"1:"  # raise it when `plain` changes: a kept model is of texts as it made them
_SAFE_LOADER = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # ten times as fast where libyaml is there


class Guess(NamedTuple):
    intent: str
    share: float  #: 0 to 1, over all intents


@dataclass(frozen=True)
class IntentModel:
    """Intent shares of an utterance in one language."""

    model: TextModel

    def guesses(self, text: str) -> tuple[Guess, ...]:
        """All intents, likeliest first."""
        margins = self.model.margins(plain(text))
        shares = np.exp(SHARPNESS * (margins - margins.max()))
        shares /= shares.sum()
        guesses = map(Guess, self.model.labels, shares.tolist())
        return tuple(sorted(guesses, key=lambda one: -one.share))


def intent_model(language: Language, cache: Path | None = None) -> IntentModel:
    """The model of a language: from the cache folder when it is there, else fitted and kept there."""
    source = PLAIN_VERSION + _file(language).read_bytes()
    return IntentModel(
        kept_model(cache, f"intents-{language}", RECIPE, source, lambda: _texts(language))
    )


def examples(language: Language) -> dict[str, list[str]]:
    """The example sentences by intent."""
    by_intent: dict[str, list[str]] = yaml.load(_file(language).read_bytes(), Loader=_SAFE_LOADER)  # noqa: S506
    return by_intent


def _texts(language: Language) -> list[tuple[str, str]]:
    return [(intent, plain(text)) for intent, texts in examples(language).items() for text in texts]


def _file(language: Language) -> Path:
    return EXAMPLES / f"{language}.yaml"
