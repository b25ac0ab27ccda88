"""What a language model may answer about an utterance, and what of it becomes commands.

The model says what is meant and which of the caller's words say it. Values are read from those words by the readers the
local understanding has: nothing the model writes is ever taken as a value.
"""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict

from graph.understanding import commands as c
from graph.understanding import spoken
from graph.understanding.expected import (
    ADDRESS_PARTS,
    address_answers,
    house_number,
    phone_answer,
    time_answer,
)
from graph.understanding.heard import Heard, asked, heard, is_question
from graph.understanding.lexicon import lexicon, plain

#: Slots a model may name. A one-time code is none of them: digits said at that question are never sent.
ModelSlot = Literal[
    "phone", "email", "order", "postal_code", "line1", "line2", "city", "region", "country", "topic", "time", "rating",
]  # fmt: skip
Pick = Literal["1", "2", "3", "4", "5", "now", "callback", "email", "sms", "resend"]

CONFIDENCE = 0.9  # of a model's reading; its own word for it is worth nothing
MOST = 6  # things meant in one utterance; more is babble
LONGEST_TOPIC = 200
SHORTEST_ORDER = 4
LONGEST_YES = 12  # words; more of them tell something else as well
#: What is chosen by name, by the question it answers.
NAMED_PICKS: dict[c.Asks, tuple[str, ...]] = {
    "escalation.choice": ("now", "callback"),
    "identity.code": ("email", "sms", "resend"),
}
#: Words that take something back, hold it open or ask, in any of the languages: with one of them a yes is no plain one.
HEDGES = re.compile(
    r"\w+n't\b|\b(?:not|cannot|cant|dont|isnt|wasnt|never|neither|nor|hardly|but|except|only|instead|unless|if|maybe|"
    r"perhaps|almost|change|different|other|what|which|who|when|where|why|how|(?:is|was) (?:that|it|this)|did|no|"
    r"nunca|jamas|tampoco|ni|pero|salvo|excepto|sino|quizas?|tal vez|casi|cambi\w+|otr[oa]s?|cual|cuando|donde|quien|"
    r"ne|pas|jamais|rien|mais|sauf|sinon|peut-etre|presque|plutot|chang\w+|autres?|quel\w*|quand|pourquoi|est-ce)\b|"
    r"\bn'"
)
DENIALS = ("no", "contrast", "wavering", "doubt", "not_no")
PARTS: tuple[str, ...] = (*ADDRESS_PARTS[:-1], "phone", "time", "topic")


class _Meant(BaseModel):
    """One thing the caller means. `words` are copied from the utterance."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MeansPlainly(_Meant):
    command: Literal[
        "update_address", "update_phone", "talk_to_human", "affirm", "deny", "cancel", "repeat", "slower", "hold_on",
        "greet", "thank", "goodbye", "complain", "out_of_scope", "unclear",
    ]  # fmt: skip


class MeansOrder(_Meant):
    command: Literal["order_status"]
    words: str | None = None
    last: bool | None = None
    problem: c.OrderProblem | None = None


class MeansValue(_Meant):
    command: Literal["answer"]
    slot: ModelSlot
    words: str


class MeansCorrection(_Meant):
    command: Literal["correct"]
    slot: ModelSlot | None = None
    words: str | None = None


class MeansChoice(_Meant):
    command: Literal["choose"]
    pick: Pick


class MeansCallback(_Meant):
    command: Literal["callback"]
    action: Literal["book", "change", "cancel"]


class MeansQuestion(_Meant):
    command: Literal["ask_faq"]
    words: str | None = None


class MeansLanguage(_Meant):
    command: Literal["switch_language"]
    language: c.Language


Meant = (
    MeansPlainly
    | MeansOrder
    | MeansValue
    | MeansCorrection
    | MeansChoice
    | MeansCallback
    | MeansQuestion
    | MeansLanguage
)


class ModelReading(BaseModel):
    """An utterance as the model reads it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    meant: list[Meant]
    mood: c.Mood | None = None


def understood(
    answer: ModelReading, text: str, pending: c.Pending, local: c.Understanding
) -> c.Understanding:
    """The model's reading, as far as the caller's words bear it out; the local one where nothing of it is left.

    Language is the local reading's, and so is a mood that shows in the words.
    """
    said = heard(text, local.language, pending)
    found = [one for meant in answer.meant[:MOST] for one in _command(meant, said)]
    commands = tuple(dict.fromkeys(found))
    if (
        pending.asks in c.READ_BACK
        and c.Affirm() in commands
        and not _plain_yes(said, commands, local)
    ):
        commands = tuple(one for one in commands if one != c.Affirm())
    if not commands:
        return local
    return local.model_copy(
        update={
            "commands": commands,
            "confidence": CONFIDENCE,
            "mood": (answer.mood or "calm") if local.mood == "calm" else local.mood,
            "by": "model",
        }
    )


def _plain_yes(said: Heard, commands: tuple[c.Command, ...], local: c.Understanding) -> bool:
    """May a write go ahead on a yes that a model heard? Only on one that stands in the words, and nothing against it.

    Promise 2 stays with code: a yes-word of the caller's language (or a local reading that is a yes and no more), no
    denial, hedge or wavering in any language, no question, no digits, no name of a part, and nothing else meant.
    """
    manners = c.Affirm | c.Thank | c.Greet
    if not all(isinstance(one, manners) for one in commands):
        return False
    local_yes = local.commands == (c.Affirm(),)
    if not local_yes and not all(isinstance(one, c.Unclear | c.Thank) for one in local.commands):
        return False
    if not local_yes and not said.words.has("yes", said.plain):
        return False
    return not _contested(said)


def _contested(said: Heard) -> bool:
    """Is there anything in the words but a yes?"""
    if len(said.plain.split()) > LONGEST_YES or HEDGES.search(said.plain) or is_question(said):
        return True
    if any(lexicon(one).has(name, said.plain) for one in c.LANGUAGES for name in DENIALS):
        return True
    if any(spoken.find_digits(said.text, one) for one in c.LANGUAGES) or time_answer(
        said.text, said
    ):
        return True
    return any(said.words.has(part, said.plain) for part in PARTS if part in said.words.patterns)


def _command(meant: Meant, said: Heard) -> tuple[c.Command, ...]:
    """The command, or nothing where what it needs is not in the words."""
    match meant:
        case MeansValue():
            value = _spoken_value(meant.slot, meant.words, said)
            return (c.Answer(slot=meant.slot, value=value),) if value else ()
        case MeansCorrection():
            value = _spoken_value(meant.slot, meant.words, said) if meant.slot else None
            return (c.Correct(slot=meant.slot, value=value),)
        case MeansOrder():
            order = _spoken_value("order", meant.words, said)
            last = bool(meant.last) and not order
            return (c.OrderStatus(order=order, last=last, problem=meant.problem),)
        case MeansChoice():
            picked = _picked(meant.pick, said.pending)
            return (c.Answer(slot="choice", value=picked),) if picked else ()
        case MeansCallback():
            return (c.Callback(action=meant.action),)
        case MeansQuestion():
            return (c.AskFaq(question=_quoted(meant.words, said) or asked(said)),)
        case MeansLanguage():
            return (c.SwitchLanguage(language=meant.language),)
        case MeansPlainly():
            return (c.PLAIN[meant.command],)


def _picked(pick: Pick, pending: c.Pending) -> str | None:
    """One of those that were offered, or of those the question names."""
    if pick.isdecimal():
        return pick if int(pick) <= len(pending.offered) else None
    return pick if pending.asks and pick in NAMED_PICKS.get(pending.asks, ()) else None


def _spoken_value(slot: c.Slot, words: str | None, said: Heard) -> str | None:
    """The value in the caller's own words.

    What a model wrote in its own way ("97301" for "nine seven three oh one") counts when the utterance, read by us,
    says the same; otherwise the caller did not say it.
    """
    if not words or len(words) > len(said.text):
        return None
    quoted = _quoted(words, said)
    if quoted is not None:
        return _read(slot, quoted, said)
    if slot == "topic":
        return None
    written, spoken_ = _read(slot, words, said), _read(slot, said.text, said)
    return spoken_ if spoken_ == written else None


def _quoted(words: str | None, said: Heard) -> str | None:
    """The caller's words that the model copied, as they were said; None when they were not."""
    wanted = plain(words or "").split()
    tokens = [(plain(word), word) for word in said.text.split() if plain(word)]
    for start in range(len(tokens) - len(wanted) + 1 if wanted else 0):
        part = tokens[start : start + len(wanted)]
        if [spelled for spelled, _ in part] == wanted:
            return " ".join(word for _, word in part)
    return None


def _read(slot: c.Slot, text: str, said: Heard) -> str | None:
    """A value of this slot in words, in its normal form; the rest of what they say does not matter here."""
    one = heard(text, said.language, said.pending)
    if slot == "topic":
        return text[:LONGEST_TOPIC].strip(" .,!?") or None
    if slot == "phone":
        return _first(phone_answer(text, one), slot)
    if slot == "email":
        return spoken.find_email(text, one.language)
    if slot == "order":
        found = spoken.find_order(text, one.language)
        return next((order for order in found if len(order) >= SHORTEST_ORDER), None)
    if slot == "time":
        return _first(time_answer(text, one), slot)
    if slot == "rating":
        rating = spoken.find_rating(text, one.language)
        return str(rating) if rating is not None else None
    if slot == "postal_code":
        postal = spoken.find_postal_code(text, one.language, one.pending.country)
        return postal or _first(address_answers(text, one, (slot,)), slot)
    given = _first(address_answers(text, one, (slot,)), slot)
    return given or (_first(house_number(text, one), slot) if slot == "line1" else None)


def _first(given: tuple[c.Command, ...], slot: c.Slot) -> str | None:
    return next(
        (one.value for one in given if isinstance(one, c.Answer) and one.slot == slot), None
    )
