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
from tests.acceptance.models import Models, loopback_models
from tests.acceptance.service import Service
from tests.acceptance.vendors import Vendors, loopback_vendors
from tests.company import fill_template
from voice.local_server import LocalLiveKit, local_livekit

QUESTION = "what is your return policy"
FOR_A_MODEL = "my thingy is god knows where"  # the local understanding makes nothing of it
CUTS_IN = ("stop please", "no wait a moment", "hold on please", "i have another question")
ROOT = Path(__file__).parents[1]
REALISTIC = {"deepgram_ms": 150.0, "cartesia_ms": 120.0}
MODEL_MS = 500.0
BARGE_AFTER = (1.2, 1.4, 1.6, 1.8)  # seconds into the answer
ALONE = 8  # calls, one after another
SETTLED = 10.0  # seconds without a change: the processes of the calls before are gone
SETTLES_WITHIN = 120.0


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


async def call(agent: Agent, index: int = 0, delay: float = 0.0, question: str = QUESTION) -> Heard:
    """Greeted, a question answered, and the answer cut in on, each time with other words at another place."""
    await asyncio.sleep(delay)
    token = agent.exchange.phone("anonymous", room=f"call-{uuid4()}", identity="caller")
    async with agent.exchange.caller(token) as caller:
        greeted = await caller.hears_sound(since=caller.joined)
        await caller.until_silent()
        asked = await caller.says(question)
        answered = await caller.hears_sound(since=asked.ended)
        after = BARGE_AFTER[index // len(CUTS_IN) % len(BARGE_AFTER)]
        cut = await caller.cuts_in_after(after, CUTS_IN[index % len(CUTS_IN)])
        silent = await _silent_since(caller, cut.began)
    return Heard(greeted - caller.joined, answered - asked.ended, silent - cut.began)


async def _silent_since(caller: Caller, began: float) -> float:
    """When the line fell silent after somebody began to cut in."""

    def ended() -> float | None:
        return next((one.ended for one in caller.sounds if one.ended and one.ended > began), None)

    return await caller.until(ended, "silence after a barge-in")


async def busy(agent: Agent, calls: int) -> tuple[float, float]:
    """Cores and megabytes (PSS) one more call takes, of so many at once; callers and servers not counted."""
    await _settled(agent)
    before = _memory(agent.family())
    ready = asyncio.Event()
    talking = [asyncio.create_task(_chat(agent, ready)) for _ in range(calls)]
    await asyncio.sleep(12)
    spent, began = _cpu(agent.family()), time.monotonic()
    await asyncio.sleep(15)
    now = _cpu(agent.family())
    cores = sum(now[pid] - spent.get(pid, 0.0) for pid in now) / (time.monotonic() - began)
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


async def _settled(agent: Agent) -> None:
    """Nobody comes and nobody goes, in the agent's family."""
    family, since = set(agent.family()), time.monotonic()
    deadline = since + SETTLES_WITHIN
    while time.monotonic() - since < SETTLED and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        if (now := set(agent.family())) != family:
            family, since = now, time.monotonic()


def _cpu(family: Sequence[psutil.Process]) -> dict[int, float]:
    """Seconds of processor so far, by process: one that ends meanwhile takes nothing away from the others."""
    times = {one.pid: one.cpu_times() for one in family if one.is_running()}
    return {pid: float(one.user + one.system) for pid, one in times.items()}


def _memory(family: Sequence[psutil.Process]) -> float:
    return float(sum(one.memory_full_info().pss for one in family if one.is_running()) / 1e6)


# Agents ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def ours(
    server: LocalLiveKit,
    vendors: Vendors,
    models: Models,
    clips: Clips,
    dsn: str,
    folder: Path,
) -> AsyncIterator[Agent]:
    more = {
        **models.environment,
        "HOLDFAST_VOICE__IDLE_PROCESSES": "8",
        "HOLDFAST_VOICE__CALLS_PER_WORKER": "20",
    }
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


async def one_by_one(agent: Agent, vendors: Vendors) -> None:
    alone = [await call(agent, index) for index in range(ALONE)]
    print(f"{agent.name:12} greeting, one caller          {shown([one.greeting for one in alone])}")
    print(f"{agent.name:12} end of speech to first sound  {shown([one.response for one in alone])}")
    print(f"{agent.name:12} cut in to silence             {shown([one.silence for one in alone])}")
    await vendors.answers_after(**REALISTIC)
    slow = [await call(agent) for _ in range(3)]
    await vendors.recover()
    print(f"{agent.name:12} response, vendors 150+120 ms  {shown([one.response for one in slow])}")


async def with_a_model(agent: Agent, vendors: Vendors, models: Models) -> None:
    """The same response to words that a language model has to read."""
    await models.learns(FOR_A_MODEL, {"command": "order_status"})
    await models.answers_after(MODEL_MS)
    await vendors.answers_after(**REALISTIC)
    read = [await call(agent, question=FOR_A_MODEL) for _ in range(3)]
    await vendors.recover()
    assert len(await models.asked()) >= len(read), "the model was not asked"
    print(f"{agent.name:12} the same, and a model 500 ms  {shown([one.response for one in read])}")


async def at_once(agent: Agent, loads: Sequence[int]) -> None:
    for _ in range(2):
        five = await asyncio.gather(*(call(agent, index, 0.3 * index) for index in range(5)))
        greeted = shown([one.greeting for one in five])
        print(f"{agent.name:12} greeting, five in 1.5 s       {greeted}")
    for calls in loads:
        cores, memory = await busy(agent, calls)
        print(f"{agent.name:12} {calls} calls: {cores:.3f} cores, {memory:.0f} MB each", flush=True)


def stages(log: str) -> None:
    """Where a response's time goes, from the worker's own log: the line's own share is what waits for nobody else."""
    turns = timed(log)
    for stage in ("end_of_turn_ms", "words_ms", "first_sound_ms", "whole_ms"):
        print(f"holdfast     stage {stage:22}  {shown([one[stage] / 1000 for one in turns])}")
    own = [one["whole_ms"] - one["end_of_turn_ms"] - one["first_sound_ms"] for one in turns]
    p95 = statistics.quantiles(own, n=20)[-1]
    print(
        f"holdfast     own share of a response       {shown([ms / 1000 for ms in own])}, p95 {p95:.0f}"
    )


def timed(log: str) -> list[dict[str, float]]:
    """Answered turns, in milliseconds: LiveKit tells of the caller's part first, then of the answer's."""
    turns: list[dict[str, float]] = []
    asked: dict[str, dict[str, float]] = {}
    for line in re.findall(r'^\{.*"turn\.timed".*\}$', log, re.MULTILINE):
        stage = json.loads(line)
        if "end_of_turn_ms" in stage:
            asked[stage["call_id"]] = stage
        elif "whole_ms" in stage and (before := asked.pop(stage["call_id"], None)):
            turns.append({**before, **stage})
    return turns


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
        models = await stack.enter_async_context(loopback_models(folder))
        async with ours(server, vendors, models, clips, dsn, folder) as agent:
            await one_by_one(agent, vendors)
            stages((folder / "worker.log").read_text("utf-8"))
            await with_a_model(agent, vendors, models)
            await at_once(agent, loads)
        async with stock(server, vendors, clips, folder) as agent:
            await one_by_one(agent, vendors)
            await at_once(agent, loads)


if __name__ == "__main__":
    typer.run(main)
