"""One language model that reads utterances: any server that speaks OpenAI's chat completions."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import httpx
import langsmith
from langchain_core.runnables import Runnable
from pydantic import SecretStr

from graph.understanding import commands as c
from graph.understanding import spoken
from graph.understanding.expected import address_answers
from graph.understanding.heard import heard
from graph.understanding.reading import ModelReading

OPENAI = "https://api.openai.com/v1"
LONGEST_ANSWER = 300  # tokens; six commands take some 200
SHORTEST_VALUE = 3  # digits
PROMPT = (Path(__file__).parents[1] / "wording" / "prompts" / "understand.md").read_text("utf-8")


class ModelFailed(Exception):
    """The model gave no reading. What it or its library said may quote the caller, so only the kind is kept."""

    def __init__(self, error_type: str) -> None:
        super().__init__(error_type)
        self.error_type = error_type


@dataclass(frozen=True)
class ModelAt:
    """Which model, and where."""

    name: str
    key: SecretStr
    base_url: str = OPENAI
    temperature: float | None = 0.0  #: None: the server's own


class _Client(NamedTuple):
    chat: Runnable[list[tuple[str, str]], object]
    http: httpx.AsyncClient
    #: whatever a server that calls itself compatible may lead it into
    failures: tuple[type[Exception], ...]


class ChatModel:
    """Loaded anywhere; used in one event loop, whose its connections are."""

    def __init__(self, at: ModelAt, seconds: float) -> None:
        """
        Args:
            seconds: after which a request is given up.
        """
        self.name = at.name
        self._at = at
        self._seconds = seconds
        self._client: _Client | None = None
        self._loading = threading.Lock()

    async def read(self, text: str, pending: c.Pending) -> ModelReading:
        """One request, never repeated. Cancelled, it is closed.

        Raises:
            ModelFailed: the server did not answer, refused, or said what cannot be read.
        """
        client = self._client
        if client is None:
            client = await asyncio.to_thread(self.load)
        messages = [("system", PROMPT), ("user", question(text, pending))]
        try:
            with langsmith.tracing_context(enabled=False):  # also where no services switched it off
                answer = await client.chat.ainvoke(messages, {"callbacks": []})
        except client.failures as error:
            raise ModelFailed(type(error).__name__) from None
        if not isinstance(answer, ModelReading) or not answer.meant:
            raise ModelFailed("NoReading")
        return answer

    def load(self) -> _Client:
        """Load the library and make the client, once: that takes a second, which no caller is to wait for."""
        with self._loading:
            if self._client is None:
                self._client = self._made()
            return self._client

    async def close(self) -> None:
        """Let go of connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.http.aclose()

    def _made(self) -> _Client:
        from langchain_openai import ChatOpenAI
        from langchain_openai.chat_models.base import OpenAIRefusalError
        from openai import OpenAIError

        http = httpx.AsyncClient()
        chat = ChatOpenAI(
            model=self._at.name,
            api_key=self._at.key,
            base_url=self._at.base_url,
            http_async_client=http,
            openai_proxy=None,  # its variable forbids a client of ours; HTTPS_PROXY is heeded all the same
            temperature=self._at.temperature,
            max_completion_tokens=LONGEST_ANSWER,
            max_retries=0,
            timeout=self._seconds,
            disable_streaming=True,  # a graph that streams would have its tokens streamed, too
            use_responses_api=False,  # which few others speak
        )
        structured = chat.with_structured_output(ModelReading, method="json_schema", strict=True)
        failures = (
            OpenAIError,
            OpenAIRefusalError,
            httpx.HTTPError,
            ValueError,
            TypeError,
            LookupError,
            AttributeError,
            RecursionError,
        )
        return _Client(structured, http, failures)


def question(text: str, pending: c.Pending) -> str:
    """What the model is told of the call: nothing of who the caller is."""
    told = {
        "earlier": [one.model_dump() for one in pending.recent if not _gives_a_value(one, pending)],
        "language": pending.language,
        "asks": pending.asks,
        "slot": pending.slot,
        "offered": pending.offered,
        "utterance": text,
    }
    return json.dumps(told, ensure_ascii=False).encode("utf-8", "replace").decode()


def _gives_a_value(earlier: c.EarlierWords, pending: c.Pending) -> bool:
    """A number, an address, an e-mail address: what "the other one" means can be told without."""
    text = earlier.words
    if any(len(spoken.find_digits(text, one)) >= SHORTEST_VALUE for one in c.LANGUAGES):
        return True
    one = heard(text, pending.language, pending)
    return bool(spoken.find_email(text, one.language) or address_answers(text, one, ()))
