"""The closed vocabulary of what a caller can mean. Nothing else reaches the graph's routes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["en", "es", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "es", "fr")

Mood = Literal[
    "calm",  # nothing to notice
    "upset",  # frustrated, hurried, disappointed
    "angry",  # shouting words, profanity, threats to leave
]

Asks = Literal[
    "identity.account",  # which account: phone, e-mail or order number
    "identity.fact",  # a fact that matches the account
    "identity.code",  # the one-time code sent to the contact on file
    "order.which",  # which of the recent orders
    "account.address",  # a part of the new address
    "account.phone",  # the new phone number
    "account.confirm",  # yes to the read-back of a change
    "callback.topic",  # what the callback is about
    "callback.phone",  # the number to ring
    "callback.time",  # day and time
    "callback.confirm",  # yes to the read-back of a callback
    "escalation.choice",  # a person: now, by callback, or not
    "resume.continue",  # go on where the dropped call stopped?
    "clarify",  # which of two readings was meant, or say it again
    "closing.more",  # anything else?
    "closing.satisfaction",  # one to five
]
#: What was read back is confirmed.
READ_BACK: tuple[Asks, ...] = ("account.confirm", "callback.confirm")

FlowName = Literal["order_status", "update_address", "update_phone", "callback", "talk_to_human"]

Slot = Literal[
    "phone",  # E.164
    "email",  # lower case
    "order",  # upper-case letters and digits, no separators
    "postal_code",  # upper case, as written in its country
    "code",  # one-time code, digits only
    "line1",  # street and house number
    "line2",  # flat, floor, building
    "city",
    "region",  # state, province; its code where the country has codes
    "country",  # ISO 3166 alpha-2
    "name",  # a person's name, as said
    "topic",  # what a callback is about, in the caller's words
    "time",  # ISO 8601 local date and time, or a date, or a part of a day: see spoken.When
    "rating",  # "1" to "5"
    "choice",  # "now" | "callback" | "1", "2", ... (the n-th thing offered)
]

OrderProblem = Literal[
    "not_received",  # it says delivered, the caller does not have it
    "wrong_item",
    "damaged",
]


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OrderStatus(_Command):
    """Where is my order. `order` as heard; `last` when the caller said the last one."""

    command: Literal["order_status"] = "order_status"
    order: str | None = None
    last: bool = False
    problem: OrderProblem | None = None


class UpdateAddress(_Command):
    command: Literal["update_address"] = "update_address"


class UpdatePhone(_Command):
    command: Literal["update_phone"] = "update_phone"


class Callback(_Command):
    command: Literal["callback"] = "callback"
    action: Literal["book", "change", "cancel"] = "book"


class TalkToHuman(_Command):
    command: Literal["talk_to_human"] = "talk_to_human"


class Answer(_Command):
    """A value for a slot, already normalised (see Slot)."""

    command: Literal["answer"] = "answer"
    slot: Slot
    value: str


class Affirm(_Command):
    command: Literal["affirm"] = "affirm"


class Deny(_Command):
    command: Literal["deny"] = "deny"


class Correct(_Command):
    """No, not that: with the slot and its new value when they were said, else only that something is wrong."""

    command: Literal["correct"] = "correct"
    slot: Slot | None = None
    value: str | None = None


class Cancel(_Command):
    """Drop the thing we are doing (not the order: that is a question about cancelling)."""

    command: Literal["cancel"] = "cancel"


class AskFaq(_Command):
    """A question for the knowledge base, in the caller's words."""

    command: Literal["ask_faq"] = "ask_faq"
    question: str


class Repeat(_Command):
    command: Literal["repeat"] = "repeat"


class Slower(_Command):
    command: Literal["slower"] = "slower"


class HoldOn(_Command):
    command: Literal["hold_on"] = "hold_on"


class SwitchLanguage(_Command):
    command: Literal["switch_language"] = "switch_language"
    language: Literal["en", "es", "fr"]


class Greet(_Command):
    command: Literal["greet"] = "greet"


class Thank(_Command):
    command: Literal["thank"] = "thank"


class Goodbye(_Command):
    command: Literal["goodbye"] = "goodbye"


class Complain(_Command):
    command: Literal["complain"] = "complain"


class OutOfScope(_Command):
    """Understood, and not something this line does."""

    command: Literal["out_of_scope"] = "out_of_scope"


class Unclear(_Command):
    """Not understood. Empty speech, noise and another script end here."""

    command: Literal["unclear"] = "unclear"


Command = Annotated[
    OrderStatus
    | UpdateAddress
    | UpdatePhone
    | Callback
    | TalkToHuman
    | Answer
    | Affirm
    | Deny
    | Correct
    | Cancel
    | AskFaq
    | Repeat
    | Slower
    | HoldOn
    | SwitchLanguage
    | Greet
    | Thank
    | Goodbye
    | Complain
    | OutOfScope
    | Unclear,
    Field(discriminator="command"),
]

#: Those that have nothing to say but their name.
PLAIN: dict[str, Command] = {
    "update_address": UpdateAddress(),
    "update_phone": UpdatePhone(),
    "talk_to_human": TalkToHuman(),
    "affirm": Affirm(),
    "deny": Deny(),
    "correct": Correct(),
    "cancel": Cancel(),
    "repeat": Repeat(),
    "slower": Slower(),
    "hold_on": HoldOn(),
    "greet": Greet(),
    "thank": Thank(),
    "goodbye": Goodbye(),
    "complain": Complain(),
    "out_of_scope": OutOfScope(),
    "unclear": Unclear(),
}


class Understanding(BaseModel):
    """One utterance, read. Commands stand in the order they were said; at least one."""

    model_config = ConfigDict(frozen=True)

    language: Literal["en", "es", "fr"]
    commands: tuple[Command, ...]
    confidence: float = Field(ge=0, le=1)
    mood: Mood = "calm"
    by: Literal["local", "model"] = "local"
    language_sure: bool = False  # a whole sentence that can only be this language


class EarlierWords(BaseModel):
    """What the caller said in an earlier turn, and the question it answered."""

    model_config = ConfigDict(frozen=True)

    words: str
    asks: Asks | None = None


class Pending(BaseModel):
    """What the line is waiting for while it listens: all that understanding may know about the call."""

    model_config = ConfigDict(frozen=True)

    asks: Asks | None = None
    slot: Slot | None = None  # the single slot the question names, when it names one
    language: Literal["en", "es", "fr"] = "en"
    country: str = "US"  # ISO 3166 alpha-2, for phone numbers and addresses said without a country
    now: str | None = None  # ISO 8601 with offset, the caller's local time, for "tomorrow at three"
    offered: tuple[str, ...] = ()  # what was just read out to choose from, first to last
    recent: tuple[EarlierWords, ...] = ()  # the last turns, but those about identity and changes
    keyed: bool = False  # keypad digits, not words
