"""What both loopback servers are: an HTTP server on 127.0.0.1 with faults, a latency, and `/control` to set them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Self

import psutil
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from voice.loopback.faults import Fault, Faults


class Sentence(BaseModel):
    """A sentence that callers may say from now on."""

    model_config = ConfigDict(extra="forbid")
    text: str
    language: str


class Control(BaseModel):
    """The body of `POST /control`; what is not in it stays as it is."""

    model_config = ConfigDict(extra="forbid")
    of: int | None = None  # the process (pid) whose connections are meant; without it, all
    fault: Fault | None = None
    seconds: float | None = None  # how long the fault lasts; without it, until cleared
    clear: bool = False
    drop: bool = False  # close the connections that are open now
    latency_ms: float | None = None
    sentences: tuple[Sentence, ...] = ()


class LoopbackServer:
    """An async context manager: listening on 127.0.0.1 inside it. Port 0 takes a free one."""

    def __init__(self, *, port: int = 0, latency_ms: float = 0.0) -> None:
        self.port = port
        self.latency_ms = latency_ms
        self.control: type[Control] = Control
        self.faults = Faults()  #: everybody's
        self._faults_of: dict[int, Faults] = {}  #: single processes', by their pids
        self._sockets: dict[web.WebSocketResponse, web.Request] = {}
        self._runner: web.AppRunner | None = None

    def routes(self) -> list[web.RouteDef]:
        """The vendor's paths."""
        raise NotImplementedError

    async def learn(self, sentences: tuple[Sentence, ...]) -> None:
        """Take sentences that callers may say; a server that only speaks needs none."""

    def records(self) -> list[dict[str, object]]:
        """What was asked of this server, in order."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._failing])
        app.add_routes(
            [
                *self.routes(),
                web.post("/control", self._control),
                web.get("/control", self._report),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.recover()
        await self.drop()
        if self._runner is not None:
            await self._runner.cleanup()

    def fail(self, fault: Fault, seconds: float | None = None, of: int | None = None) -> None:
        """Begin to fail, for so many seconds or until `recover`: for everybody, or for one process of this machine."""
        faults = self.faults if of is None else self._faults_of.setdefault(of, Faults())
        faults.fail(fault, seconds)

    def recover(self, of: int | None = None) -> None:
        """Work again: for one process, or for all."""
        if of is None:
            self.faults.clear()
        for pid in [*self._faults_of] if of is None else [of]:
            if faults := self._faults_of.pop(pid, None):
                faults.clear()

    async def drop(self, of: int | None = None) -> None:
        """Close every connection that is open now, or those of one process, in the middle of whatever it does."""
        dropped = [
            socket
            for socket, request in self._sockets.items()
            if of is None or comes_from(request, of)
        ]
        await asyncio.gather(*(socket.close(code=1011) for socket in dropped))

    def faults_of(self, request: web.Request) -> Faults:
        """What is wrong for whoever sent this: for their process alone, or for everybody."""
        own = (
            faults
            for pid, faults in self._faults_of.items()
            if faults.now and comes_from(request, pid)
        )
        return next(own, self.faults)

    @contextlib.asynccontextmanager
    async def socket(self, request: web.Request) -> AsyncIterator[web.WebSocketResponse]:
        """Accept a WebSocket, and remember it for as long as it is served."""
        socket = web.WebSocketResponse(timeout=1.0)
        await socket.prepare(request)
        self._sockets[socket] = request
        try:
            yield socket
        finally:
            del self._sockets[socket]

    @web.middleware
    async def _failing(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        if request.path == "/control":
            return await handler(request)
        if self.faults_of(request).now == "refuse":
            return web.json_response({"error": "service unavailable"}, status=503)
        return await handler(request)

    async def _control(self, request: web.Request) -> web.Response:
        try:
            order = self.control.model_validate_json(await request.read())
        except ValidationError as wrong:
            return web.json_response({"error": str(wrong)}, status=400)
        await self.obey(order)
        return web.json_response(self._state())

    async def obey(self, order: Control) -> None:
        """Be as ordered, by a body of `self.control`."""
        await self.learn(order.sentences)
        if order.latency_ms is not None:
            self.latency_ms = order.latency_ms
        if order.clear:
            self.recover(order.of)
        if order.fault is not None:
            self.fail(order.fault, order.seconds, order.of)
        if order.drop:
            await self.drop(order.of)

    async def _report(self, _: web.Request) -> web.Response:
        return web.json_response(self._state())

    def _state(self) -> dict[str, object]:
        return {
            "fault": self.faults.now,
            "latency_ms": self.latency_ms,
            "open": len(self._sockets),
            "requests": self.records(),
        }


def comes_from(request: web.Request, pid: int) -> bool:
    """Is the other end of its connection this process, of this machine?"""
    peer = None if request.transport is None else request.transport.get_extra_info("peername")
    try:
        places = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return False
    return peer is not None and peer[1] in {place.laddr.port for place in places}
