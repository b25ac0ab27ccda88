"""Answers in Postgres: which topics share a word with the question, and which of them it is about."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tools.errors import DeskError
from tools.ports import LanguageCode
from tools.postgres.connections import Connections, port_method
from tools.postgres.embeddings import Asked, Embedder, MeaningIndex
from tools.postgres.matching import WordMatcher, unanswered
from tools.records import Passage

LANGUAGES: tuple[LanguageCode, ...] = ("en", "es", "fr")
CONFIGURATION = {"en": "english", "es": "spanish", "fr": "french"}
ANSWER_SCORE = 0.76  # of left-out questions under 4 in 100 are then answered wrongly, of those nobody answers under 9
SCORE_CENTRE = 0.104  # score: the share of left-out questions that are right at such a margin
SCORE_STEEPNESS = 3.3
MEANING_WEIGHT = 4.0
MEANING_CENTRE = 0.57
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*\n(.*)\Z", re.DOTALL)


class FaqInvalid(DeskError):
    """A file of the knowledge base is not usable; nothing was loaded."""


def _storable(text: str) -> str:
    if "\0" in text:
        msg = "holds a character that is none (NUL)"
        raise ValueError(msg)
    return text


Text = Annotated[str, Field(min_length=1), AfterValidator(_storable)]
Short = Annotated[Text, Field(max_length=300)]


class Topic(BaseModel):
    """One Markdown file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,60}$")
    title: Short
    questions: tuple[Short, ...] = Field(min_length=1)
    body: Text
    language: LanguageCode


def read_topics(folder: Path) -> tuple[Topic, ...]:
    """Every `<language>/<topic>.md` below a folder.

    Raises:
        FaqInvalid: a file is not in the form, named with its reason; or there is none.
    """
    files = [
        (language, file)
        for language in LANGUAGES
        for file in sorted((folder / language).glob("*.md"))
    ]
    if not files:
        msg = f"{folder} holds no answers: put Markdown files into its folders en, es and fr"
        raise FaqInvalid(msg)
    topics = tuple(_topic(language, file) for language, file in files)
    first: dict[tuple[str, str], Path] = {}
    for (language, file), one in zip(files, topics, strict=True):
        other = first.setdefault((language, one.topic), file)
        if other is not file:
            msg = f"{language}/{file.name}: topic {one.topic} is in {other.name} already"
            raise FaqInvalid(msg)
    return topics


def _topic(language: LanguageCode, file: Path) -> Topic:
    where = f"{language}/{file.name}"
    try:
        parts = _FRONT_MATTER.match(file.read_text("utf-8"))
        front = yaml.safe_load(parts[1]) if parts else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        front, parts = None, None
    if parts is None or not isinstance(front, dict):
        msg = f"{where}: begin with front matter between --- lines: topic, title, questions"
        raise FaqInvalid(msg)
    try:
        return Topic.model_validate({**front, "body": parts[2].strip(), "language": language})
    except ValidationError as error:
        first = error.errors()[0]
        msg = f"{where}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
        raise FaqInvalid(msg) from None


class PostgresKnowledge:
    """tools.ports.KnowledgeBase."""

    def __init__(
        self,
        connections: Connections,
        embedder: Embedder | None = None,
        folder: Path | None = None,
    ) -> None:
        """
        Args:
            folder: where fitted models are kept; fitting takes half a second a language.
        """
        self._connections = connections
        self._folder = folder
        self._meaning = MeaningIndex(connections, embedder) if embedder else None
        self._learning: dict[LanguageCode, tuple[datetime, asyncio.Task[_Learned]]] = {}

    @port_method
    async def load(self, topics: Sequence[Topic]) -> int:
        """Replace everything by these topics, all or none."""
        async with self._connections.transaction() as connection:
            await connection.execute("DELETE FROM company.knowledge")
            for one in topics:
                await connection.execute(
                    "INSERT INTO company.knowledge (topic, language, title, body, questions, search, loaded_at) "
                    "VALUES (%(topic)s, %(language)s, %(title)s, %(body)s, %(questions)s, "
                    "setweight(to_tsvector(%(config)s, %(asked)s), 'A') || "
                    "setweight(to_tsvector(%(config)s, %(title)s), 'B') || "
                    "setweight(to_tsvector(%(config)s, %(body)s), 'C'), clock_timestamp())",
                    {
                        **one.model_dump(include={"topic", "language", "title", "body"}),
                        "questions": list(one.questions),
                        "asked": " . ".join(one.questions),
                        "config": CONFIGURATION[one.language],
                    },
                )
        return len(topics)

    @port_method
    async def learn_meanings(self) -> None:
        """Vectors for what has none yet. Quick when nothing is missing; without an embedder, nothing."""
        if self._meaning is None:
            return
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "SELECT topic, language, title, questions FROM company.knowledge"
            )
            rows = await cursor.fetchall()
        asked = [
            Asked(row["language"], text, row["topic"])
            for row in rows
            for text in (row["title"], *row["questions"])
        ]
        nobody = [Asked(one, text, None) for one in LANGUAGES for _, text in unanswered(one)]
        await self._meaning.learn((*nobody, *asked))

    async def close(self) -> None:
        """Let go of the provider's connections."""
        if self._meaning is not None:
            await self._meaning.embedder.close()

    @port_method
    async def count(self) -> int:
        async with self._connections.connection() as connection:
            cursor = await connection.execute("SELECT count(*) AS topics FROM company.knowledge")
            row = await cursor.fetchone()
        return int(row["topics"]) if row else 0

    @port_method
    async def search(
        self, question: str, language: LanguageCode, limit: int = 3
    ) -> tuple[Passage, ...]:
        question = question.replace("\0", " ")  # which no text in Postgres may hold
        close: Mapping[str, float] = {}
        if self._meaning is None:
            sharing, learned = await self._sharing(question, language)
        else:
            close, (sharing, learned) = await asyncio.gather(
                self._meaning.closeness(question, language), self._sharing(question, language)
            )
        if learned is None:
            return ()
        margins = _combined(learned.words.margins(question), close)
        found = [
            _passage(learned.topics[topic], margins[topic])
            for topic in sorted(margins, key=lambda one: -margins[one])[:limit]
            if topic in sharing or topic in close
        ]
        return tuple(one for one in found if one.score >= ANSWER_SCORE)

    @port_method
    async def learn(self) -> None:
        """What the first question of each language would wait for."""
        for language in LANGUAGES:
            await self.prepare(language)

    @port_method
    async def prepare(self, language: LanguageCode) -> None:
        await self._sharing("", language)

    async def _sharing(
        self, question: str, language: LanguageCode
    ) -> tuple[frozenset[str], _Learned | None]:
        """The topics that share a word with the question, and what is known of them all."""
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "WITH asked AS (SELECT replace(plainto_tsquery(%(config)s, %(question)s)::text, '&', '|')"
                "::tsquery AS query) SELECT max(loaded_at) AS loaded_at, "
                "coalesce(array_agg(topic) FILTER (WHERE search @@ query), '{}') AS sharing "
                "FROM company.knowledge, asked WHERE language = %(language)s",
                {
                    "config": CONFIGURATION[language],
                    "question": question,
                    "language": language,
                },
            )
            row = await cursor.fetchone()
        if row is None or row["loaded_at"] is None:
            return frozenset(), None
        return frozenset(row["sharing"]), await self._learned(language, row["loaded_at"])

    async def _learned(self, language: LanguageCode, loaded_at: datetime) -> _Learned:
        """Learned at the first question of a language, and again after a load by any process.

        Shared and shielded: a lookup that is out of time must not make the next one start over.
        """
        known = self._learning.get(language)
        if known is None or known[0] != loaded_at or _failed(known[1]):
            known = loaded_at, asyncio.create_task(self._learn(language), name="knowledge")
            known[1].add_done_callback(_failed)  # read, so that nobody warns about it
            self._learning[language] = known
        return await asyncio.shield(known[1])

    async def _learn(self, language: LanguageCode) -> _Learned:
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "SELECT topic, title, body, questions FROM company.knowledge WHERE language = %s",
                (language,),
            )
            topics = [Topic(language=language, **row) for row in await cursor.fetchall()]
        words = await asyncio.to_thread(matcher, language, topics, self._folder)
        return _Learned(words, {one.topic: one for one in topics})


@dataclass(frozen=True)
class _Learned:
    """The answers of one language, in memory."""

    words: WordMatcher
    topics: Mapping[str, Topic]


def matcher(
    language: LanguageCode, topics: Iterable[Topic], folder: Path | None = None
) -> WordMatcher:
    """What questions of a language are matched with. Fitted, and kept in the folder, when it is not there yet."""
    known = sorted(topics, key=lambda one: one.topic)
    samples = [(one.topic, text) for one in known for text in (*one.questions, one.title)]
    return WordMatcher.fitted(language, samples, [(one.topic, one.body) for one in known], folder)


def _passage(one: Topic, margin: float) -> Passage:
    return Passage(
        topic=one.topic,
        language=one.language,
        title=one.title,
        body=one.body,
        score=_score(margin),
    )


def _failed(task: asyncio.Task[_Learned]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _combined(words: dict[str, float], close: Mapping[str, float]) -> dict[str, float]:
    """A sum, because the two err apart: words don't know synonyms, vectors take what is on one subject for the same.

    A topic that both find likely gains, and one that only one of them likes needs a strong case. Where a topic has no
    vectors (answers just loaded) the words decide alone, or it would be the only one not to lose. Weight and centre:
    a sweep with an open sentence model (all-MiniLM-L6-v2, English) in place of OpenAI's, where the sum was right
    about 89 of 100 left-out sample questions, words alone about 84.
    """
    if not words.keys() <= close.keys():
        return words
    return {
        topic: margin + MEANING_WEIGHT * (close[topic] - MEANING_CENTRE)
        for topic, margin in words.items()
    }


def _score(margin: float) -> float:
    return 1.0 / (1.0 + exp(SCORE_STEEPNESS * (SCORE_CENTRE - margin)))
