"""The shared text model: the fast path gives scikit-learn's figures, and a kept model is the one that was fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.svm import LinearSVC

from text_model import Recipe, fitted, kept_model

TEXTS = [
    ("llamas", "do you sell llamas"),
    ("llamas", "how much is a llama, a big llama"),
    ("kites", "do you sell kites"),
    ("kites", "can i fly a kite in the rain"),
    ("hay", "est-ce que vous livrez du foin"),
]
ASKED = (*(text for _, text in TEXTS), "llama llama kite", "l'été", "xqzt", "", " ")
RECIPES = (
    Recipe(parts=(2, 5), closeness=0.4, balanced=True),
    Recipe(parts=(3, 5), closeness=2.0, words_share=0.7),
)


@pytest.mark.parametrize("recipe", RECIPES)
def test_margins_are_scikit_learns(recipe: Recipe) -> None:
    words, letters = recipe.vectorizers()
    features = FeatureUnion(
        [("words", words), ("letters", letters)],
        transformer_weights={"words": recipe.words_share},
    )
    balance = "balanced" if recipe.balanced else None
    slow = make_pipeline(
        features, LinearSVC(C=recipe.closeness, class_weight=balance, random_state=0)
    )
    slow.fit([text for _, text in TEXTS], [label for label, _ in TEXTS])
    fast = fitted(recipe, TEXTS)
    assert fast.labels == tuple(slow.classes_)
    for text in ASKED:
        assert np.allclose(fast.margins(text), slow.decision_function([text])[0], atol=1e-6), text


def test_kept_model_is_the_fitted_one_and_reads_no_texts(tmp_path: Path) -> None:
    fresh = kept_model(tmp_path, "animals", RECIPES[0], b"source", lambda: TEXTS)
    kept = kept_model(tmp_path, "animals", RECIPES[0], b"source", _nobody_asks)
    assert kept.labels == fresh.labels
    for text in ASKED:
        assert np.array_equal(kept.margins(text), fresh.margins(text)), text


@pytest.mark.parametrize(
    ("recipe", "source"), [(RECIPES[0], b"another source"), (RECIPES[1], b"source")]
)
def test_another_source_or_recipe_is_another_model(
    tmp_path: Path, recipe: Recipe, source: bytes
) -> None:
    kept_model(tmp_path, "animals", RECIPES[0], b"source", lambda: TEXTS)
    other = kept_model(tmp_path, "animals", recipe, source, lambda: TEXTS[:4])
    assert other.labels == ("kites", "llamas")
    assert len(list(tmp_path.iterdir())) == 2


def test_without_a_folder_to_write_to_it_is_fitted(tmp_path: Path) -> None:
    file = tmp_path / "no-folder"
    file.write_text("")
    assert kept_model(file, "animals", RECIPES[0], b"source", lambda: TEXTS).labels
    assert kept_model(None, "animals", RECIPES[0], b"source", lambda: TEXTS).labels


def _nobody_asks() -> list[tuple[str, str]]:
    raise AssertionError
