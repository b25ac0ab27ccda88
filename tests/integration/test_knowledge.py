"""Answers on real Postgres: what is loaded, what is found by words, and what only by meaning."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr
from structlog.testing import capture_logs

from checkpoints.database import Database
from logs import ALLOWED
from services import Services, open_services
from tests.company import Clock, settings_for
from tests.fakes.embedding_server import FakeEmbeddingServer, embedding_server
from tools.errors import BackendDown
from tools.knowledge import answer
from tools.limits import FAILURES_TO_OPEN, Limits, Window, guarded
from tools.postgres import (
    FAQ,
    FaqInvalid,
    OpenAIEmbedder,
    embeddings,
    matcher,
    read_topics,
)
from tools.postgres.knowledge import LANGUAGES, PostgresKnowledge, Topic

#: "zorple flimbers" is "return period" in the vectors of these tests; no sample question has the words.
SYNONYMS = {"zorple": "return", "flimbers": "period", "glompf": "warranty"}
BY_MEANING = "zorple flimbers"
BY_WORDS = "how much is shipping to spain"
LOOKUP_SECONDS = 2.0
#: Enough to be wrong about: every test that wants vectors makes them anew.
SOME = tuple(
    one
    for one in read_topics(FAQ)
    if one.language == "en"
    and one.topic in {"returns", "return-how-to", "warranty", "shipping-costs-spain", "jobs"}
)

FILE = """---
topic: {topic}
title: {title}
questions:
{questions}
---
{body}
"""


@pytest.fixture
def provider() -> Iterator[FakeEmbeddingServer]:
    with embedding_server(SYNONYMS) as server:
        yield server


@asynccontextmanager
async def meaning(
    dsn: str, provider: FakeEmbeddingServer, model: str = "small"
) -> AsyncIterator[PostgresKnowledge]:
    """Some of the shipped answers, with vectors for all that is asked."""
    async with Database(dsn) as database:
        embedder = OpenAIEmbedder(SecretStr("key-for-tests"), model, provider.url)
        knowledge = PostgresKnowledge(database, embedder)
        await knowledge.load(SOME)
        await knowledge.learn_meanings()
        try:
            yield knowledge
        finally:
            await knowledge.close()


@pytest.fixture
async def knowledge(database_copy: str) -> AsyncIterator[PostgresKnowledge]:
    """The shipped answers, and nothing but words."""
    async with Database(database_copy) as database:
        yield PostgresKnowledge(database)


def written(folder: Path, *topics: str, language: str = "en") -> Path:
    """A folder to load, with one made-up file for each topic."""
    (folder / language).mkdir(parents=True, exist_ok=True)
    for topic in topics:
        text = FILE.format(
            topic=topic,
            title=f"All about {topic}",
            questions=f"  - what about {topic}\n  - do you have {topic}",
            body=f"We have {topic}.",
        )
        (folder / language / f"{topic}.md").write_text(text)
    return folder


def names_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


async def topic_of(knowledge: PostgresKnowledge, question: str) -> str | None:
    passage = await answer(knowledge, question, "en")
    return passage.topic if passage else None


async def rows(dsn: str, query: str) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        cursor = await connection.execute(query.encode())
        return await cursor.fetchall()


class TestShippedAnswers:
    """The Markdown that comes with Holdfast."""

    def test_every_language_answers_the_same_topics(self) -> None:
        topics = {
            language: {one.topic for one in read_topics(FAQ) if one.language == language}
            for language in LANGUAGES
        }
        assert topics["en"] == topics["es"] == topics["fr"]
        assert len(topics["en"]) >= 30

    @pytest.mark.parametrize("one", read_topics(FAQ), ids=lambda one: f"{one.language}-{one.topic}")
    def test_answer_is_true_to_the_ear(self, one: Topic) -> None:
        sentences = re.split(r"(?<=[.!?])\s+", one.body)
        assert len(sentences) <= 3
        assert max(len(sentence.split()) for sentence in sentences) <= 45
        assert not re.findall(r"[€$£%&/:;()\[\]<>@#*_\"«»–—]|https?|www", one.body), "a symbol"
        assert not re.findall(r"\b(?:[A-Z]{2,}|[ap]\.?m\.?|etc|approx|env|aprox)\b", one.body)
        assert not re.findall(r"\w\.\w", one.body), "a decimal or an address of a website"

    @pytest.mark.parametrize("topic", sorted({one.topic for one in read_topics(FAQ)}))
    def test_figures_are_the_same_in_every_language(self, topic: str) -> None:
        figures = [_figures(one) for one in read_topics(FAQ) if one.topic == topic]
        assert figures[0] == figures[1] == figures[2]


def _figures(one: Topic) -> Counter[int]:
    """The numbers of a body; French counts the hours of the day to 24."""
    afternoon = {match[1] for match in re.finditer(r"\b(1[3-9]|2[0-3]) heures", one.body)}
    return Counter(
        int(number) - (12 if number in afternoon else 0) for number in re.findall(r"\d+", one.body)
    )


class TestLoading:
    """`holdfast faq load DIR`."""

    async def test_answers_are_replaced_all_at_once(
        self, services: Services, tmp_path: Path
    ) -> None:
        assert await services.load_faq(written(tmp_path, "llamas", "kites")) == 2

        assert await services.company.knowledge.count() == 2
        found = await services.ask_faq("do you have llamas", "en")
        assert found is not None
        assert found.body == "We have llamas."
        assert await services.ask_faq("what's your return policy", "en") is None

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("no front matter\n", "front matter"),
            ("---\ntopic: [\n---\nbody\n", "front matter"),
            ("---\ntopic: kites\ntitle: Kites\nquestions: []\n---\nbody\n", "questions"),
            ("---\ntopic: kites\ntitle: Kites\nquestions: [kites]\n---\n\n", "body"),
            ("---\ntopic: Kites!\ntitle: Kites\nquestions: [kites]\n---\nbody\n", "topic"),
            ("---\ntopic: kites\ntitle: K\nquestion: [kites]\n---\nbody\n", "question"),
            ("---\ntopic: llamas\ntitle: Kites\nquestions: [kites]\n---\nbody\n", "llamas.md"),
            ("---\ntopic: kites\ntitle: Kites\nquestions: [kites]\n---\nbo\0dy\n", "body"),
            (f"---\ntopic: kites\ntitle: K\nquestions: [{'k' * 301}]\n---\nbody\n", "questions"),
        ],
    )
    async def test_bad_file_is_named_with_its_reason_and_nothing_is_loaded(
        self, services: Services, tmp_path: Path, text: str, reason: str
    ) -> None:
        written(tmp_path, "llamas")
        (tmp_path / "en" / "zebras.md").write_text(text)

        with pytest.raises(FaqInvalid, match=f"en/zebras.md.*{reason}"):
            await services.load_faq(tmp_path)

        assert await services.company.knowledge.count() == len(read_topics(FAQ))

    async def test_database_that_stops_half_way_keeps_the_old_answers(
        self, database_copy: str, knowledge: PostgresKnowledge, tmp_path: Path
    ) -> None:
        good, bad = read_topics(written(tmp_path, "llamas", "kites"))
        broken = bad.model_copy(update={"title": None})

        with pytest.raises(BackendDown):
            await knowledge.load((good, broken))

        assert await rows(
            database_copy, "SELECT count(*) FROM company.knowledge WHERE topic = 'kites'"
        ) == [(0,)]
        assert await knowledge.count() == len(read_topics(FAQ))

    async def test_folder_without_answers_says_what_belongs_there(
        self, services: Services, tmp_path: Path
    ) -> None:
        with pytest.raises(FaqInvalid, match="folders en, es and fr"):
            await services.load_faq(tmp_path)

    async def test_process_that_is_answering_sees_what_another_loads(
        self, database_copy: str, knowledge: PostgresKnowledge, tmp_path: Path
    ) -> None:
        assert await topic_of(knowledge, BY_WORDS) == "shipping-costs-spain"

        async with Database(database_copy) as other:
            await PostgresKnowledge(other).load(read_topics(written(tmp_path, "llamas")))

        assert await topic_of(knowledge, BY_WORDS) is None
        assert await topic_of(knowledge, "do you have llamas") == "llamas"


class TestWords:
    """No key, no extension: what always works."""

    @pytest.mark.parametrize(
        "question",
        ["", "   ", "!?", "zzyzx", "where is my order", "the & | ! <-> 'quoted", "é" * 500, "a\0b"],
    )
    async def test_what_is_no_question_of_ours_is_not_answered(
        self, knowledge: PostgresKnowledge, question: str
    ) -> None:
        assert await answer(knowledge, question, "en") is None

    async def test_first_questions_of_a_hundred_calls_learn_the_answers_once(
        self, knowledge: PostgresKnowledge
    ) -> None:
        asked = [topic_of(knowledge, BY_WORDS) for _ in range(100)]
        assert set(await asyncio.gather(*asked)) == {"shipping-costs-spain"}
        assert len(knowledge._learning) == 1

    async def test_question_that_is_given_up_does_not_stop_the_learning(
        self, knowledge: PostgresKnowledge
    ) -> None:
        first = asyncio.create_task(topic_of(knowledge, BY_WORDS))
        while not knowledge._learning:  # noqa: ASYNC110 - the test waits for its inside
            await asyncio.sleep(0)
        learning = knowledge._learning["en"][1]
        first.cancel()

        assert await topic_of(knowledge, BY_WORDS) == "shipping-costs-spain"
        assert knowledge._learning["en"][1] is learning

    async def test_what_holdfast_fit_fits_is_what_a_line_asks(
        self, database_copy: str, tmp_path: Path
    ) -> None:
        for language in LANGUAGES:
            shipped = (one for one in read_topics(FAQ) if one.language == language)
            matcher(language, shipped, tmp_path)
        fitted = names_in(tmp_path)
        async with Database(database_copy) as database:
            knowledge = PostgresKnowledge(database, folder=tmp_path)
            await knowledge.learn()
            assert await topic_of(knowledge, BY_WORDS) == "shipping-costs-spain"
        assert names_in(tmp_path) == fitted
        assert len(fitted) == len(LANGUAGES)

    async def test_town_is_answered_for_its_country(self, knowledge: PostgresKnowledge) -> None:
        """No sample question has these towns."""
        samples = " ".join(text for one in read_topics(FAQ) for text in one.questions)
        assert "albacete" not in samples
        assert "wichita" not in samples
        assert (
            await topic_of(knowledge, "how much is shipping to albacete") == "shipping-costs-spain"
        )
        assert (
            await topic_of(knowledge, "how many days does it take to wichita")
            == "shipping-times-us"
        )


class TestMeaning:
    """A key and pgvector: OpenAI's wire protocol over loopback."""

    async def test_question_without_a_word_of_the_samples_is_found(
        self, database_copy: str, provider: FakeEmbeddingServer, knowledge: PostgresKnowledge
    ) -> None:
        assert await topic_of(knowledge, BY_MEANING) is None
        async with meaning(database_copy, provider) as matched:
            assert await topic_of(matched, BY_MEANING) == "returns"
            assert await topic_of(matched, "glompf") == "warranty"
            assert await topic_of(matched, BY_WORDS) == "shipping-costs-spain"
            assert await topic_of(matched, "wug blicket dax") is None

    async def test_what_is_near_in_meaning_to_what_nobody_answers_is_not_answered(
        self, database_copy: str, provider: FakeEmbeddingServer
    ) -> None:
        provider.synonyms = {"wug": "track", "blicket": "order", "dax": "please"}
        async with meaning(database_copy, provider) as matched:
            assert await topic_of(matched, "wug my blicket dax") is None

    async def test_requests_are_openai_s(
        self, database_copy: str, provider: FakeEmbeddingServer
    ) -> None:
        async with meaning(database_copy, provider, "some-model") as matched:
            await topic_of(matched, BY_MEANING)
        assert {one["path"] for one in provider.requests} == {"/v1/embeddings"}
        assert {one["key"] for one in provider.requests} == {"Bearer key-for-tests"}
        assert {one["model"] for one in provider.requests} == {"some-model"}
        assert provider.texts[-1] == BY_MEANING

    async def test_what_has_vectors_is_not_sent_again(
        self, database_copy: str, provider: FakeEmbeddingServer
    ) -> None:
        async with meaning(database_copy, provider):
            sent = len(provider.texts)
        async with meaning(database_copy, provider) as matched:
            assert len(provider.texts) == sent
            assert await topic_of(matched, BY_MEANING) == "returns"

    async def test_other_model_makes_all_vectors_anew(
        self, database_copy: str, provider: FakeEmbeddingServer
    ) -> None:
        async with meaning(database_copy, provider, "small"):
            sent = len(provider.texts)
        async with meaning(database_copy, provider, "large") as matched:
            assert len(provider.texts) == 2 * sent
            assert await topic_of(matched, BY_MEANING) == "returns"
        models = await rows(database_copy, "SELECT DISTINCT model FROM company.knowledge_vectors")
        assert models == [("large",)]

    async def test_loaded_answers_are_learned_and_old_ones_forgotten(
        self, database_copy: str, provider: FakeEmbeddingServer, tmp_path: Path
    ) -> None:
        provider.synonyms = {**SYNONYMS, "wug": "llamas"}
        async with meaning(database_copy, provider) as matched:
            await matched.load(read_topics(written(tmp_path, "llamas", "kites")))
            await matched.learn_meanings()
            assert await topic_of(matched, "what about wug") == "llamas"
            assert await topic_of(matched, BY_MEANING) is None
        kept = await rows(
            database_copy,
            "SELECT DISTINCT topic FROM company.knowledge_vectors WHERE topic IS NOT NULL ORDER BY 1",
        )
        assert kept == [("kites",), ("llamas",)]

    async def test_answers_loaded_without_vectors_are_matched_by_their_words_alone(
        self, database_copy: str, provider: FakeEmbeddingServer, tmp_path: Path
    ) -> None:
        async with meaning(database_copy, provider) as matched:
            await matched.load((*SOME, *read_topics(written(tmp_path, "llamas"))))
            assert await topic_of(matched, "do you have llamas") == "llamas"
            assert await topic_of(matched, "do you have elephants") is None
            assert await topic_of(matched, BY_WORDS) == "shipping-costs-spain"

    @pytest.mark.parametrize("mood", ["hangs", "errors", "refuses", "babbles", "shrinks"])
    async def test_provider_that_fails_leaves_the_words(
        self, database_copy: str, provider: FakeEmbeddingServer, mood: str
    ) -> None:
        async with meaning(database_copy, provider) as matched:
            await topic_of(matched, BY_WORDS)
            provider.mood = mood  # type: ignore[assignment]
            began = monotonic()
            with capture_logs() as events:
                assert await topic_of(matched, BY_WORDS) == "shipping-costs-spain"
                assert await topic_of(matched, BY_MEANING) is None
            assert monotonic() - began < LOOKUP_SECONDS
        failed = [one for one in events if one["event"] == "knowledge.meaning_failed"]
        assert len(failed) == 2
        assert all(set(one) - {"log_level"} <= ALLOWED for one in failed)
        assert BY_MEANING not in repr(events)

    async def test_provider_that_hangs_keeps_the_line_within_a_lookup(
        self, database_copy: str, provider: FakeEmbeddingServer
    ) -> None:
        async with meaning(database_copy, provider) as matched:
            provider.mood = "hangs"
            many = Window(1000, 60.0)
            port = guarded(matched, Limits(LOOKUP_SECONDS, many, many, {}))
            for _ in range(FAILURES_TO_OPEN):
                began = monotonic()
                assert await topic_of(port, BY_WORDS) == "shipping-costs-spain"
                assert monotonic() - began < LOOKUP_SECONDS

            sent = len(provider.requests)
            began = monotonic()
            assert await topic_of(port, BY_WORDS) == "shipping-costs-spain"
            assert monotonic() - began < embeddings.QUESTION_SECONDS, "it is left alone for a while"
            assert len(provider.requests) == sent

    async def test_provider_that_is_down_at_the_start_is_no_failure_of_the_line(
        self, database_copy: str, provider: FakeEmbeddingServer
    ) -> None:
        provider.mood = "errors"
        with capture_logs() as events:
            async with meaning(database_copy, provider) as matched:
                assert await topic_of(matched, BY_WORDS) == "shipping-costs-spain"
        assert [one["event"] for one in events] == ["knowledge.not_embedded"]
        assert all(set(one) - {"log_level"} <= ALLOWED for one in events)
        assert len(provider.requests) == 1

    async def test_what_was_embedded_before_a_failure_is_kept(
        self, database_copy: str, provider: FakeEmbeddingServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(embeddings, "BATCH", 500)
        async with Database(database_copy) as database:
            embedder = OpenAIEmbedder(SecretStr("key-for-tests"), "small", provider.url)
            knowledge = PostgresKnowledge(database, embedder)
            await knowledge.load(SOME)
            learning = asyncio.create_task(knowledge.learn_meanings())
            while len(provider.texts) < 1000:  # noqa: ASYNC110 - the server is another thread
                await asyncio.sleep(0.01)
            provider.mood = "errors"
            await learning
            kept = await rows(database_copy, "SELECT count(*) FROM company.knowledge_vectors")
            assert kept >= [(500,)]

            provider.mood, sent = "well", len(provider.texts)
            await knowledge.learn_meanings()
            assert await topic_of(knowledge, BY_MEANING) == "returns"
            total = await rows(database_copy, "SELECT count(*) FROM company.knowledge_vectors")
            assert len(provider.texts) - sent - 1 < int(str(total[0][0]))
            await knowledge.close()


class TestWithoutTheExtension:
    """A Postgres that has no pgvector, or won't have it."""

    async def test_server_that_lacks_it_answers_by_words(
        self,
        database_copy: str,
        provider: FakeEmbeddingServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def absent(_: object) -> bool:
            return False

        monkeypatch.setattr(embeddings, "pgvector_ready", absent)
        with capture_logs() as events:
            async with meaning(database_copy, provider) as matched:
                assert await topic_of(matched, BY_WORDS) == "shipping-costs-spain"
                assert await topic_of(matched, BY_MEANING) is None
        assert provider.requests == []
        assert [(one["event"], one["reason"]) for one in events] == [
            ("knowledge.meaning_off", "no_pgvector")
        ]

    async def test_role_that_may_not_create_it_answers_by_words(
        self, database_copy: str, provider: FakeEmbeddingServer
    ) -> None:
        role = sql.Identifier("role_" + database_copy.rpartition("test_")[2][:12])
        async with await psycopg.AsyncConnection.connect(database_copy, autocommit=True) as admin:
            await admin.execute(sql.SQL("CREATE ROLE {} NOSUPERUSER").format(role))
            for grant in ("ALL ON SCHEMA company", "ALL ON ALL TABLES IN SCHEMA company"):
                await admin.execute(sql.SQL("GRANT {} TO {}").format(sql.SQL(grant), role))
            try:
                plain = make_conninfo(
                    database_copy, options=f"-c role={role.as_string().strip(chr(34))}"
                )
                async with meaning(plain, provider) as matched:
                    assert await topic_of(matched, BY_WORDS) == "shipping-costs-spain"
                assert provider.requests == []
            finally:
                await admin.execute(sql.SQL("DROP OWNED BY {}").format(role))
                await admin.execute(sql.SQL("DROP ROLE {}").format(role))


class TestServices:
    """The line as it is started."""

    async def test_no_key_no_request(
        self, database_copy: str, model_home: Path, provider: FakeEmbeddingServer, tmp_path: Path
    ) -> None:
        settings = settings_for(database_copy, model_home).model_copy(
            update={"openai_base_url": provider.url}
        )
        async with open_services(settings, clock=Clock(), demo=False) as services:
            await services.load_faq(written(tmp_path, "llamas"))
            assert await services.ask_faq("do you have llamas", "en") is not None
            await asyncio.sleep(0.1)
        assert provider.requests == []
        tables = await rows(
            database_copy, "SELECT to_regclass('company.knowledge_vectors') IS NULL"
        )
        assert tables == [(True,)]

    async def test_key_makes_the_line_learn_beside_its_calls(
        self, database_copy: str, model_home: Path, provider: FakeEmbeddingServer
    ) -> None:
        settings = settings_for(database_copy, model_home).model_copy(
            update={"openai_base_url": provider.url, "openai_api_key": SecretStr("key-for-tests")}
        )
        async with open_services(settings, clock=Clock(), demo=False) as services:
            async with asyncio.timeout(60):
                while (found := await services.ask_faq(BY_MEANING, "en")) is None:
                    assert found is None
            assert found.topic == "returns"

    async def test_line_that_ends_while_it_learns_ends_at_once(
        self, database_copy: str, model_home: Path, provider: FakeEmbeddingServer
    ) -> None:
        provider.mood = "hangs"
        settings = settings_for(database_copy, model_home).model_copy(
            update={"openai_base_url": provider.url, "openai_api_key": SecretStr("key-for-tests")}
        )
        async with open_services(settings, clock=Clock(), demo=False):
            while not provider.requests:  # noqa: ASYNC110 - the server is another thread
                await asyncio.sleep(0.01)
            began = monotonic()
        assert monotonic() - began < embeddings.BATCH_SECONDS / 4

    async def test_all_topics_can_be_loaded_from_a_copy(
        self, services: Services, tmp_path: Path
    ) -> None:
        shutil.copytree(FAQ, tmp_path / "faq")
        assert await services.load_faq(tmp_path / "faq") == len(read_topics(FAQ))
