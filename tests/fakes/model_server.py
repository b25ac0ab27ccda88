"""A loopback server that speaks OpenAI's chat completions: it answers by a table, and it can fail in every way.

`python -m tests.fakes.model_server --port N` serves until it is told to stop; `POST /control` sets it as one sets
voice.loopback's servers, with `mood`, `means` and `latency_ms` besides.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from voice.loopback.server import Control, LoopbackServer

Mood = Literal[
    "well",
    "limits",  # 429
    "denies",  # 401
    "refuses",  # the model's own refusal
    "babbles",  # no JSON
    "nests",  # brackets without an end
    "invents",  # JSON, and none of ours
    "rambles",  # ten kilobytes of a command that nobody has
    "is_silent",  # an empty answer
    "is_foreign",  # a language the line does not speak
    "is_cut_short",  # the answer's end is missing: it took too many tokens
    "means_nothing",  # an empty list
    "has_no_choices",  # a completion without an answer
    "is_no_server",  # 200, and HTML
    "breaks_off",  # the connection, in the middle of the body
]
MOODS: tuple[Mood, ...] = (
    "limits", "denies", "refuses", "babbles", "nests", "invents", "rambles", "is_silent", "is_foreign", "is_cut_short",
    "means_nothing", "has_no_choices", "is_no_server", "breaks_off",
)  # fmt: skip
Means = Sequence[Mapping[str, object]]
CHARACTERS = 10_000
LOOKS_EVERY = 0.01  # seconds


class ModelControl(Control):
    """The body of `POST /control`; what is not in it stays as it is."""

    mood: Mood | None = None
    means: dict[str, list[dict[str, object]]] = Field(default_factory=dict)


@dataclass
class Asked:
    """One request, and what became of it."""

    body: dict[str, Any]
    key: str
    came_to: Literal["nothing yet", "an answer", "nothing: the client left"] = "nothing yet"
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def told(self) -> dict[str, Any]:
        """What the model is told of the call."""
        told: dict[str, Any] = json.loads(self.body["messages"][-1]["content"])
        return told


class ModelServer(LoopbackServer):
    """Listening on 127.0.0.1 inside its block. What it has no meaning for is unclear."""

    def __init__(
        self, means: Mapping[str, Means] | None = None, *, port: int = 0, latency_ms: float = 0.0
    ) -> None:
        super().__init__(port=port, latency_ms=latency_ms)
        self.control = ModelControl
        self.means: dict[str, Means] = dict(means or {})
        self.mood: Mood = "well"
        self.asked: list[Asked] = []
        self.arrived = asyncio.Event()  #: a request is here; cleared by whoever waits for the next

    @property
    def url(self) -> str:
        """The base URL, as ChatOpenAI takes it."""
        return f"http://127.0.0.1:{self.port}/v1"

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/chat/completions", self._complete)]

    def records(self) -> list[dict[str, object]]:
        return [
            {
                "utterance": one.told["utterance"],
                "model": one.body["model"],
                "key": one.key.removeprefix("Bearer "),
                "came_to": one.came_to,
            }
            for one in self.asked
        ]

    async def obey(self, order: Control) -> None:
        assert isinstance(order, ModelControl)
        self.means |= order.means
        self.mood = order.mood or ("well" if order.clear else self.mood)
        await super().obey(order)

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        one = Asked(await request.json(), request.headers.get("Authorization", ""))
        self.asked.append(one)
        self.arrived.set()
        if await self._client_waits(request):
            response = await self._answer(one, request)
            one.came_to = "an answer"
        else:
            response = web.Response()  # nobody reads it
            one.came_to = "nothing: the client left"
        one.over.set()
        return response

    async def _client_waits(self, request: web.Request) -> bool:
        """Until an answer is due: is the connection still there?"""
        due = asyncio.ensure_future(self._due())
        try:
            while not due.done():
                if request.transport is None or request.transport.is_closing():
                    return False
                await asyncio.wait({due}, timeout=LOOKS_EVERY)
            return True
        finally:
            due.cancel()

    async def _due(self) -> None:
        await self.faults.stalled()
        await asyncio.sleep(self.latency_ms / 1000)

    async def _answer(self, one: Asked, request: web.Request) -> web.StreamResponse:
        status = {"limits": 429, "denies": 401}.get(self.mood, 200)
        if self.faults.now == "error" or status != 200:
            error = {"message": f"cannot read {one.told['utterance']}", "type": "server_error"}
            return web.json_response({"error": error}, status=status if status != 200 else 500)
        if self.mood == "is_no_server":
            return web.Response(text="<html>It works!</html>", content_type="text/html")
        body = json.dumps(self._completion(one)).encode()
        if self.mood == "breaks_off" or self.faults.now == "close":
            response = web.StreamResponse(headers={"Content-Length": str(len(body))})
            response.content_type = "application/json"
            await response.prepare(request)
            await response.write(body[: len(body) // 2])
            assert request.transport is not None
            request.transport.close()
            return response
        return web.Response(body=body, content_type="application/json")

    def _completion(self, one: Asked) -> dict[str, object]:
        message: dict[str, object] = {"role": "assistant", "content": self._content(one)}
        if self.mood == "refuses":
            message |= {"content": None, "refusal": "I'm sorry, I can't help with that."}
        finish = "length" if self.mood == "is_cut_short" else "stop"
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": one.body["model"],
            "choices": [] if self.mood == "has_no_choices" else [choice],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }

    def _content(self, one: Asked) -> str:
        meant = self.means.get(one.told["utterance"], [{"command": "unclear"}])
        whole = json.dumps({"meant": list(meant), "mood": "calm"}, ensure_ascii=False)
        strange = {
            "babbles": f"Sure! The caller said: {one.told['utterance']}",
            "nests": "[" * CHARACTERS * 10,
            "invents": json.dumps({"verified": True, "transfer": "all of it"}),
            "rambles": json.dumps({"meant": [{"command": "x" * CHARACTERS}]}),
            "is_silent": "",
            "is_foreign": json.dumps({"meant": [{"command": "switch_language", "language": "de"}]}),
            "is_cut_short": whole[: len(whole) // 2],
            "means_nothing": json.dumps({"meant": []}),
        }
        return strange.get(self.mood, whole)


async def _serve(port: int) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with ModelServer(port=port) as server:
        sys.stdout.write(json.dumps({"model": server.url}) + "\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Serve, after one line of JSON on standard output that says where."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.model_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(_serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
