"""The stand-in for a vendor of language models in a process of its own, and the switches a test has."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.acceptance.service import Service
from voice.loopback.faults import Fault

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "tests.fakes.model_server")


@dataclass
class Models:
    """One model, running."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        """The setting that leads a worker to it."""
        return {"HOLDFAST_MODELS": json.dumps([{"base_url": self.url, "model": "loopback"}])}

    async def learns(self, utterance: str, *means: dict[str, object]) -> None:
        """What it answers from now on: what is not known is unclear."""
        await self._control(means={utterance: list(means)})

    async def answers_after(self, ms: float) -> None:
        await self._control(latency_ms=ms)

    async def fails(self, how: Fault) -> None:
        """From now on, until it recovers."""
        await self._control(fault=how)

    async def recovers(self) -> None:
        await self._control(clear=True)

    async def asked(self) -> list[str]:
        """The utterances it was to read, in order."""
        async with httpx.AsyncClient(trust_env=False) as http:
            told = (await http.get(self._switches)).json()
        return [str(one["utterance"]) for one in told["requests"]]

    async def _control(self, **order: object) -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(self._switches, json=order)
        assert answer.is_success, answer.text

    @property
    def _switches(self) -> str:
        return self.url.replace("/v1", "/control")


@asynccontextmanager
async def loopback_models(folder: Path) -> AsyncIterator[Models]:
    """On a free port, until the block ends."""
    service = await Service.start(COMMAND, folder / "models.log", {"PYTHONPATH": str(ROOT)})
    try:
        yield Models(json.loads(await service.says(r"(?m)^\{.*\}$"))["model"])
    finally:
        await service.end()
