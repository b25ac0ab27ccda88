"""The knowledge base on questions it was not made from: how often it is right, wrong, or says that it does not know.

The questions in tests/measure/knowledge were written, topic by topic and for none, before the sample questions were
read. Nothing is tuned on them: ANSWER_SCORE comes from sample questions left out. `pytest tests/measure -s` prints.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, ConfigDict

from checkpoints.database import Database
from tools.knowledge import answer
from tools.ports import LanguageCode
from tools.postgres import FAQ, read_topics
from tools.postgres.knowledge import LANGUAGES, PostgresKnowledge
from tools.postgres.matching import unanswered
from tools.postgres.places import folded

BLIND = Path(__file__).parent / "knowledge"
#: A little under what was measured: right of what has an answer; at the most, wrong of all, and answered of what
#: has none.
LIMITS: dict[LanguageCode, tuple[float, float, float]] = {
    "en": (0.84, 0.035, 0.08),
    "es": (0.84, 0.035, 0.06),
    "fr": (0.85, 0.035, 0.08),
}


class Asked(BaseModel):
    """A blind question, and the topic that answers it, or none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    topic: str | None


@dataclass(frozen=True)
class Figures:
    """Counts of one language."""

    right: int
    other_topic: int
    unknown: int
    answered: int  #: of those nobody can answer
    admitted: int

    @property
    def right_share(self) -> float:
        return self.right / (self.right + self.other_topic + self.unknown)

    @property
    def answered_share(self) -> float:
        return self.answered / (self.answered + self.admitted)

    @property
    def wrong_share(self) -> float:
        wrong = self.other_topic + self.answered
        return wrong / (wrong + self.right + self.unknown + self.admitted)


def blind(language: LanguageCode) -> tuple[Asked, ...]:
    return tuple(
        Asked.model_validate(one)
        for one in yaml.safe_load((BLIND / f"{language}.yaml").read_text("utf-8"))
    )


def unseen(language: LanguageCode) -> tuple[Asked, ...]:
    """Without what somebody else had thought of too: 'what's your return policy' measures nothing."""
    samples = {
        folded(text)
        for one in read_topics(FAQ)
        if one.language == language
        for text in (one.title, *one.questions)
    } | {folded(text) for _, text in unanswered(language)}
    return tuple(one for one in blind(language) if folded(one.text) not in samples)


async def measured(knowledge: PostgresKnowledge, language: LanguageCode) -> Figures:
    asked = unseen(language)
    passages = [await answer(knowledge, one.text, language) for one in asked]
    said = [
        (one.topic, passage and passage.topic) for one, passage in zip(asked, passages, strict=True)
    ]
    return Figures(
        right=sum(got == topic for topic, got in said if topic),
        other_topic=sum(got not in {None, topic} for topic, got in said if topic),
        unknown=sum(got is None for topic, got in said if topic),
        answered=sum(got is not None for topic, got in said if topic is None),
        admitted=sum(got is None for topic, got in said if topic is None),
    )


@pytest.fixture(scope="module")
def figures(shared_copy: str) -> dict[LanguageCode, Figures]:
    """One pass over the three sets, on the database the line would use."""

    async def asked() -> dict[LanguageCode, Figures]:
        async with Database(shared_copy) as database:
            knowledge = PostgresKnowledge(database)
            return {language: await measured(knowledge, language) for language in LANGUAGES}

    return asyncio.run(asked())


@pytest.mark.parametrize("language", LANGUAGES)
def test_blind_questions_are_answered_as_well_as_measured(
    figures: dict[LanguageCode, Figures], language: LanguageCode
) -> None:
    one = figures[language]
    print(  # noqa: T201 - with -s, the figures
        f"\n{language}: right {one.right_share:.1%}, wrong {one.wrong_share:.1%} of all, "
        f"answered {one.answered_share:.1%} of what nobody can answer  {one}"
    )
    right, wrong, answered = LIMITS[language]
    assert one.right_share >= right
    assert one.wrong_share <= wrong
    assert one.answered_share <= answered


@pytest.mark.parametrize("language", LANGUAGES)
def test_blind_set_asks_about_every_topic_and_is_not_in_the_samples(language: LanguageCode) -> None:
    topics = {one.topic for one in read_topics(FAQ) if one.language == language}
    asked = unseen(language)
    assert {one.topic for one in asked} == topics | {None}
    assert len(asked) >= 180
    assert sum(one.topic is None for one in asked) >= 50
