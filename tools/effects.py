"""A write happens once: the key it happens under, and the log that remembers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, Literal, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

R = TypeVar("R", bound=BaseModel)

EffectName = Literal[
    "update_address",
    "update_phone",
    "book_callback",
    "change_callback",
    "cancel_callback",
    "hand_over",
    "send_code",
]


class EffectKey(BaseModel):
    """Minted at the proposal, kept in the call's state. The same proposal always has the same key."""

    model_config = ConfigDict(frozen=True)

    call_id: UUID
    turn: int
    effect: EffectName
    seq: int = 0

    def __str__(self) -> str:
        """As it travels in an Idempotency-Key header."""
        return f"{self.call_id}/{self.turn}/{self.effect}/{self.seq}"


class EffectOutcome(BaseModel, Generic[R]):
    model_config = ConfigDict(frozen=True)

    result: R
    repeated: bool  #: True when the log already had it: nothing was done now


class EffectLog(Protocol):
    """Runs a write once per key. Key and effect commit together when both are in our own Postgres."""

    async def run_once(
        self,
        key: EffectKey,
        arguments: BaseModel,
        perform: Callable[[], Awaitable[R]],
        result_type: type[R],
    ) -> EffectOutcome[R]:
        """Perform and record, or return what was recorded.

        Calls into tools.ports made by `perform` join the log's transaction. An exception from `perform`
        undoes everything and leaves no record.

        Raises:
            EffectConflict: the key was used with other arguments.
        """

    async def is_done(self, key: EffectKey) -> bool:
        """Was this write performed? For a call that dropped before anybody heard of it."""


class EffectConflict(Exception):
    """This key was already used for something else; nothing was done."""
