"""A TCP proxy in front of Postgres that can swallow everything: connections stay open, and nothing comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
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
        self._forgotten: list[asyncio.Event] = []
        self._last_words: bytes | None = None
        self.delay = 0.0  #: seconds before each answer
        self._carrying: set[asyncio.Task[None]] = set()

    def swallow(self) -> None:
        self._open.clear()

    def swallow_answer_to(self, words: bytes) -> None:
        """The next time the client says this, the server hears it, and nobody hears the server any more."""
        self._last_words = words

    def forget(self) -> None:
        """What is connected now is swallowed for good; new connections pass."""
        self._open.clear()
        self._forgotten.append(self._open)
        self._open = asyncio.Event()
        self._open.set()

    def pass_on(self) -> None:
        self._last_words = None
        for gate in (*self._forgotten, self._open, self._answers):
            gate.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        open_ = self._open
        try:
            await open_.wait()
            with suppress(OSError):
                answers, asks = await self._connected()
                await asyncio.gather(
                    self._one_way(reader, asks, open_, self._asked),
                    self._one_way(answers, writer, open_, self._answered),
                )
        except asyncio.CancelledError:
            pass  # the proxy is closing
        finally:
            self._carrying.discard(task)
            writer.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = self._there
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _one_way(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        open_: asyncio.Event,
        passes: Callable[[bytes], Awaitable[None]],
    ) -> None:
        try:
            while some := await reader.read(65536):
                await open_.wait()
                await passes(some)
                writer.write(some)
                await writer.drain()
        except OSError:
            pass
        finally:
            await open_.wait()
            writer.close()

    async def _asked(self, some: bytes) -> None:
        if self._last_words and self._last_words in some:
            self._answers.clear()

    async def _answered(self, _: bytes) -> None:
        await self._answers.wait()
        await asyncio.sleep(self.delay)

    async def close(self) -> None:
        for task in tuple(self._carrying):
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)


@asynccontextmanager
async def proxy_to(host: str, port: int) -> AsyncIterator[Proxy]:
    """A proxy on loopback to that address; a host that is a folder is one of Postgres's sockets."""
    proxy = Proxy(host, port)
    server = await asyncio.start_server(proxy.carry, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.pass_on()
        server.close()
        await proxy.close()
