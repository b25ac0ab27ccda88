"""Which topic a question is about, by its words: learned from sample questions, and from questions nobody answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from tools.ports import LanguageCode
from tools.postgres.places import Gazetteer, gazetteer

UNANSWERED = Path(__file__).parent / "unanswered"
NO_TOPIC = "~"  # begins the name of a kind of question nobody answers; no topic can be named so
FIT = 2.0  # how closely the samples are fitted (C of the classifier)
WORDS_SHARE = 0.7  # of words beside parts of words
UNANSWERED_SHARE = 0.5  # how much nearness to an unanswered kind takes away
_SENTENCE = re.compile(r"(?<=[.;!?])\s+")


@cache
def unanswered(language: LanguageCode) -> tuple[tuple[str, str], ...]:
    """(kind, question) of what callers ask and no answer is for."""
    kinds = yaml.safe_load((UNANSWERED / f"{language}.yaml").read_text("utf-8"))
    return tuple((NO_TOPIC + str(kind), str(one)) for kind in kinds for one in kinds[kind])


@dataclass(frozen=True)
class WordMatcher:
    """One linear classifier per topic, over words and parts of words.

    Of 100 sample questions left out it names the topic of 84; the nearest sample question names 65. Places as
    countries are 6 of them. What was tried on top and found nothing: the lead over the second topic, stems,
    weekdays, numbers, colors or furniture as one word, logistic regression.
    """

    places: Gazetteer
    words: TfidfVectorizer
    letters: TfidfVectorizer
    weights: NDArray[np.float32]  #: a row per class
    bias: NDArray[np.float32]
    topics: tuple[str, ...]  #: of the first rows; the rest are the unanswered kinds

    @classmethod
    def fitted(
        cls,
        language: LanguageCode,
        samples: Sequence[tuple[str, str]],
        bodies: Iterable[tuple[str, str]],
    ) -> WordMatcher:
        """Takes half a second of processor time. Deterministic.

        Args:
            samples: (topic, a question asked about it).
            bodies: (topic, its answer).
        """
        sentences = [(topic, one) for topic, body in bodies for one in _SENTENCE.split(body)]
        asked = [*samples, *unanswered(language)]
        places = gazetteer(language)
        texts = [places.read(text) for _, text in (*asked, *sentences)]
        words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"[\w']+", sublinear_tf=True)
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
        words.fit(texts)
        letters.fit(texts)
        model = LinearSVC(C=FIT, random_state=0).fit(
            _features(words, letters, texts), [label for label, _ in (*asked, *sentences)]
        )
        # "~" sorts behind letters and digits, so the topics come first
        topics = tuple(str(one) for one in model.classes_ if not one.startswith(NO_TOPIC))
        return cls(
            places,
            words,
            letters,
            model.coef_.astype(np.float32),
            model.intercept_.astype(np.float32),
            topics,
        )

    def margins(self, question: str) -> dict[str, float]:
        """By topic, how far the question lies on its side; what lies near an unanswered kind lies less so."""
        features = _features(self.words, self.letters, [self.places.read(question)])
        sides = np.asarray(features @ self.weights.T)[0] + self.bias
        known = len(self.topics)
        sides = sides[:known] - UNANSWERED_SHARE * sides[known:].max()
        return {topic: float(side) for topic, side in zip(self.topics, sides, strict=True)}


def nearest(margins: Mapping[str, float]) -> tuple[str, float]:
    """The topic with the largest margin."""
    topic = max(margins, key=lambda one: margins[one])
    return topic, margins[topic]


def _features(words: TfidfVectorizer, letters: TfidfVectorizer, texts: list[str]) -> csr_matrix:
    return csr_matrix(hstack([WORDS_SHARE * words.transform(texts), letters.transform(texts)]))
