"""Which of several providers is asked next: in their order; one that failed is set aside for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Generic, TypeVar

#: Seconds a provider that failed is set aside, doubled with each failure in a row.
ASIDE_SECONDS = 10.0
LONGEST_ASIDE_SECONDS = 120.0

Provider = TypeVar("Provider")


class Standing(Generic[Provider]):
    def __init__(self, providers: Sequence[Provider]) -> None:
        self._providers = tuple(providers)
        self._failures = dict.fromkeys(range(len(self._providers)), 0)
        self._back_at = dict.fromkeys(range(len(self._providers)), 0.0)

    def order(self) -> list[Provider]:
        """All of them: those in good standing as configured, then those set aside, the soonest back first."""
        now = asyncio.get_running_loop().time()
        places = sorted(
            self._back_at, key=lambda place: (max(self._back_at[place] - now, 0.0), place)
        )
        return [self._providers[place] for place in places]

    def failed(self, provider: Provider) -> None:
        place = self._providers.index(provider)
        aside = min(ASIDE_SECONDS * 2 ** self._failures[place], LONGEST_ASIDE_SECONDS)
        self._failures[place] += 1
        self._back_at[place] = asyncio.get_running_loop().time() + aside

    def worked(self, provider: Provider) -> None:
        place = self._providers.index(provider)
        self._failures[place] = 0
        self._back_at[place] = 0.0
