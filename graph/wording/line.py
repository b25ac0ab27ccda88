"""A sentence before it has words: a message id and typed facts. Language and mood come later, in speak.py."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.records import Address, OrderItem


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(_Fact):
    """Said as it stands: a name, a topic, an answer from the knowledge base."""

    kind: Literal["text"] = "text"
    value: str


class Number(_Fact):
    kind: Literal["number"] = "number"
    value: int


class Code(_Fact):
    """Letters and digits one by one: order and tracking numbers, postal codes."""

    kind: Literal["code"] = "code"
    value: str


class Phone(_Fact):
    """E.164, said in the groups of its country."""

    kind: Literal["phone"] = "phone"
    value: str


class Money(_Fact):
    kind: Literal["money"] = "money"
    cents: int
    currency: str


class Day(_Fact):
    """A date, said relative to `today` where people would ("tomorrow", "Tuesday")."""

    kind: Literal["day"] = "day"
    value: date
    today: date


class Moment(_Fact):
    """Day and time of day in the caller's zone."""

    kind: Literal["moment"] = "moment"
    value: datetime
    today: date


class Place(_Fact):
    """A postal address; the house number and postal code digit by digit where people say it so."""

    kind: Literal["place"] = "place"
    value: Address


class Items(_Fact):
    """What an order holds: "two oak stools and a lamp" (names are said as they stand)."""

    kind: Literal["items"] = "items"
    value: tuple[OrderItem, ...]


class Listing(_Fact):
    """Several lines joined as a spoken list ("a, b, or c")."""

    kind: Literal["listing"] = "listing"
    value: tuple[Line, ...]
    joined_by: Literal["and", "or"] = "or"


Fact = Annotated[
    Text | Number | Code | Phone | Money | Day | Moment | Place | Items | Listing,
    Field(discriminator="kind"),
]


class Line(_Fact):
    """One message of the Fluent files with its facts."""

    id: str
    facts: dict[str, Fact] = Field(default_factory=dict)
    source: str | None = None  #: topic of the knowledge passage an answer came from


Listing.model_rebuild()


def line(id_: str, *, source: str | None = None, **facts: Fact) -> Line:
    """A line; facts by the variable names of its message."""
    return Line(id=id_, facts=facts, source=source)


def any_of(lines: Iterable[Line]) -> Listing:
    return Listing(value=tuple(lines), joined_by="or")


def all_of(lines: Iterable[Line]) -> Listing:
    return Listing(value=tuple(lines), joined_by="and")
