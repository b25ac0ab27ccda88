"""Key terms: what the recogniser should expect while a question is open."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from graph.state import Lang
from graph.understanding.commands import Asks

FOLDER = Path(__file__).parent
#: Deepgram takes 500 tokens and stops transcribing when there are more (changelog of October 2026): a term has about
#: four of them, rarely eight.
MOST_TERMS = 50


class _Expected(BaseModel):
    model_config = ConfigDict(extra="forbid")

    questions: dict[Asks, tuple[str, ...]]
    words: dict[str, dict[Lang, tuple[str, ...]]]


def keyterms(asks: str | None, language: Lang, own: Iterable[str] = ()) -> tuple[str, ...]:
    """The company's and the caller's own words first, then those of the question, without repetition."""
    expected = _expected()
    groups = next((names for one, names in expected.questions.items() if one == asks), ())
    terms = [*own, *(term for name in groups for term in expected.words[name][language])]
    return tuple(dict.fromkeys(terms))[:MOST_TERMS]


@cache
def _expected() -> _Expected:
    return _Expected.model_validate(yaml.safe_load((FOLDER / "keyterms.yaml").read_text("utf-8")))
