"""Intent of an utterance: TF-IDF of words and letters into a linear model, per language, trained from the examples.

Training takes a few seconds, so the fitted model is kept in a cache folder, named by what it was trained on.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
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

    def guesses(self, text: str) -> tuple[Guess, ...]:
        """All intents, likeliest first."""
        features = _features(self.words, self.letters, [plain(text)])
        margins = np.asarray(features @ self.weights.T)[0] + self.bias
        shares = np.exp(SHARPNESS * (margins - margins.max()))
        shares /= shares.sum()
        order = np.argsort(-shares)
        return tuple(Guess(self.intents[i], float(shares[i])) for i in order)


def intent_model(language: Language, cache: Path | None = None) -> IntentModel:
    """The model of a language: from the cache folder when it is there, else trained and kept there."""
    examples = (EXAMPLES / f"{language}.yaml").read_bytes()
    if cache is None:
        return _trained(examples)
    stamp = f"{CODE_VERSION}:{sklearn.__version__}".encode()
    name = f"intents-{language}-{hashlib.sha256(examples + stamp).hexdigest()[:16]}.npz"
    file = cache / name
    if file.exists():
        return _loaded(file)
    model = _trained(examples)
    _kept(model, file)
    return model


def _vectorizers() -> tuple[TfidfVectorizer, TfidfVectorizer]:
    common = {"sublinear_tf": True, "min_df": 1, "dtype": np.float32, "lowercase": False}
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"[\w']+", **common)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **common)
    return words, letters


def _features(words: TfidfVectorizer, letters: TfidfVectorizer, texts: list[str]) -> csr_matrix:
    return csr_matrix(hstack([words.transform(texts), letters.transform(texts)]))


def _trained(examples: bytes) -> IntentModel:
    """Deterministic: the same examples give the same model."""
    by_intent: dict[str, list[str]] = yaml.safe_load(examples)
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
