"""What one call remembers between turns. Everything personal sits inside `case`, which is encrypted.

Top-level scalars are readable in the database, so they hold closed words and numbers only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from graph.understanding.commands import Asks, Command, FlowName, Mood, Slot
from graph.understanding.spoken.addresses import AddressParts
from graph.wording.line import Line
from tools.effects import EffectKey, EffectName
from tools.records import Address, Level

Lang = Literal["en", "es", "fr"]
Outcome = Literal["solved", "escalated", "abandoned"]
HandOffReason = Literal[
    "asked",  # the caller wanted a person
    "repair",  # we did not understand each other
    "identity_locked",  # too many wrong details
    "order_problem",  # lost, or delivered and not received
    "backend_down",  # the company's systems did not answer, or refused
    "unknown",  # a question the knowledge base has no answer to
]
HISTORY_KEPT = 12  # exchanges; older ones are in earlier checkpoints


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CallerTurn(Value):
    """What reached the line: filled by whoever runs the turn, never by a node."""

    kind: Literal[
        "begin",
        "resume",
        "words",
        "keys",
        "silence",
        "back",  # the caller's network was away for a moment: what was said then may be lost
        "not_put_through",  # no colleague took the call; the caller is still on the line
    ] = "words"
    words: str = Field(default="", validation_alias=AliasChoices("words", "say"))
    heard: str | None = None  #: the part of our last line that reached the ear; None: all of it
    language: Lang | None = None  #: begin: the language the call was set up with
    stayed: bool = False  #: resume: the caller never left the line, whose other end died


class Exchange(Value):
    """One turn as it was: the caller's words and what they heard back."""

    turn: int
    words: str
    said: str
    asks: Asks | None = None


class Question(Value):
    """The question that is open. A question the caller did not hear to its end was not asked."""

    asks: Asks
    slot: Slot | None = None  #: the single part asked for, where there is one
    line: Line
    rung: int = 0  #: repair ladder: 0 first asked, 1 other words, 2 spell or keypad, 3 a person
    turn: int = 0  #: turn it was last put in
    offered: tuple[str, ...] = ()  #: what was read out to choose from, first to last
    heard: bool = True


class Identity(Value):
    """How far the caller is identified. Filled by code only."""

    level: Level = Level.ANONYMOUS
    customer_id: str | None = None
    proven_at: datetime | None = None
    candidates: tuple[str, ...] = ()  #: customer ids the given account details point to
    account_slot: Literal["caller_id", "phone", "email", "order"] | None = None
    order: str | None = None  #: order number the caller gave to be found by
    failed: bool = False  #: the last facts did not match
    lapsed: bool = False  #: it ran out, and the caller was not told yet
    code_channel: Literal["sms", "email"] | None = None  #: where the open one-time code went
    code_to: str | None = None  #: masked
    codes_sent: int = 0


class _FlowBase(Value):
    begun: bool = False  #: the caller was asked something for it, or told something


class OrderFlow(_FlowBase):
    name: Literal["order_status"] = "order_status"
    order: str | None = None  #: as heard, normalised
    last: bool = False
    problem: Literal["not_received", "wrong_item", "damaged"] | None = None
    offered: tuple[str, ...] = ()  #: order ids read out to choose from


class AddressFlow(_FlowBase):
    name: Literal["update_address"] = "update_address"
    parts: AddressParts = AddressParts()
    disputed: bool = False  #: the read-back was refused; cleared by the next part given


class PhoneFlow(_FlowBase):
    name: Literal["update_phone"] = "update_phone"
    phone: str | None = None  #: E.164
    heard: str | None = None  #: digits that are not a whole number yet


class HumanFlow(_FlowBase):
    name: Literal["talk_to_human"] = "talk_to_human"
    reason: HandOffReason = "asked"
    offered: bool = False  #: offered by us, not asked for
    callback_offered: bool = False  #: nobody was free: a callback was offered instead
    detail: str | None = (
        None  #: for staff, never spoken: what the case is about, such as an order id
    )


class CallbackFlow(_FlowBase):
    name: Literal["callback"] = "callback"
    action: Literal["book", "change", "cancel"] = "book"
    topic: str | None = None
    phone: str | None = None
    heard: str | None = None  #: digits of it that are not a whole number yet
    time: str | None = None  #: the wish as normalised by understanding
    at: datetime | None = None  #: a free time that fits
    callback_id: UUID | None = None
    own_number_refused: bool = False
    offered: tuple[datetime, ...] = ()
    instead_of: HumanFlow | None = None  #: stands in for a person who was not free
    disputed: bool = False


Flow = Annotated[
    OrderFlow | AddressFlow | PhoneFlow | CallbackFlow | HumanFlow, Field(discriminator="name")
]


class AddressChange(Value):
    effect: Literal["update_address"] = "update_address"
    customer_id: str
    address: Address


class PhoneChange(Value):
    effect: Literal["update_phone"] = "update_phone"
    customer_id: str
    phone: str


class HandOver(Value):
    effect: Literal["hand_over"] = "hand_over"
    way: Literal["transfer", "queue"]
    reason: HandOffReason
    detail: str | None = None


class CallbackRequest(Value):
    effect: Literal["book_callback", "change_callback", "cancel_callback"]
    topic: str = ""
    phone: str
    at: datetime
    country: str
    callback_id: UUID | None = None
    hands_over: HandOver | None = None  #: queued with it, when it stands in for a person


Change = Annotated[
    AddressChange | PhoneChange | CallbackRequest | HandOver, Field(discriminator="effect")
]


class Proposal(Value):
    """A write that waits for its yes. The key is minted here and never again for this proposal."""

    key: EffectKey
    change: Change
    read_back: Line | None = (
        None  #: None: the caller's own request is the consent (a person was asked for)
    )
    confirmed: bool = False


class Done(Value):
    key: EffectKey
    effect: EffectName
    turn: int


class LanguageEvidence(Value):
    """Turns in a row that sounded like another language."""

    language: Lang | None = None
    turns: int = 0


class Case(Value):
    """One caller's matter: all that is personal, and all that a resumed call needs."""

    turn_commands: tuple[Command, ...] = ()  #: understood this turn, not yet served
    understood: tuple[Command, ...] = ()  #: everything understood this turn
    confidence: float = 1.0
    read_by: Literal["local", "model"] = "local"  #: who understood the last words
    lines: tuple[Line, ...] = ()  #: to be said this turn, before the question
    question: Question | None = None
    identity: Identity = Identity()
    facts: dict[Slot, str] = Field(default_factory=dict)  #: given for identity, not yet judged
    stack: tuple[Flow, ...] = ()  #: the flow being served is last
    proposal: Proposal | None = None
    unsettled: tuple[
        Proposal, ...
    ] = ()  #: tried, and nobody knows how it ended: proposed again under its key
    done: tuple[Done, ...] = ()
    done_now: tuple[EffectName, ...] = ()
    answered: tuple[str, ...] = ()  #: knowledge topics and flows that were served
    asked: tuple[str, ...] = ()  #: everything the caller wanted, in order
    history: tuple[Exchange, ...] = ()
    mood: Mood = "calm"
    slow: bool = False
    silences: int = 0
    misunderstood: int = 0  #: turns in a row nothing was understood outside a question
    evidence: LanguageEvidence = LanguageEvidence()
    resumed: bool = False  #: this leg continues a dropped call
    digressed: bool = (
        False  #: something else was served since the open flow was last at its question
    )
    waiting: bool = False  #: the caller asked for a moment: say no question this turn
    spoken: tuple[Line, ...] = ()  #: what the last turn said, for "what did you say"
    complaints: int = 0
    last_order: str | None = None  #: the order last told about
    handed_over: bool = False
    transfer: HandOver | None = None  #: the caller is on the way to a colleague, with this
    satisfaction: int | None = None
    rating_asked: bool = False
    country: str = "US"
    zone: str = "UTC"


class CallState(TypedDict, total=False):
    """The LangGraph state. `caller` is the input of a turn; the rest is written by nodes."""

    caller: CallerTurn
    case: Case
    turn: int
    language: Lang
    asks: Asks | None
    flow: FlowName | None
    verified: int
    node: str
    ended: bool
    outcome: Outcome | None
    said: Said


class Said(Value):
    """What the turn answered: the whole reply, for whoever runs the turn."""

    text: str
    did: tuple[EffectName, ...] = ()
    sources: tuple[str, ...] = ()  #: knowledge topics the answer came from


class TurnInput(TypedDict, total=False):
    """What Studio and the runner send in."""

    caller: CallerTurn
