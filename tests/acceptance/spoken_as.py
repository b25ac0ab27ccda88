"""What the line asked its voice to say: words, language, voice, as the stand-in for Cartesia has it."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
from pydantic import BaseModel, ConfigDict

from graph.state import Lang
from tests.acceptance.vendors import Vendors


class Asked(BaseModel):
    """One sentence, or a part of one."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    transcript: str
    language: Lang
    voice: str
    context: str


@dataclass(frozen=True)
class Voiced:
    """An answer in one language with one voice."""

    language: Lang
    voice: str


async def asked(vendors: Vendors) -> list[Asked]:
    """Everything so far, in order."""
    async with httpx.AsyncClient(trust_env=False) as http:
        report = (await http.get(f"{vendors.cartesia}/control")).json()
    return [Asked.model_validate(one) for one in report["requests"]]


async def voices(vendors: Vendors, said: list[str]) -> set[Voiced]:
    """In which languages and voices the sentences of these answers were asked for."""
    heard = " ".join(" ".join(said).split())
    sentences = [one for one in await asked(vendors) if one.transcript]
    return {
        Voiced(one.language, one.voice)
        for one in sentences
        if " ".join(one.transcript.split()) in heard
    }


async def answers(vendors: Vendors) -> list[str]:
    """The sentences that were asked for in one go, joined, in order."""
    contexts: dict[str, str] = {}
    for one in await asked(vendors):
        contexts[one.context] = f"{contexts.get(one.context, '')} {one.transcript}".strip()
    return list(contexts.values())


async def whole_answer(vendors: Vendors, beginning: str) -> str:
    """All of an answer of which the caller may have heard the beginning only; the latest one that begins so."""
    start = " ".join(beginning.split())
    fitting = (one for one in await answers(vendors) if " ".join(one.split()).startswith(start))
    return [*fitting][-1]
