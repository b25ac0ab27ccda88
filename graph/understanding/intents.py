"""Intent of an utterance: TF-IDF of words and letters into a linear model, per language, trained from the examples.

Training takes a few seconds, so the fitted model is kept in a cache folder, named by what it was trained on.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sklearn
import yaml
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from graph.understanding.commands import Language
from graph.understanding.lexicon import plain

EXAMPLES = Path(__file__).parent / "examples"
SHARPNESS = 3.0  # turns margins into shares; set so that 0.5 means about as often right as wrong
_SAFE_LOADER = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # ten times as fast where libyaml is there
CODE_VERSION = 2  # part of the cache name: raise it when features change


@dataclass(frozen=True)
class Guess:
    intent: str
    share: float  #: 0 to 1, over all intents


class IntentModel:
    """Intent shares of an utterance in one language."""

    def __init__(
        self,
        words: TfidfVectorizer,
        letters: TfidfVectorizer,
        weights: NDArray[np.float32],
        bias: NDArray[np.float32],
        intents: tuple[str, ...],
    ) -> None:
        self.words = words
        self.letters = letters
        self.weights = weights
        self.bias = bias
        self.intents = intents
        columns = weights.T.copy()
        cut = len(words.vocabulary_)
        self._words = _OneText(words, columns[:cut])
        self._letters = _OneText(letters, columns[cut:])

    def guesses(self, text: str) -> tuple[Guess, ...]:
        """All intents, likeliest first."""
        said = plain(text)
        margins = self.bias + self._words.margins(said) + self._letters.margins(said)
        shares = np.exp(SHARPNESS * (margins - margins.max()))
        shares /= shares.sum()
        order = np.argsort(-shares)
        return tuple(Guess(self.intents[i], float(shares[i])) for i in order)


class _OneText:
    """A fitted TfidfVectorizer's row of one text, times the weights, without what makes `transform` slow.

    Checking its input takes scikit-learn a millisecond. The figures are the same (a test compares them).
    """

    def __init__(self, fitted: TfidfVectorizer, weights: NDArray[np.float32]) -> None:
        """
        Args:
            weights: one row for each term, one column for each intent.
        """
        self._terms = fitted.build_analyzer()
        self._columns: dict[str, int] = fitted.vocabulary_
        self._idf = fitted.idf_.astype(np.float32)
        self._weights = weights

    def margins(self, text: str) -> NDArray[np.float32]:
        """What the text's terms add to each intent's margin; zeros when no term is known."""
        counts = Counter(
            column for term in self._terms(text) if (column := self._columns.get(term)) is not None
        )
        if not counts:
            return np.zeros(self._weights.shape[1], dtype=np.float32)
        columns = np.fromiter(counts, dtype=np.intp)
        often = np.fromiter(counts.values(), dtype=np.float32)
        row = (1 + np.log(often)) * self._idf[columns]
        return np.asarray((row / np.linalg.norm(row)) @ self._weights[columns], dtype=np.float32)


def intent_model(language: Language, cache: Path | None = None) -> IntentModel:
    """The model of a language: from the cache folder when it is there, else trained and kept there."""
    if cache is None:
        return _trained(examples(language))
    stamp = f"{CODE_VERSION}:{sklearn.__version__}".encode()
    digest = hashlib.sha256(_file(language).read_bytes() + stamp).hexdigest()
    file = cache / f"intents-{language}-{digest[:16]}.npz"
    if file.exists():
        return _loaded(file)
    model = _trained(examples(language))
    with suppress(OSError):  # nowhere to keep it: it is fitted again the next time
        _kept(model, file)
    return model


def examples(language: Language) -> dict[str, list[str]]:
    """The training sentences by intent."""
    by_intent: dict[str, list[str]] = yaml.load(_file(language).read_bytes(), Loader=_SAFE_LOADER)  # noqa: S506
    return by_intent


def _file(language: Language) -> Path:
    return EXAMPLES / f"{language}.yaml"


def _vectorizers() -> tuple[TfidfVectorizer, TfidfVectorizer]:
    common = {"sublinear_tf": True, "min_df": 1, "dtype": np.float32, "lowercase": False}
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"[\w']+", **common)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **common)
    return words, letters


def _features(words: TfidfVectorizer, letters: TfidfVectorizer, texts: list[str]) -> csr_matrix:
    return csr_matrix(hstack([words.transform(texts), letters.transform(texts)]))


def _trained(by_intent: dict[str, list[str]]) -> IntentModel:
    """Deterministic: the same examples give the same model."""
    texts = [plain(text) for intent in by_intent for text in by_intent[intent]]
    labels = [intent for intent in by_intent for _ in by_intent[intent]]
    words, letters = _vectorizers()
    words.fit(texts)
    letters.fit(texts)
    fitted = LinearSVC(C=0.4, class_weight="balanced", random_state=0)
    fitted.fit(_features(words, letters, texts), labels)
    return IntentModel(
        words,
        letters,
        fitted.coef_.astype(np.float32),
        fitted.intercept_.astype(np.float32),
        tuple(str(one) for one in fitted.classes_),
    )


def _kept(model: IntentModel, file: Path) -> None:
    """Written beside and renamed, so that a process starting now never reads half a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, suffix=".npz")
    with os.fdopen(handle, "wb") as stream:
        np.savez(
            stream,
            weights=model.weights.astype(np.float16),
            bias=model.bias,
            words=_packed(model.words),
            letters=_packed(model.letters),
            words_idf=model.words.idf_,
            letters_idf=model.letters.idf_,
            intents=_bytes(json.dumps(model.intents)),
        )
    Path(temporary).replace(file)


def _loaded(file: Path) -> IntentModel:
    with np.load(file, allow_pickle=False) as data:
        words, letters = _vectorizers()
        for vectorizer, name in ((words, "words"), (letters, "letters")):
            terms = bytes(data[name]).decode().split("\n")
            vectorizer.vocabulary = {term: index for index, term in enumerate(terms)}
            vectorizer.idf_ = data[f"{name}_idf"]
        intents = tuple(json.loads(bytes(data["intents"]).decode()))
        return IntentModel(
            words, letters, data["weights"].astype(np.float32), data["bias"], intents
        )


def _packed(vectorizer: TfidfVectorizer) -> NDArray[np.uint8]:
    """The terms in the order of their columns."""
    return _bytes("\n".join(vectorizer.get_feature_names_out()))


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)
