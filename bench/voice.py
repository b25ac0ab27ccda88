"""What a voice call costs: greeting, response and its stages, silence after a barge-in, processor and memory per call.

Everything is on this machine: livekit-server, callers in processes of their own, the vendors' real plugins against
loopback servers. Beside it, in the same run, an agent as LiveKit's documentation builds one.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import psutil
import typer
from psycopg.conninfo import make_conninfo

from bench import stock_agent
from bench.turns import processor
from checkpoints.embedded import embedded_server
from settings import Settings
from tests.acceptance.caller import Caller
from tests.acceptance.clips import Clips
from tests.acceptance.exchange import Exchange
from tests.acceptance.line import open_line
from tests.acceptance.service import Service
from tests.acceptance.vendors import Vendors, loopback_vendors
from tests.company import fill_template
from voice.local_server import LocalLiveKit, local_livekit

QUESTION, CUT_IN = "what is your return policy", "stop please"
ROOT = Path(__file__).parents[1]
REALISTIC = {"deepgram_ms": 150.0, "cartesia_ms": 120.0}
BARGE_AFTER = 1.5  # seconds into the answer


@dataclass
class Agent:
    """An agent to be measured."""

    name: str
    exchange: Exchange
    family: Callable[[], list[psutil.Process]]


@dataclass
class Heard:
    """One caller's call, in seconds."""

    greeting: float
    response: float
    silence: float


async def call(agent: Agent, delay: float = 0.0) -> Heard:
    """Greeted, a question answered, and the answer cut in on."""
    await asyncio.sleep(delay)
    token = agent.exchange.phone("anonymous", room=f"call-{uuid4()}", identity="caller")
    async with agent.exchange.caller(token) as caller:
        greeted = await caller.hears_sound(since=caller.joined)
        await caller.until_silent()
        asked = await caller.says(QUESTION)
        answered = await caller.hears_sound(since=asked.ended)
        cut = await caller.cuts_in_after(BARGE_AFTER, CUT_IN)
        silent = await _silent_since(caller, cut.began)
    return Heard(greeted - caller.joined, answered - asked.ended, silent - cut.began)


async def _silent_since(caller: Caller, began: float) -> float:
    """When the line fell silent after somebody began to cut in."""

    def ended() -> float | None:
        return next((one.ended for one in caller.sounds if one.ended and one.ended > began), None)

    return await caller.until(ended, "silence after a barge-in")


async def busy(agent: Agent, calls: int) -> tuple[float, float]:
    """Cores and megabytes (PSS) one more call takes, of so many at once; callers and servers not counted."""
    before = _memory(agent.family())
    ready = asyncio.Event()
    talking = [asyncio.create_task(_chat(agent, ready)) for _ in range(calls)]
    await asyncio.sleep(12)
    spent, began = _cpu(agent.family()), time.monotonic()
    await asyncio.sleep(15)
    cores = (_cpu(agent.family()) - spent) / (time.monotonic() - began)
    memory = _memory(agent.family()) - before
    ready.set()
    await asyncio.gather(*talking)
    return cores / calls, memory / calls


async def _chat(agent: Agent, over: asyncio.Event) -> None:
    """Asks and listens until told to stop."""
    token = agent.exchange.phone("anonymous", room=f"call-{uuid4()}", identity="caller")
    async with agent.exchange.caller(token) as caller:
        await caller.hears_sound(since=caller.joined)
        await caller.until_silent()
        while not over.is_set():
            asked = await caller.says(QUESTION)
            await caller.hears_sound(since=asked.ended)
            await caller.until_silent()


def _cpu(family: Sequence[psutil.Process]) -> float:
    times = [one.cpu_times() for one in family if one.is_running()]
    return float(sum(one.user + one.system for one in times))


def _memory(family: Sequence[psutil.Process]) -> float:
    return float(sum(one.memory_full_info().pss for one in family if one.is_running()) / 1e6)


# Agents ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def ours(
    server: LocalLiveKit, vendors: Vendors, clips: Clips, dsn: str, folder: Path
) -> AsyncIterator[Agent]:
    more = {"HOLDFAST_VOICE__IDLE_PROCESSES": "8", "HOLDFAST_VOICE__CALLS_PER_WORKER": "20"}
    async with open_line(server, vendors, clips, dsn, folder, folder, **more) as line:
        await asyncio.sleep(5)  # its processes are warm
        yield Agent("holdfast", line.exchange, lambda: line.worker.family)


@asynccontextmanager
async def stock(
    server: LocalLiveKit, vendors: Vendors, clips: Clips, folder: Path
) -> AsyncIterator[Agent]:
    environment = {**server.environment, **vendors.environment, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "bench.stock_agent"]
    service = await Service.start(command, folder / "stock.log", environment)
    try:
        await asyncio.sleep(15)
        exchange = Exchange(server, clips, folder, vendors.learn, agent_name=stock_agent.NAME)
        yield Agent("stock agent", exchange, lambda: service.family)
    finally:
        await service.end()


# Printing ----------------------------------------------------------------------------------------------------


def shown(values: Sequence[float]) -> str:
    return f"p50 {statistics.median(values) * 1000:5.0f}  worst {max(values) * 1000:5.0f} ms"


async def measure(agent: Agent, vendors: Vendors, loads: Sequence[int]) -> None:
    alone = [await call(agent) for _ in range(4)]
    print(f"{agent.name:12} greeting, one caller          {shown([one.greeting for one in alone])}")
    print(f"{agent.name:12} end of speech to first sound  {shown([one.response for one in alone])}")
    print(f"{agent.name:12} cut in to silence             {shown([one.silence for one in alone])}")
    five = await asyncio.gather(*(call(agent, 0.3 * index) for index in range(5)))
    print(f"{agent.name:12} greeting, five in 1.5 s       {shown([one.greeting for one in five])}")
    await vendors.answers_after(**REALISTIC)
    slow = [await call(agent) for _ in range(3)]
    await vendors.recover()
    print(f"{agent.name:12} response, vendors 150+120 ms  {shown([one.response for one in slow])}")
    for calls in loads:
        cores, memory = await busy(agent, calls)
        print(f"{agent.name:12} {calls} calls: {cores:.3f} cores, {memory:.0f} MB each", flush=True)


def stages(log: str) -> None:
    """Where a response's time goes, from the worker's own log."""
    lines = [json.loads(one) for one in re.findall(r'^\{.*"turn\.timed".*\}$', log, re.MULTILINE)]
    for stage in ("end_of_turn_ms", "words_ms", "first_sound_ms", "whole_ms"):
        values = [one[stage] / 1000 for one in lines if one.get(stage) is not None]
        if values:
            print(f"holdfast     stage {stage:22}  {shown(values)}")


def main(calls: Annotated[list[int] | None, typer.Option(help="calls at once")] = None) -> None:
    """Print everything, in about ten minutes."""
    print(processor())
    with tempfile.TemporaryDirectory(prefix="holdfast-voice-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded_server(folder / "server") as dsn:
            asyncio.run(_all(folder, make_conninfo(dsn), calls or [1, 4, 8]))
    print(processor())


async def _all(folder: Path, dsn: str, loads: Sequence[int]) -> None:
    await fill_template(dsn, folder)
    clips = Clips(folder)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(local_livekit(folder, cache=Settings().cache))
        vendors = await stack.enter_async_context(loopback_vendors(folder))
        async with ours(server, vendors, clips, dsn, folder) as agent:
            await measure(agent, vendors, loads)
        stages((folder / "worker.log").read_text("utf-8"))
        async with stock(server, vendors, clips, folder) as agent:
            await measure(agent, vendors, loads)


if __name__ == "__main__":
    typer.run(main)
