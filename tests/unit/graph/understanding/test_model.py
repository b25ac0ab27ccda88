"""The real ChatOpenAI against a server on loopback: what is sent, and that every failure is one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import langsmith
import pytest
from pydantic import SecretStr

from graph.understanding import commands as c
from graph.understanding.model import ChatModel, ModelAt, ModelFailed
from graph.understanding.reading import ModelReading
from tests.fakes.model_server import MOODS, ModelServer, Mood
from voice.loopback.faults import Fault

SAID = "my thingy is god knows where"
SECONDS = 30.0  # what a test waits at most for what never comes


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer({SAID: [{"command": "order_status"}]}) as running:
        yield running


@asynccontextmanager
async def model_at(url: str, **more: object) -> AsyncIterator[ChatModel]:
    at = ModelAt("small-1", SecretStr("the key"), url, **more)  # type: ignore[arg-type]
    model = ChatModel(at, SECONDS)
    try:
        yield model
    finally:
        await model.close()


async def test_utterance_is_read(server: ModelServer) -> None:
    async with model_at(server.url) as model:
        read = await model.read(SAID, c.Pending())
    assert [one.command for one in read.meant] == ["order_status"]


async def test_request_is_of_the_form_that_vendors_take(server: ModelServer) -> None:
    async with model_at(server.url) as model:
        await model.read(SAID, c.Pending())
    (asked,) = server.asked
    assert asked.key == "Bearer the key"
    assert asked.body["model"] == "small-1"
    assert asked.body["temperature"] == 0
    assert not asked.body["stream"]
    form = asked.body["response_format"]
    assert form["type"] == "json_schema"
    assert form["json_schema"]["strict"]
    schemas = [form["json_schema"]["schema"], *form["json_schema"]["schema"]["$defs"].values()]
    for schema in schemas:  # OpenAI refuses any other
        assert schema["additionalProperties"] is False
        assert set(schema["required"]) == set(schema["properties"])
        assert "oneOf" not in str(schema)
        assert "default" not in str(schema)


async def test_model_that_takes_no_temperature_gets_none(server: ModelServer) -> None:
    async with model_at(server.url, temperature=None) as model:
        await model.read(SAID, c.Pending())
    assert "temperature" not in server.asked[0].body


async def test_model_is_told_the_question_and_nothing_of_the_caller(server: ModelServer) -> None:
    earlier = (
        c.EarlierWords(words="what about my other order"),
        c.EarlierWords(words="it's h f one oh four eight two", asks="closing.more"),
        c.EarlierWords(words="i live at fifty main street", asks="closing.more"),
        c.EarlierWords(words="write to jane dot doe at example dot com", asks="closing.more"),
        c.EarlierWords(words="pagina nueve siete tres cero uno", asks="closing.more"),
    )
    pending = c.Pending(
        asks="order.which", offered=("Oak stool", "Lamp"), country="US", now="2026-11-23T10:00:00Z", recent=earlier
    )  # fmt: skip
    async with model_at(server.url) as model:
        await model.read("the shiny one", pending)
    assert server.asked[0].told == {
        "earlier": [{"words": "what about my other order", "asks": None}],
        "language": "en",
        "asks": "order.which",
        "slot": None,
        "offered": ["Oak stool", "Lamp"],
        "utterance": "the shiny one",
    }


async def test_words_that_no_text_can_hold_are_sent_without_them(server: ModelServer) -> None:
    async with model_at(server.url) as model:
        await model.read("my \ud800 thingy", c.Pending())
    assert server.asked[0].told["utterance"] == "my ? thingy"


async def failed(model: ChatModel) -> str:
    """The kind of failure; nothing in it or behind it quotes the caller."""
    with pytest.raises(ModelFailed) as caught:
        await model.read(SAID, c.Pending())
    assert str(caught.value) == caught.value.error_type
    assert caught.value.error_type.isidentifier()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.error_type


@pytest.mark.parametrize("mood", MOODS)
async def test_answer_that_is_none_is_a_failure(server: ModelServer, mood: Mood) -> None:
    server.mood = mood
    async with model_at(server.url) as model:
        assert await failed(model)
        assert len(server.asked) == 1, "the client asked again by itself"
        server.mood = "well"
        assert isinstance(await model.read(SAID, c.Pending()), ModelReading)


@pytest.mark.parametrize("fault", ["refuse", "error", "close"])
async def test_server_that_fails_is_a_failure(server: ModelServer, fault: Fault) -> None:
    server.fail(fault)
    async with model_at(server.url) as model:
        assert await failed(model)


async def test_server_that_is_not_there_is_a_failure() -> None:
    async with ModelServer() as gone:
        url = gone.url
    async with model_at(url) as model:
        assert await failed(model) == "OpenAIConnectionError"


async def test_nothing_is_traced_whatever_the_environment_says(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`holdfast understand` has no services, which switch tracing off for the whole process."""
    sent: list[object] = []

    def traced(*given: object, **_: object) -> None:
        sent.append(given)

    monkeypatch.setattr(langsmith.Client, "create_run", traced)
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("LANGSMITH_API_KEY", "x")
    with langsmith.tracing_context(enabled=True):
        async with model_at(server.url) as model:
            await model.read(SAID, c.Pending())
    assert sent == []
