"""What the open question expects, tried before anything else: one reader per question.

A reader returns the commands it is sure of, or nothing when the words do not answer its question.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from graph.understanding import commands as c
from graph.understanding import spoken
from graph.understanding.heard import Heard, heard, is_question, unprefixed
from graph.understanding.lexicon import plain

ADDRESS_PARTS: tuple[c.Slot, ...] = ("line1", "line2", "city", "region", "postal_code", "country")
PHONE_DIGITS = 7  # fewer are an order number, a postal code, or a part
ORDER_WORDS = re.compile(r"\b(order|pedido|orden|compra|commande|achat)\b")
POSTAL_WORDS = re.compile(r"\b(zip|postal|postcode|codigo postal|code postal|cp)\b")
CLOCK_WORDS = re.compile(
    r"\b(at|am|pm|o'clock|oclock|in the|a las|las|a la|de la|por la|heures?|du matin|de l'apres-midi)\b"
)
LONGEST_NAMED = 7  # words; longer ones tell a story
HOUSE_NUMBER = 4  # digits
#: "Call me back about a broken chair": a wish for a call names its matter so, and hardly anything else.
TOPIC_NAMED = re.compile(
    r"\b(?:about|regarding|concerning|to do with|sobre|acerca del?|respecto al?|por lo de|"
    r"au sujet d(?:e |u |es |'|’|\s)|à propos d(?:e |u |es |'|’|\s)|concernant)\s*(?P<topic>\S.*)",
    re.IGNORECASE,
)
#: "About this": only the caller knows what.
POINTING_AT_IT = {
    "this",
    "that",
    "it",
    "this one",
    "them",
    "esto",
    "eso",
    "ello",
    "ca",
    "cela",
    "ceci",
    "it all",
}
#: Where a topic ends and a time begins.
WHEN_BEGINS = re.compile(
    r"\s+(?:(?:and |y |et )?(?:tomorrow|today|tonight|on (?:mon|tues|wednes|thurs|fri|satur|sun)day|at \w+|"
    r"in the (?:morning|afternoon|evening)|next |please|thanks|mañana|hoy|el (?:lunes|martes|miércoles|jueves|"
    r"viernes|sábado|domingo)|a las? |por la (?:mañana|tarde)|por favor|gracias|demain|aujourd'hui|lundi|mardi|"
    r"mercredi|jeudi|vendredi|samedi|dimanche|ce matin|cet après-midi|à \w+ heures?|s'il vous plaît|merci))\b.*",
    re.IGNORECASE,
)
TOPIC_LEADS = re.compile(
    r"^(?:(?:um|uh|eh|euh|well|pues|ben|bah|so|hi|yeah|yes|sí|oui|alors|bueno)\s+)*"
    r"(?:(?:(?:it's|it is|that's) (?:just )?(?:about|regarding|for|to do with)|about|regarding|it's|"
    r"(?:i|i'd|we) (?:want|wanted|need|like|would like) to (?:talk|speak|ask|know|discuss|check)"
    r"(?: to (?:someone|somebody))?(?: about)?|"
    r"i (?:have|had|got|'ve got) (?:a |an )?(?:question|problem|issue) (?:about|with)|"
    r"(?:es |sería )?(?:sobre|por lo del?|por|acerca del?|para)|es de|"
    r"(?:quiero|quería|quisiera|querría|necesito|me gustaría) (?:hablar|preguntar|saber|consultar)(?: algo)?"
    r"(?: del?| sobre| por| acerca del?| con alguien (?:de|sobre))?|"
    r"tengo (?:una |un )?(?:duda|pregunta|problema|consulta) (?:con|sobre|de)|"
    r"(?:c'est )?(?:pour|concernant|par rapport à|rapport à)|c'est sur|c'est une question sur|"
    r"(?:je veux|je voudrais|j'aimerais|je souhaite|j'ai besoin de) (?:parler|discuter|savoir|demander)"
    r"(?: de| pour| à propos de)?|"
    r"j'ai (?:une |un )?(?:question|problème|souci) (?:sur|avec|pour|concernant))\s+"
    r"|(?:c'est )?(?:au sujet|à propos|à cause) d(?:e\s+|u\s+|es\s+|'))(?=\S+)",
    re.IGNORECASE,
)


Reader = Callable[[Heard], tuple[c.Command, ...]]


def read_expected(one: Heard) -> tuple[c.Command, ...]:
    """The answer to the open question, or nothing."""
    if one.pending.asks is None:
        return ()
    reader = _READERS.get(one.pending.asks)
    return reader(one) if reader else ()


def yes_no(one: Heard) -> tuple[tuple[c.Command, ...], str]:
    """A leading yes or no, and the words after it; thanks and please around it mean nothing."""
    said = one.plain
    if one.words.leading("not_no", said)[0]:
        return (), one.plain
    if not (one.words.leading("yes", said)[0] or one.words.leading("no", said)[0]):
        _, said = one.words.leading("manners", said)  # "um yes"; but "uh huh" is a yes
    yes, after_yes = one.words.leading("yes", said)
    no, after_no = one.words.leading("no", said)
    if no and (not yes or len(after_no) <= len(after_yes)):
        return (c.Deny(),), _unmannered(one, after_no)
    if not yes:
        return (), one.plain
    wavers, on_reflection = _wavers(one, after_yes)
    if wavers:
        return (() if _idle(one, on_reflection) else (c.HoldOn(),)), on_reflection
    turned, rest = one.words.leading("no", _unmannered(one, after_yes))
    soft, after_soft = one.words.leading("soft_yes", said)
    if turned and (not _idle(one, rest) or (soft and after_soft == after_yes)):
        return (c.Deny(),), _idle(one, rest)  # "right, no", "okay great no that's it thank you"
    return (c.Affirm(),), _unmannered(one, after_yes)


def _wavers(one: Heard, text: str) -> tuple[bool, str]:
    """ "Yes, no, wait": whoever takes a yes back has not said it. And what they say instead."""
    for name in ("manners", "joints", "no", "joints"):
        text = one.words.leading(name, text)[1]
    return one.words.leading("wavering", text)


def _unmannered(one: Heard, text: str) -> str:
    return one.words.leading("manners", text)[1]


def _idle(one: Heard, text: str) -> str:
    """What is left of the words after every yes, no and thank you."""
    before = None
    while text != before:
        before = text
        for name in ("manners", "no", "yes"):
            text = one.words.leading(name, text)[1]
    return text


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
    order = _order(one)
    postal = spoken.find_postal_code(one.text, one.language, one.pending.country)
    digits = spoken.find_digits(one.text, one.language)
    if order and not order.isdigit() and (postal or "").isdigit():
        return answer("order", order)  # letters were spelled in front of the digits
    if postal and (POSTAL_WORDS.search(one.plain) or len(digits) <= len(_alnum(postal))):
        return answer("postal_code", postal)
    phone = spoken.find_phone(one.text, one.language, one.pending.country)
    if phone is not None and phone.possible and len(phone.digits) >= PHONE_DIGITS:
        return answer("phone", phone.e164 or phone.digits)
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
    if _only_manners(one):
        return yes_no(one)[0]
    expected = (one.pending.slot,) if one.pending.slot else ("line1",)
    text = _uncontrasted(one, one.text, _digits)
    given = address_answers(text, one, expected)
    alone = house_number(text, one) if one.pending.slot in (None, "line1") else ()
    return given or _named_part(one, ADDRESS_PARTS) or alone


def _only_manners(one: Heard) -> bool:
    """Yes, no, thank you and nothing else: no name of a street or a town."""
    said, rest = yes_no(one)
    return bool(said) and not _idle(one, rest)


def house_number(text: str, one: Heard) -> tuple[c.Command, ...]:
    """A number alone: the house number of the street that was given."""
    digits = _digits(one, text)
    words = [word for word in text.split() if len(word) > 1]
    plainly = 0 < len(digits) <= HOUSE_NUMBER and len(words) <= 6
    return answer("line1", digits) if plainly else ()


def _digits(one: Heard, text: str) -> str:
    return spoken.find_digits(text, one.language)


def _named_part(one: Heard, parts: tuple[c.Slot, ...]) -> tuple[c.Command, ...]:
    """ "the street", "the zip code is wrong": which part is to be changed, without its new value."""
    if len(one.plain.split()) > LONGEST_NAMED:
        return ()
    named = [
        part for part in parts if part in one.words.patterns and one.words.has(part, one.plain)
    ]
    if named == ["phone"] and is_own_number(one):
        return ()  # it is right
    if "postal_code" in named:
        named = ["postal_code"]  # "código" and "number" name other things as well
    return (c.Correct(slot=named[0]),) if named else ()


def _uncontrasted(one: Heard, text: str, says: Callable[[Heard, str], object]) -> str:
    """Without what it is not: "fifteen not fifty", "not fifty fifteen", "not tomorrow, on wednesday"."""
    words = text.split()
    at = next((at for at, word in enumerate(words) if one.words.has("contrast", plain(word))), None)
    if at is None or not says(one, " ".join(words[at + 1 :])):
        return text
    before = words[:at]
    if says(one, " ".join(before)):
        return " ".join(before)
    kept = (" ".join([*before, *words[at + 1 + size :]]) for size in (1, 2, 3))
    return next((shorter for shorter in kept if says(one, shorter)), text)


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
    return _confirm(one, _account_values, ADDRESS_PARTS)


def _account_values(one: Heard) -> tuple[c.Command, ...]:
    text = _uncontrasted(one, one.text, _digits)
    return (
        phone_answer(text, one, PHONE_DIGITS)
        or address_answers(text, one, ())
        or house_number(text, one)
    )


def _confirm_callback(one: Heard) -> tuple[c.Command, ...]:
    return _confirm(one, _callback_values, ("time", "phone", "topic"))


def _callback_values(one: Heard) -> tuple[c.Command, ...]:
    text = _uncontrasted(one, one.text, lambda one, text: time_answer(text, one))
    return phone_answer(text, one, PHONE_DIGITS) or time_answer(text, one)


def _confirm(
    one: Heard, values: Callable[[Heard], tuple[c.Command, ...]], parts: tuple[c.Slot, ...]
) -> tuple[c.Command, ...]:
    """Yes, no, or the value that should have been read back: a correction.

    A yes that comes with a value is no yes: "yes but the apartment is five".
    """
    said, rest = yes_no(one)
    if said and not rest:
        return said
    inner = heard(unprefixed(one, rest), one.language, one.pending)
    agreed = bool(said) and isinstance(said[0], c.Affirm)
    if agreed and not (one.words.has("no", rest) or _says_a_value(inner)):
        return said
    corrections = tuple(
        c.Correct(slot=given.slot, value=given.value)
        for given in values(inner)
        if isinstance(given, c.Answer)
    )
    return corrections or _named_part(inner, parts) or said


def _says_a_value(one: Heard) -> bool:
    """Numbers, a day, or the name of a part: more than a question or a remark after the yes."""
    return bool(
        spoken.find_digits(one.text, one.language)
        or one.words.has("line2", one.plain)
        or (one.words.has("postal_code", one.plain) or one.words.has("city", one.plain))
        or time_answer(one.text, one)
    ) and not is_question(one)


# Callback -------------------------------------------------------------------------------------------------


def named_topic(one: Heard) -> tuple[c.Command, ...]:
    """What a call back is about, said together with the wish for it; the time may stand before or after it."""
    named = TOPIC_NAMED.search(one.text)
    if named is None:
        return ()
    topic = WHEN_BEGINS.split(named["topic"], maxsplit=1)[0].strip(" .,!?")
    pointing = plain(topic) in POINTING_AT_IT
    return answer("topic", topic) if len(topic) > 2 and not topic.isdigit() and not pointing else ()


def _topic(one: Heard) -> tuple[c.Command, ...]:
    topic = TOPIC_LEADS.sub("", one.text).strip(" .,!?")
    if _only_manners(one):
        return ()
    if is_own_number(one):
        return (c.Affirm(),)
    return answer("topic", topic) if len(topic) > 2 else ()


def is_own_number(one: Heard) -> bool:
    """ "At this number", and nothing else: nothing is wrong with it, and nothing more is wanted."""
    rest, before = one.plain, None
    while rest != before:
        before = rest
        found, after = one.words.leading("own_number", rest)
        if found:
            return not _agreed(one, after)
        rest = _agreed(one, rest)
        for name in ("call_me", "own_number_leads"):
            rest = one.words.leading(name, rest)[1]
    return False


def _agreed(one: Heard, text: str) -> str:
    """What is left of the words after a yes and the manners around it."""
    for name in ("manners", "yes", "manners"):
        text = one.words.leading(name, text)[1]
    return text


def _own_number(one: Heard) -> tuple[c.Command, ...]:
    number = phone_answer(one.text, one)
    if number:
        return number
    said, _ = yes_no(one)
    if said:
        return said
    if not one.words.has("own_number", one.plain):
        return ()
    other = one.words.has("no", one.plain) or one.words.has("contrast", one.plain)
    return (c.Deny(),) if other else (c.Affirm(),)


def _time(one: Heard) -> tuple[c.Command, ...]:
    when = time_answer(one.text, one)
    if one.pending.offered:
        # "The second", "two" and "at ten thirty" choose; "no, thursday at two" is another wish.
        chosen = _offered_moment(one) or _choice(one)
        if chosen and not (when and _another_time(one, when, chosen)):
            return chosen
    if not when and is_own_number(one):
        return (c.Affirm(),)  # still about the number, which was asked for before
    return when or _named_part(one, ("time", "phone", "topic"))


def _another_time(one: Heard, when: tuple[c.Command, ...], chosen: tuple[c.Command, ...]) -> bool:
    """A day, or an hour that is named as one and is none of those offered."""
    hour = CLOCK_WORDS.search(one.plain) is not None and bool(_digits(one, one.text))
    return _names_a_day(when) or (hour and chosen != _offered_moment(one))


def _names_a_day(when: tuple[c.Command, ...]) -> bool:
    return any(isinstance(one, c.Answer) and one.value[:1].isdigit() for one in when)


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
    """A person now, a callback, or neither; "call me tomorrow at ten" says when as well."""
    said, _ = yes_no(one)
    if said and isinstance(said[0], c.Deny):
        return said
    if one.words.has("callback_choice", one.plain):
        return (*answer("choice", "callback"), *time_answer(one.text, one))
    if one.words.has("now_choice", one.plain):
        return answer("choice", "now")
    when = time_answer(one.text, one)
    if not said and when and (_names_a_day(when) or CLOCK_WORDS.search(one.plain)):
        return (*answer("choice", "callback"), *when)  # "tomorrow then"
    return (*said, *when) if said else ()


def _yes_or_no(one: Heard) -> tuple[c.Command, ...]:
    return yes_no(one)[0]


def _more(one: Heard) -> tuple[c.Command, ...]:
    """Anything else? "Great, thanks" is no request, though "great" is a yes elsewhere."""
    _, rest = one.words.leading("manners", one.plain)
    soft, after = one.words.leading("soft_yes", rest)
    _, left = one.words.leading("manners", after)
    if soft and not left and one.words.has("thanks", after):
        return (c.Thank(),)
    return _yes_or_no(one)


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
    "closing.more": _more,
    "closing.satisfaction": _rating,
}
