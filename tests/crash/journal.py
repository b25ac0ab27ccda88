"""What one process of a run saw: every reply that reached the caller, and where the call stood then.

Written to a file that outlives the process, because the process is about to be killed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict

from graph.state import AddressFlow, CallbackFlow, Case, Flow, PhoneFlow


class Standing(BaseModel):
    """Where a call stands between two turns."""

    model_config = ConfigDict(frozen=True)

    turn: int = 0
    asks: str | None = None
    slot: str | None = None
    flow: str | None = None
    filled: frozenset[str] = frozenset()  #: what was given for open flows, as asks or asks/slot
    done: tuple[str, ...] = ()  #: keys of the effects it knows


def standing_of(state: Mapping[str, Any]) -> Standing:
    """Where a call stands, by its LangGraph state."""
    case = state.get("case") or Case()
    assert isinstance(case, Case)
    return Standing(
        turn=state.get("turn", 0),
        asks=state.get("asks"),
        slot=case.question.slot if case.question and state.get("asks") else None,
        flow=state.get("flow"),
        filled=_filled(case),
        done=tuple(str(done.key) for done in case.done),
    )


def _filled(case: Case) -> frozenset[str]:
    return frozenset(slot for flow in case.stack for slot in _filled_in(flow))


def _filled_in(flow: Flow) -> frozenset[str]:
    if isinstance(flow, AddressFlow):
        parts = {slot for slot, value in flow.parts.model_dump().items() if value} - {"country"}
        return frozenset({"account.address"} if parts else ()) | {
            f"account.address/{slot}" for slot in parts
        }
    if isinstance(flow, PhoneFlow):
        return frozenset({"account.phone"} if flow.phone else ())
    if isinstance(flow, CallbackFlow):
        given = {"topic": flow.topic, "phone": flow.phone, "time": flow.at or flow.time}
        return frozenset(f"callback.{slot}" for slot, value in given.items() if value)
    return frozenset()


class Entry(BaseModel):
    """One thing that happened, as the caller's side of the line saw it."""

    model_config = ConfigDict(frozen=True)

    kind: Literal[
        "rang",  # the phone was picked up: `standing` is what the call remembered
        "heard",  # a reply reached the caller
        "broke",  # the line failed with an error
        "cut_off",  # the turn was cancelled under the caller
        "lost",  # another worker has the call
        "struck",  # the fault happens now, at `boundary`
        "finished",  # nothing is left to be done on this line
    ]
    call_id: str | None = None
    legs: int = 0
    standing: Standing = Standing()
    lines: tuple[str, ...] = ()  #: ids of the messages said
    did: tuple[str, ...] = ()
    ended: bool = False
    told: bool = False  #: the caller knows that it is done
    code: str = ""  #: the last one-time code that reached the caller
    error: str | None = None
    boundary: str | None = None

    @property
    def question(self) -> str:
        """What is asked, with its slot where it has one."""
        asks, slot = self.standing.asks, self.standing.slot
        return f"{asks}/{slot}" if asks == "account.address" and slot else str(asks)


class Journal:
    """Entries, one JSON line each, in an open file that parent and child share."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, entry: Entry) -> None:
        os.write(self._file.fileno(), entry.model_dump_json().encode() + b"\n")

    def read(self) -> tuple[Entry, ...]:
        size = os.fstat(self._file.fileno()).st_size
        text = os.pread(self._file.fileno(), size, 0).decode()
        return tuple(Entry.model_validate_json(one) for one in text.splitlines())
