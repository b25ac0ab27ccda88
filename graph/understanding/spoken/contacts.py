"""Phone numbers, e-mail addresses and names as they are said."""

from __future__ import annotations

import re

import phonenumbers
from pydantic import BaseModel, ConfigDict

from graph.understanding.commands import Language
from graph.understanding.lexicon import plain
from graph.understanding.spoken.codes import WORDS_TOO, read_letter
from graph.understanding.spoken.numbers import digit_groups, digit_readings, digit_runs
from graph.understanding.spoken.words import LETTERS, LONGEST, REPEATS, words_of

HOMES: dict[Language, tuple[str, ...]] = {"en": ("US",), "es": ("ES",), "fr": ("FR",)}
SHORTEST = 3  # digits; fewer are no part of a phone number

_TYPED_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_AT: dict[Language, tuple[str, ...]] = {
    "en": ("at",),
    "es": ("arroba", "at"),
    "fr": ("arobase", "arrobase", "at", "arobas"),
}
_DOT: dict[Language, tuple[str, ...]] = {
    "en": ("dot", "point", "period"),
    "es": ("punto",),
    "fr": ("point",),
}
_SIGNS: dict[Language, tuple[tuple[str, str], ...]] = {
    "en": (("underscore", "_"), ("under score", "_"), ("dash", "-"), ("hyphen", "-"), ("minus", "-"), ("plus", "+")),
    "es": (("guion bajo", "_"), ("raya baja", "_"), ("subrayado", "_"), ("guion", "-"), ("mas", "+")),
    "fr": (("tiret du bas", "_"), ("underscore", "_"), ("tiret bas", "_"), ("tiret", "-"), ("trait d'union", "-"), ("plus", "+")),
}  # fmt: skip
_MARKS = frozenset(".-_+")
#: Words around an e-mail that are not part of it.
_LEADS: dict[Language, frozenset[str]] = {
    "en": frozenset(
        "it's its is my the email e-mail mail address that's sure yes yeah um uh so well and account under ok okay "
        "right reach me find write use note down have with be i'm you can it should".split()
    ),
    "es": frozenset(
        "es mi el correo email e-mail electronico direccion si eh pues vale la cuenta esta con nombre claro y "
        "apunte apunta anote anota tome toma mire mira tengo uso puede escribir al en bueno".split()
    ),
    "fr": frozenset(
        "c'est mon le mail email e-mail adresse courriel oui euh alors l'adresse est ben et compte vous notez noter "
        "pouvez prenez mettez utilise j'ai donc avec".split()
    ),
}  # fmt: skip
#: How it is written, not what is written.
_REMARKS: dict[Language, tuple[str, ...]] = {
    "en": ("all one word", "all in one word", "one word", "all lower case", "all lowercase", "lower case", "lowercase", "no spaces"),
    "es": ("todo junto", "todo en minusculas", "en minusculas", "en minuscula", "sin espacios", "sin acento", "sin tilde"),
    "fr": ("tout attache", "tout colle", "en un mot", "tout en minuscules", "en minuscules", "en minuscule", "sans espace", "sans accent"),
}  # fmt: skip
_NAME: dict[Language, re.Pattern[str]] = {
    "en": re.compile(r"\b(?:my name is|my name's|this is|i am|i'm|name is)\s+(.+)", re.IGNORECASE),
    "es": re.compile(r"\b(?:me llamo|mi nombre es|soy|habla)\s+(.+)", re.IGNORECASE),
    "fr": re.compile(r"\b(?:je m'appelle|mon nom est|je suis|c'est|ici)\s+(.+)", re.IGNORECASE),
}


class PhoneReading(BaseModel):
    """A phone number as far as it was said."""

    model_config = ConfigDict(frozen=True)

    digits: str
    e164: str | None
    complete: bool  #: long enough for its country
    possible: bool  #: of a possible length; numbers kept for fiction are possible too


def find_phone(text: str, language: Language, country: str) -> PhoneReading | None:
    """The number in the words, read as one of `country` unless it begins with a country code."""
    after_plus = _after_plus(text[:LONGEST], language)
    said = text if after_plus is None else after_plus
    runs = sorted(digit_runs(said, language), key=len, reverse=True)
    candidates = dict.fromkeys((*digit_readings(said, language), *runs))
    # A caller from abroad says a number as it is said at home.
    countries = dict.fromkeys((country, *HOMES[language])) if after_plus is None else (country,)
    readings = [
        _read_phone(digits, where, international=after_plus is not None)
        for where in countries
        for digits in candidates
        if len(digits) >= SHORTEST
    ]
    whole = next((one for one in readings if one.complete), None)
    return whole or (readings[0] if readings else None)


def _after_plus(text: str, language: Language) -> str | None:
    """The words after "plus", where it begins a number: "plus trente-trois", not "je n'ai plus le numéro"."""
    if "+" in text:
        return text.partition("+")[2]
    words = words_of(text)
    starts = {group.start for group in digit_groups(words, language)}
    for at, word in enumerate(words[:-1]):
        if word in ("plus", "mas") and at + 1 in starts:
            return " ".join(words[at + 1 :])
    return None


def _read_phone(digits: str, country: str, *, international: bool) -> PhoneReading:
    number = _parsed(digits, country, international=international and not digits.startswith("00"))
    if number is None or not phonenumbers.is_possible_number(number):
        return PhoneReading(digits=digits, e164=None, complete=False, possible=False)
    lengths = phonenumbers.is_possible_number_with_reason(number)
    complete = lengths == phonenumbers.ValidationResult.IS_POSSIBLE and _could_be_dialled(number)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return PhoneReading(
        digits=digits, e164=e164 if complete else None, complete=complete, possible=True
    )


def _could_be_dialled(number: phonenumbers.PhoneNumber) -> bool:
    """No area code of North America begins with 0 or 1, and "zéro six ..." is no American number."""
    return (
        number.country_code != 1 or phonenumbers.national_significant_number(number)[0] not in "01"
    )


def _parsed(digits: str, country: str, *, international: bool) -> phonenumbers.PhoneNumber | None:
    written = (
        f"+{digits}" if international else f"+{digits[2:]}" if digits.startswith("00") else digits
    )
    try:
        return phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        return None


def find_email(text: str, language: Language) -> str | None:
    """ "jane dot doe at example dot com", lower case. Spelled letters are joined, number words become digits."""
    typed = _TYPED_EMAIL.search(text[:LONGEST])
    if typed:
        return typed.group().lower()
    words = _signs_apart(plain(text[:LONGEST]), language).split()
    ats = [at for at, word in enumerate(words) if word == "@"]
    for at in reversed(ats):
        local, domain = _before(words[:at], language), _after(words[at + 1 :], language)
        if local and domain:
            return f"{local}@{domain}"
    return None


def _signs_apart(text: str, language: Language) -> str:
    """Every sign a word of its own, remarks left out: "jane_doe all one word at" is "jane _ doe @"."""
    text = re.sub(r"\.(?=\w)", " . ", f" {text} ")
    for remark in _REMARKS[language]:
        text = text.replace(f" {remark} ", " ")
    for said, sign in _SIGNS[language]:
        text = text.replace(f" {said} ", f" {sign} ")
    for said in _DOT[language]:
        text = text.replace(f" {said} ", " . ")
    for said in _AT[language]:
        text = text.replace(f" {said} ", " @ ")
    return re.sub(r"(?<=\w)-(?=\w)", " ", text) if language == "fr" else text


def _before(words: list[str], language: Language) -> str:
    """The local part: back to a word that cannot belong to it; beside a sign every word belongs to it."""
    groups = digit_groups(words, language)
    inside = {at for group in groups for at in range(group.start, group.end)}
    first_sign = next((at for at, word in enumerate(words) if word in _MARKS), len(words))
    start = len(words)
    while start > 0 and words[start - 1] != "@":
        at = start - 1
        if at < first_sign and at not in inside and words[at] in _LEADS[language]:
            break
        start = at
    return _joined(words[start:], language)


def _after(words: list[str], language: Language) -> str | None:
    """The domain: names and dots, ending with the last label after a dot."""
    parts: list[str] = []
    for at, word in enumerate(words):
        glued = parts and parts[-1] not in (".", "-")
        if glued and word not in (".", "-") and "." in parts:
            break
        parts.append(word)
        if at > 12:
            break
    if "." not in parts[1:-1]:
        return None
    domain = _joined(parts, language).strip(".-")
    return domain if re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain) else None


def _joined(words: list[str], language: Language) -> str:
    groups = {group.start: group for group in digit_groups(words, language)}
    result, at = "", 0
    while at < len(words):
        letter, end = (
            read_letter(words, at, language) if _is_spelled(words, at, language) else (None, at)
        )
        if letter:
            result, at = result + letter.lower(), end
        elif at in groups:
            result, at = result + groups[at].digits, groups[at].end
        else:
            result, at = result + words[at], at + 1
    return result


def _is_spelled(words: list[str], at: int, language: Language) -> bool:
    """A letter, "double e", or the name of a letter that is no word or stands beside another letter."""
    word = words[at]
    if word in REPEATS[language]:
        after = words[at + 1 : at + 2]
        return bool(after) and (_is_letter(after[0]) or after[0] in LETTERS[language])
    if _is_letter(word):
        return True
    if word not in LETTERS[language]:
        return False
    beside = [*words[max(0, at - 1) : at], *words[at + 1 : at + 2]]
    near = any(_is_letter(one) or one in LETTERS[language] for one in beside)
    return near or (language != "en" and word not in WORDS_TOO[language])


def _is_letter(word: str) -> bool:
    return len(word) == 1 and word.isalpha()


def find_name(text: str, language: Language) -> str | None:
    """After "my name is", "soy", "je m'appelle"."""
    found = _NAME[language].search(text[:LONGEST])
    if not found:
        return None
    words = [word for word in re.split(r"[^\w'’-]+", found[1]) if word][:4]
    return " ".join(word.capitalize() for word in words) or None
