"""Scenarios that disturb nobody run beside each other on one line: a call is mostly listening and waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import pytest

Scenario = Callable[..., Awaitable[None]]
MARK = "together"


class Together:
    """When a line's first scenario has its turn, all of that line begin; each test waits for its own."""

    def __init__(self, at_once: Mapping[str, int]) -> None:
        """
        Args:
            at_once: the fixtures of lines, and how many scenarios each takes beside each other.
        """
        self._places = {line: asyncio.Semaphore(number) for line, number in at_once.items()}
        self._waiting: dict[str, list[Scenario]] = {line: [] for line in at_once}
        self._begun: dict[Scenario, asyncio.Task[None]] = {}

    def arrange(self, items: list[pytest.Item]) -> None:
        """One of each line first, so that all lines are busy soon, and last what belongs to none of them."""
        begun: set[str] = set()

        def place(item: pytest.Item) -> int:
            if item.get_closest_marker(MARK) is None:
                return 2
            line = self._line_of(item)
            later = line in begun
            begun.add(line)
            return int(later)

        items.sort(key=place)

    def add(self, test: pytest.Function) -> None:
        """A coroutine function of one of the lines, and of parameters of its own."""
        line = self._line_of(test)
        given = test.callspec.params if hasattr(test, "callspec") else {}
        scenario = partial(test.obj, **given)
        self._waiting[line].append(scenario)

        async def turn(**fixtures: object) -> None:
            for one in self._waiting.pop(line, ()):
                self._begin(one, line, fixtures[line])
            if scenario not in self._begun:  # it failed, and is played again
                self._begin(scenario, line, fixtures[line])
            await self._begun.pop(scenario)

        test.obj = turn

    async def end(self) -> None:
        """Whatever still goes on when the run is over before its end."""
        for task in self._begun.values():
            task.cancel()
        await asyncio.gather(*self._begun.values(), return_exceptions=True)

    def _line_of(self, test: pytest.Item) -> str:
        assert isinstance(test, pytest.Function)
        return next(line for line in self._places if line in test.fixturenames)

    def _begin(self, scenario: Scenario, name: str, line: object) -> None:
        async def in_a_place() -> None:
            async with self._places[name]:
                await scenario(**{name: line})

        self._begun[scenario] = asyncio.create_task(in_a_place())
