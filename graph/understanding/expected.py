"""What the open question expects, tried before anything else: one reader per question.

A reader returns the commands it is sure of, or nothing when the words do not answer its question.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from graph.understanding import commands as c
from graph.understanding import spoken
from graph.understanding.lexicon import Lexicon, lexicon, plain

ADDRESS_PARTS: tuple[c.Slot, ...] = ("line1", "line2", "city", "region", "postal_code", "country")
PHONE_DIGITS = 7  # fewer are an order number, a postal code, or a part
ORDER_WORDS = re.compile(r"\b(order|pedido|orden|compra|commande|achat)\b")
POSTAL_WORDS = re.compile(r"\b(zip|postal|postcode|codigo postal|code postal|cp)\b")
TOPIC_LEADS = re.compile(
    r"^(?:(?:um|uh|eh|euh|well|pues|ben|bah|so)\s+)*"
    r"(?:it's about|it is about|about|regarding|it's|es sobre|sobre|es por|por|acerca de|para|"
    r"c'est pour|c'est au sujet de|au sujet de|à propos de|pour|concernant)\s+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Heard:
    """An utterance with all a reader may look at."""

    text: str
    plain: str
    language: c.Language
    pending: c.Pending
    words: Lexicon

    @property
    def now(self) -> datetime | None:
        return datetime.fromisoformat(self.pending.now) if self.pending.now else None


Reader = Callable[[Heard], tuple[c.Command, ...]]


def heard(text: str, language: c.Language, pending: c.Pending) -> Heard:
    return Heard(text, plain(text), language, pending, lexicon(language))


def read_expected(one: Heard) -> tuple[c.Command, ...]:
    """The answer to the open question, or nothing."""
    if one.pending.asks is None:
        return ()
    reader = _READERS.get(one.pending.asks)
    return reader(one) if reader else ()


def yes_no(one: Heard) -> tuple[tuple[c.Command, ...], str]:
    """A leading yes or no, and the words after it."""
    yes, after_yes = one.words.leading("yes", one.plain)
    no, after_no = one.words.leading("no", one.plain)
    if no and (not yes or len(after_no) <= len(after_yes)):
        return (c.Deny(),), after_no
    if yes:
        turned, rest = one.words.leading("no", after_yes)
        if turned and not rest:  # "right, no"
            return (c.Deny(),), rest
        return (c.Affirm(),), after_yes
    return (), one.plain


def answer(slot: c.Slot, value: str | None) -> tuple[c.Command, ...]:
    return (c.Answer(slot=slot, value=value),) if value else ()


# Identity -------------------------------------------------------------------------------------------------


def _account(one: Heard) -> tuple[c.Command, ...]:
    email = spoken.find_email(one.text, one.language)
    if email:
        return answer("email", email)
    if ORDER_WORDS.search(one.plain):
        return answer("order", _order(one))
    phone = spoken.find_phone(one.text, one.language, one.pending.country)
    if phone is not None and len(phone.digits) >= PHONE_DIGITS:
        postal = _named_postal(one)
        return (*answer("phone", phone.e164 or phone.digits), *postal)
    return answer("order", _order(one)) or _named_postal(one)


def _fact(one: Heard) -> tuple[c.Command, ...]:
    email = spoken.find_email(one.text, one.language)
    if email:
        return answer("email", email)
    if ORDER_WORDS.search(one.plain):
        return answer("order", _order(one))
    postal = spoken.find_postal_code(one.text, one.language, one.pending.country)
    digits = spoken.find_digits(one.text, one.language)
    if postal and (POSTAL_WORDS.search(one.plain) or len(digits) <= len(_alnum(postal))):
        return answer("postal_code", postal)
    phone = spoken.find_phone(one.text, one.language, one.pending.country)
    if phone is not None and phone.possible and len(phone.digits) >= PHONE_DIGITS:
        return answer("phone", phone.e164 or phone.digits)
    order = _order(one)
    if order and not order.isdigit():
        return answer("order", order)
    return answer("postal_code", postal or (digits if 3 < len(digits) < PHONE_DIGITS else None))


def _named_postal(one: Heard) -> tuple[c.Command, ...]:
    if not POSTAL_WORDS.search(one.plain):
        return ()
    after = re.split(POSTAL_WORDS, one.plain)[-1]
    return answer("postal_code", spoken.find_postal_code(after, one.language, one.pending.country))


def _order(one: Heard) -> str | None:
    found = spoken.find_order(one.text, one.language)
    return found[0] if found else None


def _alnum(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


def _code(one: Heard) -> tuple[c.Command, ...]:
    code = spoken.find_code(one.text, one.language)
    if code:
        return answer("code", code)
    if one.words.has("email_channel", one.plain):
        return answer("choice", "email")
    if one.words.has("sms_channel", one.plain):
        return answer("choice", "sms")
    if one.words.has("resend", one.plain):
        return answer("choice", "resend")
    return ()


# Orders, account ------------------------------------------------------------------------------------------


def _which_order(one: Heard) -> tuple[c.Command, ...]:
    if one.words.has("last", one.plain) and ORDER_WORDS.search(one.plain):
        return answer("choice", "1")
    order = _order(one)
    if order and len(order) > 3:
        return answer("order", order)
    return _choice(one)


def _choice(one: Heard) -> tuple[c.Command, ...]:
    index = spoken.find_choice(one.text, one.language, one.pending.offered)
    return answer("choice", str(index + 1)) if index is not None else ()


def _address(one: Heard) -> tuple[c.Command, ...]:
    expected = (one.pending.slot,) if one.pending.slot else ("line1",)
    return address_answers(one.text, one, expected)


def address_answers(text: str, one: Heard, expected: tuple[str, ...]) -> tuple[c.Command, ...]:
    """Every part of an address in the words, as answers."""
    parts = spoken.parse_address(text, one.language, one.pending.country, {}, expected)
    given = parts.model_dump()
    return tuple(
        c.Answer(slot=slot, value=str(given[slot])) for slot in ADDRESS_PARTS if given.get(slot)
    )


def phone_answer(text: str, one: Heard, at_least: int = 3) -> tuple[c.Command, ...]:
    """A phone number: E.164 when whole, the digits heard when not."""
    phone = spoken.find_phone(text, one.language, one.pending.country)
    if phone is None or len(phone.digits) < at_least:
        return ()
    return answer("phone", phone.e164 if phone.complete and phone.e164 else phone.digits)


def _phone(one: Heard) -> tuple[c.Command, ...]:
    return phone_answer(one.text, one)


def _confirm_account(one: Heard) -> tuple[c.Command, ...]:
    return _confirm(
        one, lambda rest: phone_answer(rest, one, PHONE_DIGITS) or address_answers(rest, one, ())
    )


def _confirm_callback(one: Heard) -> tuple[c.Command, ...]:
    return _confirm(
        one, lambda rest: phone_answer(rest, one, PHONE_DIGITS) or time_answer(rest, one)
    )


def _confirm(one: Heard, values: Callable[[str], tuple[c.Command, ...]]) -> tuple[c.Command, ...]:
    """Yes, no, or the value that should have been read back: a correction."""
    said, rest = yes_no(one)
    agreed = bool(said) and isinstance(said[0], c.Affirm)
    if len(rest.split()) < 2 or (agreed and not one.words.has("no", rest)):
        return said
    corrections = tuple(
        c.Correct(slot=given.slot, value=given.value)
        for given in values(_unprefixed(one, rest))
        if isinstance(given, c.Answer)
    )
    return corrections or said


def _unprefixed(one: Heard, rest: str) -> str:
    """The end of the original text that matches `rest`, so that numbers and accents stay as they were said."""
    words = one.text.split()
    return " ".join(words[-len(rest.split()) :])


# Callback -------------------------------------------------------------------------------------------------


def _topic(one: Heard) -> tuple[c.Command, ...]:
    topic = TOPIC_LEADS.sub("", one.text).strip(" .,!?")
    return answer("topic", topic) if len(topic) > 2 else ()


def _own_number(one: Heard) -> tuple[c.Command, ...]:
    number = phone_answer(one.text, one)
    if number:
        return number
    said, _ = yes_no(one)
    if said:
        return said
    return (c.Affirm(),) if one.words.has("own_number", one.plain) else ()


def _time(one: Heard) -> tuple[c.Command, ...]:
    if one.pending.offered:
        chosen = _offered_moment(one) or _choice(one)
        if chosen:
            return chosen
    return time_answer(one.text, one)


def _offered_moment(one: Heard) -> tuple[c.Command, ...]:
    """A time of day that is one of those offered."""
    when = spoken.parse_when(one.text, one.language, one.now) if one.now else None
    if when is None or when.time is None or when.date is not None:
        return ()
    for index, offered in enumerate(one.pending.offered, start=1):
        if datetime.fromisoformat(offered).time() == when.time:
            return answer("choice", str(index))
    return ()


def time_answer(text: str, one: Heard) -> tuple[c.Command, ...]:
    """A callback time in the form of the `time` slot."""
    if one.now is None:
        return ()
    when = spoken.parse_when(text, one.language, one.now)
    if when is None:
        return answer("time", "asap") if one.words.has("asap", plain(text)) else ()
    if when.asap:
        return answer("time", "asap")
    day = when.date.isoformat() if when.date else ""
    if when.time is not None:
        return answer("time", f"{day}T{when.time.isoformat(timespec='minutes')}")
    return answer("time", f"{day}/{when.part}" if when.part else day)


# People, closing ------------------------------------------------------------------------------------------


def _person(one: Heard) -> tuple[c.Command, ...]:
    said, _ = yes_no(one)
    if said and isinstance(said[0], c.Deny):
        return said
    if one.words.has("callback_choice", one.plain):
        return answer("choice", "callback")
    if one.words.has("now_choice", one.plain):
        return answer("choice", "now")
    return said


def _yes_or_no(one: Heard) -> tuple[c.Command, ...]:
    return yes_no(one)[0]


def _rating(one: Heard) -> tuple[c.Command, ...]:
    rating = spoken.find_rating(one.text, one.language)
    return answer("rating", str(rating)) if rating is not None else _yes_or_no(one)


_READERS: dict[c.Asks, Reader] = {
    "identity.account": _account,
    "identity.fact": _fact,
    "identity.code": _code,
    "order.which": _which_order,
    "account.address": _address,
    "account.phone": _phone,
    "account.confirm": _confirm_account,
    "callback.topic": _topic,
    "callback.phone": _own_number,
    "callback.time": _time,
    "callback.confirm": _confirm_callback,
    "escalation.choice": _person,
    "resume.continue": _yes_or_no,
    "closing.more": _yes_or_no,
    "closing.satisfaction": _rating,
}
