"""What a turn costs: milliseconds to first words, round trips, rows, bytes, memory; beside a stock saver.

Everything runs on an embedded Postgres of its own: one call after another, many at once with the database 2 ms away,
and one call of 200 turns. The stock column is the same graph on LangGraph's `AsyncPostgresSaver` with a pool and its
default durability, in the same run.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import time
import timeit
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from pydantic import SecretStr

from bench.callers import ENDLESS, ScriptedCaller, known_callers
from bench.slow_link import slow_link
from checkpoints.embedded import embedded_server
from conversation import Conversation
from graph.build import build
from graph.state import CallerTurn
from services import Services, open_services
from settings import Settings

LONG_CALL = 200  # turns


@dataclass(frozen=True)
class Took:
    """One turn, in milliseconds from the caller's words."""

    first_words: float
    done: float  #: and remembered


Speak = Callable[[Conversation, CallerTurn], Awaitable[Took]]


# Two ways to run a turn ------------------------------------------------------------------------------------------


async def ours(call: Conversation, caller: CallerTurn) -> Took:
    """A turn as the line runs it."""
    started = time.perf_counter()
    turn = call.start(caller)
    turn.confirm()
    reply = await turn.reply()
    return Took(reply.ms, (time.perf_counter() - started) * 1000)


def stock(services: Services) -> Speak:
    """The same graph on the saver LangGraph ships, as its documentation sets it up."""
    saver = AsyncPostgresSaver(services.database.pool, serde=services.saver.serde)
    graph: Any = build().compile(checkpointer=saver)

    async def speak(call: Conversation, caller: CallerTurn) -> Took:
        started = time.perf_counter()
        first = 0.0
        stream = graph.astream(
            {"caller": caller}, call.config, context=call.context, stream_mode="custom"
        )
        async for _ in stream:
            first = first or (time.perf_counter() - started) * 1000
        return Took(first, (time.perf_counter() - started) * 1000)

    return speak


async def scripted_call(
    services: Services, caller: ScriptedCaller, speak: Speak, think: float = 0.0, delay: float = 0.0
) -> list[Took]:
    """One call to its end; its turns after the greeting."""
    await asyncio.sleep(delay)
    call = await services.answer(caller.phone, None)
    await speak(call, CallerTurn(kind="begin", language=call.record.language))
    took = []
    for line in caller.script:
        await asyncio.sleep(think)
        words = await caller.words(line, services, call)
        took.append(await speak(call, call.spoken(words)))
    await call.drop()
    return took


# Measurements ----------------------------------------------------------------------------------------------------


async def one_after_another(services: Services, speak: Speak, calls: int = 9) -> list[Took]:
    callers = await known_callers(services)
    await scripted_call(services, callers[0], speak)  # warm
    return [
        took for one in callers[1 : calls + 1] for took in await scripted_call(services, one, speak)
    ]


async def at_once(services: Services, speak: Speak, calls: int, think: float) -> list[Took]:
    callers = await known_callers(services)
    crowd = await asyncio.gather(
        *(
            scripted_call(
                services, callers[index % len(callers)], speak, think, delay=think * index / calls
            )
            for index in range(calls)
        )
    )
    return [took for turns in crowd for took in turns]


async def long_call(services: Services) -> tuple[list[Took], float, float]:
    """One endless call: its turns, and rows and bytes LangGraph's tables grew by, each turn."""
    call = await services.answer(None, "en")
    await call.begin()
    await call.memory.durable(5)
    before = await _stored(services)
    said = [call.spoken(ENDLESS[number % len(ENDLESS)]) for number in range(LONG_CALL)]
    took = [await ours(call, words) for words in said]
    await call.memory.durable(5)
    after = await _stored(services)
    await call.drop()
    return took, (after[0] - before[0]) / LONG_CALL, (after[1] - before[1]) / LONG_CALL


async def stock_growth(services: Services, turns: int = 20) -> tuple[float, float]:
    """Rows and bytes of a turn with the stock saver."""
    speak, call = stock(services), await services.answer(None, "en")
    await speak(call, CallerTurn(kind="begin", language="en"))
    before = await _stored(services)
    for number in range(turns):
        await speak(call, call.spoken(ENDLESS[number % len(ENDLESS)]))
    after = await _stored(services)
    await call.drop()
    return (after[0] - before[0]) / turns, (after[1] - before[1]) / turns


async def _stored(services: Services) -> tuple[int, int]:
    """Rows of LangGraph's tables, and the bytes in them."""
    rows = size = 0
    async with services.database.connection() as connection:
        for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes"):
            cursor = await connection.execute(
                f"SELECT count(*) AS rows, coalesce(sum(pg_column_size(t.*)), 0) AS size FROM {table} t"  # noqa: S608
            )
            row = await cursor.fetchone()
            assert row is not None
            rows, size = rows + int(row["rows"]), size + int(row["size"])
    return rows, size


async def round_trips(services: Services) -> list[int]:
    """Database checkouts before the first words, over a call whose turns look nothing up in the company's systems."""
    call = await services.answer(None, "en")
    await call.begin()
    await ours(call, call.spoken("call me back please"))
    counts = []
    for words in ("what did you say", "hold on please", "thank you", "fifty main street"):
        async with _checkouts(services) as seen:
            turn = call.start(call.spoken(words))
            async for _ in turn.words():
                counts.append(len(seen))
                break
            turn.confirm()
            await turn.reply()
    await call.drop()
    return counts


@asynccontextmanager
async def _checkouts(services: Services) -> AsyncIterator[list[float]]:
    seen: list[float] = []
    real = services.database.pool.getconn

    async def getconn(*given: Any, **named: Any) -> Any:
        seen.append(time.perf_counter())
        return await real(*given, **named)

    services.database.pool.getconn = getconn  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        services.database.pool.getconn = real  # type: ignore[method-assign]


async def memory_per_call(services: Services, calls: int = 200) -> float:
    """Kilobytes of resident memory one more call takes, each in the middle of an address change."""

    async def in_the_middle() -> Conversation:
        call = await services.answer(None, "en")
        await call.begin()
        for words in ("call me back please", "about a broken lamp", "what are your opening hours"):
            await call.hear(words)
        return call

    warm = [await in_the_middle() for _ in range(50)]
    gc.collect()
    before = psutil.Process().memory_info().rss
    held = [await in_the_middle() for _ in range(calls)]
    gc.collect()
    after = psutil.Process().memory_info().rss
    for call in (*warm, *held):
        await call.drop()
    return (after - before) / calls / 1024


# Printing --------------------------------------------------------------------------------------------------------


def p50_p95(values: Sequence[float]) -> str:
    return (
        f"p50 {statistics.median(values):6.1f}   p95 {statistics.quantiles(values, n=20)[-1]:6.1f}"
    )


def show(name: str, took: Sequence[Took]) -> None:
    print(
        f"{name:44} {len(took):5} turns   first words {p50_p95([one.first_words for one in took])}   "
        f"remembered {p50_p95([one.done for one in took])}   ms"
    )


def processor() -> str:
    """A fixed piece of work: tells a slow or shared machine from a quiet one, and two runs' figures apart."""
    best = min(timeit.repeat(lambda: sum(n * n for n in range(1_000_000)), number=1, repeat=7))
    return f"processor: a fixed piece of work takes {best * 1000:.0f} ms"


def main(
    calls: Annotated[int, typer.Option(help="calls at once")] = 100,
    think: Annotated[float, typer.Option(help="seconds a caller takes to answer")] = 6.0,
) -> None:
    """Print everything, in about six minutes."""
    print(processor())
    with (
        tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder,
        embedded_server(Path(folder) / "server") as dsn,
    ):
        asyncio.run(_near(Path(folder), dsn))
        with slow_link(dsn, Path(folder) / "link", 2.0) as far:
            asyncio.run(_far(Path(folder), far, calls, think))
    print(processor())


def _settings(home: Path, dsn: str) -> Settings:
    return Settings(home=home, database_url=SecretStr(dsn), log_level="error", _env_file=None)


@asynccontextmanager
async def _warm_services(home: Path, dsn: str) -> AsyncIterator[Services]:
    """As a process that takes calls all day has them: models loaded, and left alone by the garbage collector."""
    async with open_services(_settings(home, dsn)) as services:
        await services.warm_up()
        gc.collect()
        gc.freeze()
        yield services


async def _near(home: Path, dsn: str) -> None:
    async with _warm_services(home, dsn) as services:
        show("one call after another", await one_after_another(services, ours))
        show("  stock saver", await one_after_another(services, stock(services)))
        print(f"database checkouts before the first words    {await round_trips(services)}")
        took, rows, size = await long_call(services)
        print(f"rows and bytes of a turn                     {rows:.1f} rows, {size:.0f} bytes")
        stock_rows, stock_size = await stock_growth(services)
        print(
            f"  stock saver                                {stock_rows:.1f} rows, {stock_size:.0f} bytes"
        )
        show("turns 5 to 15 of one call", took[5:15])
        show("turns 190 to 200 of the same call", took[190:200])
        print(
            f"memory of one more call                      {await memory_per_call(services):.0f} kB"
        )


async def _far(home: Path, dsn: str, calls: int, think: float) -> None:
    async with _warm_services(home, dsn) as services:
        place = f"{calls} calls at once, database 2 ms away"
        show(place, await at_once(services, ours, calls, think))
        show("  stock saver", await at_once(services, stock(services), calls, think))


if __name__ == "__main__":
    typer.run(main)
