"""A linear model over the words of a text and their parts: fitted by scikit-learn, asked without it, kept in a folder.

What the labels mean is known to those who fit one: intents in graph/understanding, topics in tools/postgres.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sklearn
from numpy.typing import NDArray
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

VERSION = 1  # part of a kept model's name: raise it when terms are made, or kept, in another way


@dataclass(frozen=True)
class Recipe:
    """How a model is fitted."""

    parts: tuple[int, int]  #: letters of the shortest and the longest part of a word
    closeness: float  #: how closely the texts are fitted (C of the classifier)
    words_share: float = 1.0  #: of words beside parts of words
    balanced: bool = False  #: a label with few texts counts as much as one with many

    def vectorizers(self) -> tuple[TfidfVectorizer, TfidfVectorizer]:
        """For words, and for parts of words, of texts in lower case."""
        common = {"sublinear_tf": True, "lowercase": False}
        words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"[\w']+", **common)
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=self.parts, **common)
        return words, letters


@dataclass(frozen=True)
class Terms:
    """What a model knows of one kind of term."""

    names: tuple[str, ...]
    idf: NDArray[np.float64]
    weights: NDArray[np.float32]  #: a row for each term, a column for each label


class TextModel:
    """How near a text is to each label."""

    def __init__(
        self,
        recipe: Recipe,
        words: Terms,
        letters: Terms,
        bias: NDArray[np.float64],
        labels: tuple[str, ...],
    ) -> None:
        self.words = words
        self.letters = letters
        self.bias = bias
        self.labels = labels
        of_words, of_letters = recipe.vectorizers()
        self._words = _OneText(of_words, words, recipe.words_share)
        self._letters = _OneText(of_letters, letters, 1.0)

    def margins(self, text: str) -> NDArray[np.float64]:
        """By label, how far the text lies on its side."""
        return self.bias + self._words.margins(text) + self._letters.margins(text)


class _OneText:
    """A TfidfVectorizer's row of one text, times the weights, without what makes `transform` slow.

    Checking its input takes scikit-learn a millisecond. The figures are the same (a test compares them).
    """

    def __init__(self, vectorizer: TfidfVectorizer, known: Terms, share: float) -> None:
        self._terms = vectorizer.build_analyzer()
        self._rows = {name: row for row, name in enumerate(known.names)}
        self._known = known
        self._share = share

    def margins(self, text: str) -> NDArray[np.float64]:
        """What the text's terms add to each label's margin; zeros when no term is known."""
        counts = Counter(
            row for term in self._terms(text) if (row := self._rows.get(term)) is not None
        )
        rows = np.fromiter(counts, dtype=np.intp)
        often = np.fromiter(counts.values(), dtype=np.float64)
        weighed = (1 + np.log(often)) * self._known.idf[rows]
        length = np.sqrt(weighed @ weighed) or 1.0
        return np.asarray(self._share / length * (weighed @ self._known.weights.take(rows, axis=0)))


def fitted(recipe: Recipe, texts: Sequence[tuple[str, str]]) -> TextModel:
    """Takes seconds of processor time. Deterministic: the same texts give the same model.

    Args:
        texts: (label, text).
    """
    words, letters = recipe.vectorizers()
    plain = [text for _, text in texts]
    features = hstack(
        [recipe.words_share * words.fit_transform(plain), letters.fit_transform(plain)]
    )
    balance = "balanced" if recipe.balanced else None
    model = LinearSVC(C=recipe.closeness, class_weight=balance, random_state=0)
    model.fit(features.tocsr(), [label for label, _ in texts])
    weights, cut = model.coef_.T.astype(np.float32), len(words.idf_)
    return TextModel(
        recipe,
        _terms(words, weights[:cut]),
        _terms(letters, weights[cut:]),
        model.intercept_,
        tuple(str(one) for one in model.classes_),
    )


def _terms(vectorizer: TfidfVectorizer, weights: NDArray[np.float32]) -> Terms:
    names = tuple(str(one) for one in vectorizer.get_feature_names_out())
    return Terms(names, vectorizer.idf_, np.ascontiguousarray(weights))


# Kept in a folder ------------------------------------------------------------------------------------------------


def kept_model(
    cache: Path | None,
    name: str,
    recipe: Recipe,
    source: bytes,
    texts: Callable[[], Sequence[tuple[str, str]]],
) -> TextModel:
    """From the folder when it is there, in milliseconds; else fitted and kept there.

    Args:
        name: begins the file's name.
        source: all that the texts are made from. Another source is another model.
        texts: (label, text); asked for only when the model has to be fitted.
    """
    if cache is None:
        return fitted(recipe, texts())
    stamp = f"{VERSION}:{sklearn.__version__}:{recipe}".encode()
    file = cache / f"{name}-{hashlib.sha256(stamp + source).hexdigest()[:16]}.npz"
    if file.exists():
        return _loaded(file, recipe)
    model = fitted(recipe, texts())
    with suppress(OSError):  # nowhere to keep it: it is fitted again the next time
        _keep(model, file)
    return model


def _keep(model: TextModel, file: Path) -> None:
    """Written beside and renamed, so that a process starting now never reads half a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, suffix=".npz")
    with os.fdopen(handle, "wb") as stream:
        np.savez(
            stream,
            labels=_bytes(json.dumps(model.labels)),
            bias=model.bias,
            words_names=_bytes("\n".join(model.words.names)),
            words_idf=model.words.idf,
            words_weights=model.words.weights,
            letters_names=_bytes("\n".join(model.letters.names)),
            letters_idf=model.letters.idf,
            letters_weights=model.letters.weights,
        )
    Path(temporary).replace(file)


def _loaded(file: Path, recipe: Recipe) -> TextModel:
    with np.load(file, allow_pickle=False) as data:
        words, letters = (
            Terms(
                tuple(_text(data[f"{kind}_names"]).split("\n")),
                data[f"{kind}_idf"],
                data[f"{kind}_weights"],
            )
            for kind in ("words", "letters")
        )
        return TextModel(
            recipe, words, letters, data["bias"], tuple(json.loads(_text(data["labels"])))
        )


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _text(array: NDArray[np.uint8]) -> str:
    return bytes(array).decode()
