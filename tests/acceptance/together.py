"""Scenarios that disturb nobody run beside each other on one line: a call is mostly listening and waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from tests.acceptance.line import Line

Scenario = Callable[[Line], Awaitable[None]]


class Together:
    """When the first one's turn comes, all begin, so many at once; each test waits for its own scenario."""

    def __init__(self, at_once: int) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._scenarios: list[Scenario] = []
        self._begun: dict[Scenario, asyncio.Task[None]] = {}

    def add(self, test: pytest.Function) -> None:
        """A coroutine function of the shared line, and of parameters of its own."""
        given = test.callspec.params if hasattr(test, "callspec") else {}
        scenario = partial(test.obj, **given)
        self._scenarios.append(scenario)

        async def turn(line: Line, **_: object) -> None:
            if not self._begun:
                self._begun = {
                    one: asyncio.create_task(self._in_a_place(one, line)) for one in self._scenarios
                }
            await self._begun[scenario]

        test.obj = turn

    async def end(self) -> None:
        """Whatever still goes on when the run is over before its end."""
        for task in self._begun.values():
            task.cancel()
        await asyncio.gather(*self._begun.values(), return_exceptions=True)

    async def _in_a_place(self, scenario: Scenario, line: Line) -> None:
        async with self._places:
            await scenario(line)
