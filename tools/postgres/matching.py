"""Which topic a question is about, by its words: learned from sample questions, and from questions nobody answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import babel
import yaml

from text_model import Recipe, TextModel, kept_model
from tools.ports import LanguageCode
from tools.postgres.places import FILE as PLACES
from tools.postgres.places import Gazetteer, gazetteer

UNANSWERED = Path(__file__).parent / "unanswered"
NO_TOPIC = "~"  # begins the name of a kind of question nobody answers; no topic can be named so
RECIPE = Recipe(parts=(3, 5), closeness=2.0, words_share=0.7)
UNANSWERED_SHARE = 0.5  # how much nearness to an unanswered kind takes away
TEXTS_VERSION = (
    1  # raise it when texts are read in another way: a kept model is of texts as they were read
)
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
    model: TextModel
    topics: tuple[str, ...]  #: the first of the model's labels; the rest are the unanswered kinds

    @classmethod
    def fitted(
        cls,
        language: LanguageCode,
        samples: Sequence[tuple[str, str]],
        bodies: Sequence[tuple[str, str]],
        folder: Path | None = None,
    ) -> WordMatcher:
        """Takes half a second of processor time, unless it was done before. Deterministic.

        Args:
            samples: (topic, a question asked about it).
            bodies: (topic, its answer).
            folder: where fitted models are kept.
        """
        model = kept_model(
            folder,
            f"topics-{language}",
            RECIPE,
            _source(language, samples, bodies),
            partial(_texts, language, samples, bodies),
        )
        # "~" sorts behind letters and digits, so the topics come first
        topics = tuple(one for one in model.labels if not one.startswith(NO_TOPIC))
        return cls(gazetteer(language), model, topics)

    def margins(self, question: str) -> dict[str, float]:
        """By topic, how far the question lies on its side; what lies near an unanswered kind lies less so."""
        sides = self.model.margins(self.places.read(question))
        known = len(self.topics)
        sides = sides[:known] - UNANSWERED_SHARE * sides[known:].max()
        return dict(zip(self.topics, sides.tolist(), strict=True))


def nearest(margins: Mapping[str, float]) -> tuple[str, float]:
    """The topic with the largest margin."""
    topic = max(margins, key=lambda one: margins[one])
    return topic, margins[topic]


def _texts(
    language: LanguageCode, samples: Iterable[tuple[str, str]], bodies: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """(label, text) of all that is learned from: what is asked, and every sentence of the answers."""
    sentences = [(topic, one) for topic, body in bodies for one in _SENTENCE.split(body)]
    read = gazetteer(language).read
    return [(label, read(text)) for label, text in (*samples, *unanswered(language), *sentences)]


def _source(language: LanguageCode, *texts: Sequence[tuple[str, str]]) -> bytes:
    """All that `_texts` are made from."""
    files = (UNANSWERED / f"{language}.yaml", PLACES)
    made_by = f"{TEXTS_VERSION}:{babel.__version__}:{json.dumps(texts)}".encode()
    return b"\0".join((made_by, *(file.read_bytes() for file in files)))
