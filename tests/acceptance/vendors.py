"""The stand-ins for Deepgram and Cartesia in a process of their own, and the switches a test has."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import httpx

from tests.acceptance.service import Service
from voice.loopback.faults import Fault

Vendor = Literal["deepgram", "cartesia"]
COMMAND = (sys.executable, "-m", "voice.loopback", "--digits")
LEARNS_WITHIN = 60.0  # seconds


@dataclass
class Vendors:
    """Both, running."""

    deepgram: str  #: base URLs, as the plugins take them
    cartesia: str
    _known: set[tuple[str, str]] = field(default_factory=set)

    @property
    def environment(self) -> dict[str, str]:
        """The settings that lead a worker to them."""
        hears = {"provider": "deepgram", "base_url": self.deepgram}
        speaks = {"provider": "cartesia", "base_url": self.cartesia}
        return {
            "HOLDFAST_VOICE__STT": json.dumps([hears]),
            "HOLDFAST_VOICE__TTS": json.dumps([speaks]),
            "DEEPGRAM_API_KEY": "loopback",
            "CARTESIA_API_KEY": "loopback",
        }

    @property
    def sentences(self) -> set[str]:
        """What somebody may have said so far."""
        return {text for text, _ in self._known}

    async def learn(self, text: str, language: str) -> None:
        """A sentence somebody may say from now on: what is not known is not recognised."""
        if (text, language) not in self._known:
            await self._control("deepgram", sentences=[{"text": text, "language": language}])
            self._known.add((text, language))

    async def fails(
        self, vendor: Vendor, how: Fault, seconds: float | None = None, *, of: int
    ) -> None:
        """From now on, until it recovers, for the call of one process; nobody else notices."""
        await self._control(vendor, fault=how, seconds=seconds, of=of)

    async def drops(self, vendor: Vendor, *, of: int) -> None:
        """Every connection of that process, in the middle of whatever it does."""
        await self._control(vendor, drop=True, of=of)

    async def recovers(self, vendor: Vendor, *, of: int) -> None:
        await self._control(vendor, clear=True, of=of)

    async def answers_after(self, *, deepgram_ms: float = 0.0, cartesia_ms: float = 0.0) -> None:
        await self._control("deepgram", latency_ms=deepgram_ms)
        await self._control("cartesia", latency_ms=cartesia_ms)

    async def recover(self) -> None:
        """Both, and as fast as they can."""
        await self._control("deepgram", clear=True)
        await self._control("cartesia", clear=True)
        await self.answers_after()

    async def _control(self, vendor: Vendor, **order: object) -> None:
        base = self.deepgram.partition("/v1/")[0] if vendor == "deepgram" else self.cartesia
        async with httpx.AsyncClient(trust_env=False, timeout=LEARNS_WITHIN) as http:
            answer = await http.post(f"{base}/control", json=order)
        assert answer.is_success, answer.text


@asynccontextmanager
async def loopback_vendors(folder: Path) -> AsyncIterator[Vendors]:
    """On free ports, until the block ends."""
    service = await Service.start(COMMAND, folder / "vendors.log", {})
    try:
        where = json.loads(await service.says(r"(?m)^\{.*\}$"))
        yield Vendors(where["deepgram"], where["cartesia"])
    finally:
        await service.end()
