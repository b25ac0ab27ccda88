"""A loopback server that speaks OpenAI's /v1/embeddings. It knows which words mean the same, and it can fail."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SIZE = 128
Mood = Literal[
    "well",
    "hangs",  # until the server stops
    "errors",  # 500
    "refuses",  # 401
    "babbles",  # 200 and no vectors
    "shrinks",  # vectors of another size
]


class FakeEmbeddingServer:
    """What was asked of it, and what it will do next."""

    def __init__(self, synonyms: Mapping[str, str]) -> None:
        self.synonyms = synonyms  #: word -> the word it means the same as
        self.mood: Mood = "well"
        self.requests: list[dict[str, object]] = []
        self.over = threading.Event()
        self.url = ""

    @property
    def texts(self) -> list[str]:
        """Everything that was sent to be embedded."""
        return [text for one in self.requests for text in _inputs(one)]

    def vector(self, text: str) -> NDArray[np.float32]:
        """A bag of words: each word a direction of its own, the same for words that mean the same."""
        words = "".join(char if char.isalnum() else " " for char in text.lower()).split()
        total = sum((_direction(self.synonyms.get(word, word)) for word in words), np.zeros(SIZE))
        length = float(np.linalg.norm(total)) or 1.0
        return (total / length).astype(np.float32)


def _inputs(request: Mapping[str, object]) -> Sequence[str]:
    given = request["input"]
    assert isinstance(given, list)
    assert all(isinstance(one, str) for one in given), "texts were sent as numbers of tokens"
    return given


@cache
def _direction(word: str) -> NDArray[np.float64]:
    seed = int.from_bytes(sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).normal(size=SIZE)


@contextmanager
def embedding_server(synonyms: Mapping[str, str]) -> Iterator[FakeEmbeddingServer]:
    """Listens on a free port until the block ends."""
    fake = FakeEmbeddingServer(synonyms)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(fake: FakeEmbeddingServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            request: dict[str, object] = json.loads(self.rfile.read(length))
            fake.requests.append(
                {**request, "path": self.path, "key": self.headers["Authorization"]}
            )
            if fake.mood == "hangs":
                fake.over.wait()
                return
            status = {"errors": 500, "refuses": 401}.get(fake.mood, 200)
            self._reply(
                status, _reply(fake, request) if status == 200 else {"error": {"message": "no"}}
            )

        def _reply(self, status: int, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Tests are quiet."""

    return Handler


def _reply(fake: FakeEmbeddingServer, request: dict[str, object]) -> object:
    if fake.mood == "babbles":
        return {"object": "list", "data": [{"object": "embedding", "index": 0}], "model": "x"}
    vectors = [fake.vector(text) for text in _inputs(request)]
    if fake.mood == "shrinks":
        vectors = [one[:-1] for one in vectors]
    as_base64 = request.get("encoding_format") == "base64"
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": base64.b64encode(one.tobytes()).decode() if as_base64 else one.tolist(),
        }
        for index, one in enumerate(vectors)
    ]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return {"object": "list", "data": data, "model": request["model"], "usage": usage}
