"""A TCP proxy in front of Postgres that can swallow everything: connections stay open, and nothing comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Proxy:
    """Passes bytes on while it is open. Acknowledges all it is sent even when not, as a load balancer does."""

    def __init__(self, host: str, port: int) -> None:
        self.port = 0
        self._there = (host, port)
        self._open = asyncio.Event()
        self._open.set()
        self._answers = asyncio.Event()
        self._answers.set()
        self._last_words: bytes | None = None
        self.delay = 0.0  #: seconds before each answer
        self._carrying: set[asyncio.Task[None]] = set()

    def swallow(self) -> None:
        self._open.clear()

    def swallow_answer_to(self, words: bytes) -> None:
        """The next time the client says this, the server hears it, and nobody hears the server any more."""
        self._last_words = words

    def pass_on(self) -> None:
        self._last_words = None
        self._open.set()
        self._answers.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        try:
            await self._open.wait()
            with suppress(OSError):
                answers, asks = await asyncio.open_connection(*self._there)
                await asyncio.gather(
                    self._one_way(reader, asks, self._open),
                    self._one_way(answers, writer, self._answers),
                )
        except asyncio.CancelledError:
            pass  # the proxy is closing
        finally:
            self._carrying.discard(task)
            writer.close()

    async def _one_way(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event
    ) -> None:
        try:
            while some := await reader.read(65536):
                await self._open.wait()
                await gate.wait()
                if gate is self._answers:
                    await asyncio.sleep(self.delay)
                elif self._last_words and self._last_words in some:
                    self._answers.clear()
                writer.write(some)
                await writer.drain()
        except OSError:
            pass
        finally:
            await self._open.wait()
            writer.close()

    async def close(self) -> None:
        for task in tuple(self._carrying):
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)


@asynccontextmanager
async def proxy_to(host: str, port: int) -> AsyncIterator[Proxy]:
    """A proxy on loopback to that address."""
    proxy = Proxy(host, port)
    server = await asyncio.start_server(proxy.carry, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.pass_on()
        server.close()
        await proxy.close()
