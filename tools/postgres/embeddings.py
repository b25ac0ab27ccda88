"""Matching by meaning: vectors of what people ask, in pgvector. Without the extension or a key, nobody notices."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from time import monotonic
from typing import Protocol

import httpx
import psycopg
import structlog
from langchain_core.embeddings import Embeddings
from pydantic import SecretStr

from deadline import bounded
from tools.errors import BackendDown
from tools.limits import Breaker
from tools.ports import LanguageCode
from tools.postgres.connections import Connection, Connections

log = structlog.get_logger(__name__)

OPENAI = "https://api.openai.com/v1"
QUESTION_SECONDS = 0.6  # of the two seconds a lookup may take; afterwards the words alone decide
BATCH = 256  # texts of one request; what is embedded is kept, batch by batch
BATCH_SECONDS = 20.0
LEARN_SECONDS = (
    180.0  # 7,000 texts come with Holdfast; what did not come in time comes at the next start
)
_CREATING = 0x401DFA59  # advisory lock: one process creates the extension


class EmbeddingFailed(Exception):
    """The provider gave no usable vectors."""


class Embedder(Protocol):
    """Texts to vectors."""

    @property
    def model(self) -> str:
        """Vectors of different models are never compared."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text; no request for none. Raises EmbeddingFailed."""

    async def close(self) -> None:
        """Let go of connections."""


class OpenAIEmbedder:
    """Any server that speaks OpenAI's /embeddings."""

    def __init__(self, key: SecretStr, model: str, base_url: str | None = None) -> None:
        self._key = key
        self._model = model
        self._base_url = base_url or OPENAI
        self._client: Embeddings | None = None
        self._http: httpx.AsyncClient | None = None

    @property
    def model(self) -> str:
        return self._model

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        from openai import OpenAIError

        if self._client is None:
            self._client = await asyncio.to_thread(self._made)
        try:
            vectors = await self._client.aembed_documents(list(texts))
        except (OpenAIError, ValueError, TypeError, KeyError, AttributeError):
            raise EmbeddingFailed from None  # the cause may quote the question
        if len(vectors) != len(texts) or not all(map(_usable, vectors)):
            raise EmbeddingFailed
        return vectors

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()

    def _made(self) -> Embeddings:
        """Texts are sent as they are: counting tokens would download tiktoken's tables."""
        from langchain_openai import OpenAIEmbeddings

        self._http = httpx.AsyncClient()
        return OpenAIEmbeddings(
            model=self._model,
            api_key=self._key,
            base_url=self._base_url,
            http_async_client=self._http,
            openai_proxy=None,  # its variable forbids a client of ours; HTTPS_PROXY is heeded all the same
            check_embedding_ctx_length=False,
            chunk_size=BATCH,
            max_retries=0,
            timeout=BATCH_SECONDS,
        )


async def pgvector_ready(connection: Connection) -> bool:
    """The extension is there, or this role may create it."""
    cursor = await connection.execute(
        "SELECT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'vector') AS available"
    )
    row = await cursor.fetchone()
    if row is None or not row["available"]:
        return False
    try:
        async with connection.transaction():
            await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


@dataclass(frozen=True, order=True)
class Asked:
    """What people ask, and the topic that answers it, or none."""

    language: LanguageCode
    text: str
    topic: str | None = field(compare=False)


@dataclass
class MeaningIndex:
    """Vectors of sample questions and of questions nobody answers."""

    connections: Connections
    embedder: Embedder
    breaker: Breaker = field(default_factory=Breaker)
    ready: bool = False  #: the table exists and holds this model's vectors
    learning: asyncio.Lock = field(
        default_factory=asyncio.Lock
    )  #: answers loaded later are learned later

    async def learn(self, asked: Iterable[Asked]) -> None:
        """Embed what has no vector of this model yet; drop what is no longer asked. Never raises what a provider or
        a database without pgvector does: the line then goes on with words alone, and one event says why."""
        began = monotonic()
        try:
            if not await self._created():
                log.info("knowledge.meaning_off", reason="no_pgvector")
                return
            async with self.learning:
                wanted = {one: one.topic for one in asked}
                count = await bounded(self._embedded(wanted), LEARN_SECONDS)
        except (EmbeddingFailed, TimeoutError, psycopg.Error, OSError) as error:
            log.warning("knowledge.not_embedded", error_type=type(error).__name__)
            return
        self.ready = True
        log.info("knowledge.embedded", count=count, ms=round(1000 * (monotonic() - began)))

    async def _embedded(self, wanted: Mapping[Asked, str | None]) -> int:
        """How many there were to embed."""
        await self.embedder.embed([])  # loads its library, which no question has the time for
        missing = await self._missing(wanted)
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            vectors = await bounded(self.embedder.embed([one.text for one in batch]), BATCH_SECONDS)
            await self._keep(batch, vectors)
        await self._forget_other_models()
        return len(missing)

    async def closeness(self, question: str, language: LanguageCode) -> Mapping[str, float]:
        """By topic, how near in meaning its nearest sample question is: 0 as near as any two questions are, 1 the same.

        Models differ in what a cosine is worth (0.75 is a near miss for one and a paraphrase for another), so it is
        read from the mean cosine of this question with everything asked.

        Returns:
            Nothing when the provider is late, down or switched off for a while after failing.
        """
        if not self.ready:
            return {}
        try:
            self.breaker.check()
            [vector] = await bounded(self.embedder.embed([question]), QUESTION_SECONDS)
            rows = await self._cosines(vector, language)
        except BackendDown:  # the breaker is open
            return {}
        except (EmbeddingFailed, TimeoutError, psycopg.DataError) as error:
            self.breaker.failed()
            log.warning("knowledge.meaning_failed", error_type=type(error).__name__)
            return {}
        self.breaker.succeeded()
        return rows

    async def _created(self) -> bool:
        """An extension is made when it can be, not by a migration: a server without it must migrate too."""
        async with self.connections.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_CREATING,))
            if not await pgvector_ready(connection):
                return False
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS company.knowledge_vectors ("
                "language text NOT NULL, asked text NOT NULL, model text NOT NULL, topic text, "
                "embedding vector NOT NULL, PRIMARY KEY (language, model, asked))"
            )
        return True

    async def _missing(self, wanted: Mapping[Asked, str | None]) -> list[Asked]:
        """What must be embedded; the rest is brought up to date."""
        async with self.connections.transaction() as connection:
            cursor = await connection.execute(
                "SELECT language, asked, topic FROM company.knowledge_vectors WHERE model = %s",
                (self.embedder.model,),
            )
            kept = [Asked(row["language"], row["asked"], row["topic"]) async for row in cursor]
            for one in kept:
                if one not in wanted:
                    await connection.execute(
                        "DELETE FROM company.knowledge_vectors "
                        "WHERE model = %s AND language = %s AND asked = %s",
                        (self.embedder.model, one.language, one.text),
                    )
                elif wanted[one] != one.topic:
                    await connection.execute(
                        "UPDATE company.knowledge_vectors SET topic = %s "
                        "WHERE model = %s AND language = %s AND asked = %s",
                        (wanted[one], self.embedder.model, one.language, one.text),
                    )
        return sorted(wanted.keys() - set(kept))

    async def _keep(self, batch: Sequence[Asked], vectors: Sequence[Sequence[float]]) -> None:
        async with self.connections.transaction() as connection:
            await connection.cursor().executemany(
                "INSERT INTO company.knowledge_vectors (language, asked, model, topic, embedding) "
                "VALUES (%s, %s, %s, %s, %s::vector) "
                "ON CONFLICT (language, model, asked) DO UPDATE SET topic = excluded.topic",
                [
                    (one.language, one.text, self.embedder.model, one.topic, _written(vector))
                    for one, vector in zip(batch, vectors, strict=True)
                ],
            )

    async def _forget_other_models(self) -> None:
        async with self.connections.connection() as connection:
            await connection.execute(
                "DELETE FROM company.knowledge_vectors WHERE model <> %s", (self.embedder.model,)
            )

    async def _cosines(self, vector: Sequence[float], language: LanguageCode) -> dict[str, float]:
        """Every vector of the language is compared: some 2,000 of 1,536 numbers take 10 ms, and no index is exact."""
        async with self.connections.connection() as connection:
            cursor = await connection.execute(
                "WITH near AS (SELECT topic, 1 - (embedding <=> %(vector)s::vector) AS cosine "
                "FROM company.knowledge_vectors WHERE language = %(language)s AND model = %(model)s) "
                "SELECT topic, max(cosine) AS cosine, (SELECT avg(cosine) FROM near) AS usual "
                "FROM near WHERE topic IS NOT NULL GROUP BY topic",
                {"vector": _written(vector), "language": language, "model": self.embedder.model},
            )
            rows = await cursor.fetchall()
        return {
            row["topic"]: (row["cosine"] - row["usual"]) / max(1e-6, 1.0 - row["usual"])
            for row in rows
            if isfinite(row["cosine"])  # a vector of zeros has no direction
        }


def _usable(vector: object) -> bool:
    """Some numbers: what calls itself compatible with OpenAI may send anything."""
    return (
        isinstance(vector, list)
        and bool(vector)
        and all(isinstance(one, float | int) for one in vector)
    )


def _written(vector: Sequence[float]) -> str:
    return "[" + ",".join(f"{one:.7g}" for one in vector) + "]"
