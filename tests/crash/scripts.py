"""The scripted callers: what each wants, and what they answer to whatever the line asks (scripts.yaml)."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from graph.state import Lang

FILE = Path(__file__).parent / "scripts.yaml"
#: Lines that tell a caller that what they wanted is done, besides the reply's own `did`.
TELLS_DONE = frozenset(
    {
        "done-meanwhile",
        "done-after-all",
        "already-done",
        "done-transfer",  # a resumed call puts the caller through again, who may not have heard it
        "address-same",
        "phone-same",
    }
)

#: Questions on the way to more of it, which a caller who knows that it is done turns down.
MORE = ("identity.", "account.", "callback.", "escalation.")


class Ends(BaseModel):
    """What a call changes in the company."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: str = "solved"  #: of the call
    notice: str | None = None
    customers: dict[str, dict[str, str]] = {}
    callbacks: tuple[dict[str, str], ...] = ()
    handovers: tuple[str, ...] = ()


class Script(BaseModel):
    """One caller."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    language: Lang
    number: str
    staff: bool = False
    wish: str
    done: str  #: the effect that serves them
    answers: dict[str, str]
    ends: Ends


def all_scripts() -> tuple[Script, ...]:
    """Every caller of every language."""
    raw = yaml.safe_load(FILE.read_text("utf-8"))
    return tuple(
        Script(name=f"{name}_{language}", language=language, number=call.pop("from"), **call)
        for language, spoken in raw.items()
        for name, call in spoken["calls"].items()
    )


class Caller(BaseModel):
    """What the caller knows; it outlives the process that answered them."""

    told: bool = False  #: the line said that it is done
    code: str = ""  #: the last one-time code that reached them

    def hears(self, script: Script, did: tuple[str, ...], lines: tuple[str, ...]) -> None:
        """Take in what a reply says."""
        self.told = self.told or script.done in did or not TELLS_DONE.isdisjoint(lines)

    def says(self, script: Script, asks: str | None, slot: str | None) -> str:
        """The answer to the open question: the wish until it is served, then that this was all."""
        answers = script.answers
        if asks is None or asks in ("closing.more", "clarify"):
            return answers["closing.more"] if self.told else script.wish
        if self.told and asks.startswith(MORE):
            return answers["closing.more"]
        if asks == "identity.code" and not self.code:
            return answers["identity.code/none"]
        said = answers.get(f"{asks}/{slot}") or answers.get(asks, script.wish)
        return said.replace("{code}", self.code)
