"""Answers in Postgres: full text finds the candidates, closeness to the sample questions chooses among them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from tools.errors import DeskError
from tools.ports import LanguageCode
from tools.postgres.connections import Connections, port_method
from tools.records import Passage

LANGUAGES: tuple[LanguageCode, ...] = ("en", "es", "fr")
CONFIGURATION = {"en": "english", "es": "spanish", "fr": "french"}
CANDIDATES = 12
ANSWER_SCORE = 0.34  # below, more answers are wrong than right (tests/measure/knowledge)
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*\n(.*)\Z", re.DOTALL)


class FaqInvalid(DeskError):
    """A file of the knowledge base is not usable; nothing was loaded."""


class Topic(BaseModel):
    """One Markdown file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,60}$")
    title: str = Field(min_length=1)
    questions: tuple[str, ...] = Field(min_length=1)
    body: str = Field(min_length=1)
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
    return tuple(_topic(language, file) for language, file in files)


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

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._closeness: dict[LanguageCode, Closeness] = {}

    async def load(self, topics: Sequence[Topic]) -> int:
        """Replace everything by these topics, all or none."""
        async with self._connections.transaction() as connection:
            await connection.execute("DELETE FROM company.knowledge")
            for one in topics:
                await connection.execute(
                    "INSERT INTO company.knowledge (topic, language, title, body, questions, search) "
                    "VALUES (%(topic)s, %(language)s, %(title)s, %(body)s, %(questions)s, "
                    "setweight(to_tsvector(%(config)s, %(asked)s), 'A') || "
                    "setweight(to_tsvector(%(config)s, %(title)s), 'B') || "
                    "setweight(to_tsvector(%(config)s, %(body)s), 'C'))",
                    {
                        **one.model_dump(include={"topic", "language", "title", "body"}),
                        "questions": list(one.questions),
                        "asked": " . ".join(one.questions),
                        "config": CONFIGURATION[one.language],
                    },
                )
        self._closeness.clear()
        return len(topics)

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
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "WITH asked AS (SELECT replace(plainto_tsquery(%(config)s, %(question)s)::text, '&', '|')"
                "::tsquery AS query) SELECT topic, title, body, ts_rank_cd(search, query, 1) AS rank "
                "FROM company.knowledge, asked WHERE language = %(language)s AND search @@ query "
                "ORDER BY rank DESC LIMIT %(limit)s",
                {
                    "config": CONFIGURATION[language],
                    "question": question,
                    "language": language,
                    "limit": CANDIDATES,
                },
            )
            rows = await cursor.fetchall()
        if not rows:
            return ()
        closeness = (await self._closeness_in(language)).of(question)
        found = [
            Passage(
                topic=row["topic"],
                language=language,
                title=row["title"],
                body=row["body"],
                score=closeness.get(row["topic"], 0.0),
            )
            for row in rows
        ]
        found.sort(key=lambda one: -one.score)
        return tuple(one for one in found[:limit] if one.score >= ANSWER_SCORE)

    async def _closeness_in(self, language: LanguageCode) -> Closeness:
        """Built from the table at the first question of a language, and again after a load."""
        if language not in self._closeness:
            async with self._connections.connection() as connection:
                cursor = await connection.execute(
                    "SELECT topic, title, body, questions FROM company.knowledge WHERE language = %s",
                    (language,),
                )
                rows = await cursor.fetchall()
            texts = [
                (row["topic"], text) for row in rows for text in (*row["questions"], row["title"])
            ]
            self._closeness[language] = Closeness.fitted(texts)
        return self._closeness[language]


@dataclass(frozen=True)
class Closeness:
    """How near a question is to each topic's sample questions: TF-IDF of words and letters, best three."""

    topics: tuple[str, ...]
    words: TfidfVectorizer
    letters: TfidfVectorizer
    word_rows: csr_matrix
    letter_rows: csr_matrix

    @classmethod
    def fitted(cls, texts: Sequence[tuple[str, str]]) -> Closeness:
        plain = [_plain(text) for _, text in texts]
        words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"[\w']+", sublinear_tf=True)
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
        return cls(
            tuple(topic for topic, _ in texts),
            words,
            letters,
            words.fit_transform(plain),
            letters.fit_transform(plain),
        )

    def of(self, question: str) -> dict[str, float]:
        """Score by topic, 0 to 1."""
        text = [_plain(question)]
        by_words = (self.word_rows @ self.words.transform(text).T).toarray().ravel()
        by_letters = (self.letter_rows @ self.letters.transform(text).T).toarray().ravel()
        near = 0.5 * by_words + 0.5 * by_letters
        scores: dict[str, float] = {}
        for topic in dict.fromkeys(self.topics):
            mine = np.sort(near[[one == topic for one in self.topics]])[::-1]
            scores[topic] = float(min(1.0, 0.7 * mine[0] + 0.3 * mine[:3].mean()))
        return scores


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    return "".join(char for char in text if not unicodedata.combining(char))
