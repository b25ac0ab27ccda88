"""Milliseconds from utterance to reply: one call, then 100 at once in one process, on an embedded Postgres.

The same scripted calls run in all three languages: an order's status, a question, an address change with its code.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from conversation import Conversation
from services import Services, open_services
from settings import Settings

SCRIPTS: dict[str, tuple[str, ...]] = {
    "en": (
        "hi how long do i have to send something back",
        "where is my order",
        "{postal}",
        "the first one",
        "i moved and need to change my address",
        "{code}",
        "fifty main street",
        "portland",
        "oregon",
        "nine seven two oh five",
        "yes that's right",
        "no that's all",
        "five",
    ),
    "es": (
        "hola cuánto tiempo tengo para devolver algo",
        "dónde está mi pedido",
        "{postal}",
        "el primero",
        "quiero cambiar mi dirección",
        "{code}",
        "calle mayor doce",
        "madrid",
        "veintiocho cero trece",
        "sí eso es",
        "no nada más",
        "cinco",
    ),
    "fr": (
        "bonjour j'ai combien de temps pour renvoyer un article",
        "où est ma commande",
        "{postal}",
        "la première",
        "je voudrais changer mon adresse",
        "{code}",
        "douze rue de la paix",
        "paris",
        "soixante-quinze zéro zéro deux",
        "oui c'est ça",
        "non c'est tout",
        "cinq",
    ),
}


def main(
    calls: Annotated[int, typer.Option(help="calls at once")] = 100,
    think: Annotated[float, typer.Option(help="seconds a caller takes to answer")] = 6.0,
) -> None:
    """Print p50 and p95 for one call and for many at once."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as home:
        asyncio.run(_measured(Path(home), calls, think))


async def _measured(home: Path, calls: int, think: float) -> None:
    async with open_services(Settings(home=home, _env_file=None)) as services:
        callers = await services.company.callers()
        await _call(services, callers[0], 0.0)  # warm
        one = [ms for caller in callers[:6] for ms in await _call(services, caller, 0.0)]
        _print("one call after another", one)
        started = time.perf_counter()
        crowd = await asyncio.gather(
            *(
                _call(services, callers[index % len(callers)], think, delay=think * index / calls)
                for index in range(calls)
            )
        )
        _print(f"{calls} calls at once", [ms for turns in crowd for ms in turns])
        print(f"{'':24} {time.perf_counter() - started:8.1f} s in all, {think:g} s between turns")


async def _call(
    services: Services, caller: tuple[str, str, str], think: float, delay: float = 0.0
) -> list[float]:
    """One scripted call; the milliseconds of each of its turns."""
    phone, language, postal = caller
    await asyncio.sleep(delay)
    call = await services.answer(phone, None)
    took = [(await call.begin()).ms]
    code = ""
    for words in SCRIPTS[language]:
        if call.over:
            break
        code = await _code(services, call) or code
        await asyncio.sleep(think)
        reply = await call.hear(words.format(postal=postal, code=code))
        took.append(reply.ms)
    await call.hang_up()
    return took


async def _code(services: Services, call: Conversation) -> str | None:
    for notice in await services.sent_notices(call):
        found = re.search(r"\b\d{6}\b", notice.body)
        if found:
            return found.group()
    return None


def _print(name: str, took: Sequence[float]) -> None:
    cuts = statistics.quantiles(took, n=20)
    print(
        f"{name:24} {len(took):5} turns   p50 {statistics.median(took):6.1f} ms   p95 {cuts[-1]:6.1f} ms"
    )


if __name__ == "__main__":
    typer.run(main)
