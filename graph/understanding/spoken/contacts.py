"""Phone numbers, e-mail addresses and names as they are said."""

from __future__ import annotations

import re

import phonenumbers
from pydantic import BaseModel, ConfigDict

from graph.understanding.commands import Language
from graph.understanding.lexicon import plain
from graph.understanding.spoken.codes import _letter
from graph.understanding.spoken.numbers import digit_groups, find_digits
from graph.understanding.spoken.words import LONGEST

_TYPED_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_PLUS = re.compile(r"(?:^|\b)(?:plus|mas|más)\s+(?=\S)|\+", re.IGNORECASE)
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
#: Words around an e-mail that are not part of it.
_LEADS: dict[Language, frozenset[str]] = {
    "en": frozenset("it's its is my the email e-mail mail address that's sure yes yeah um uh so well and account under ok okay".split()),
    "es": frozenset("es mi el correo email e-mail electronico direccion si eh pues vale la cuenta esta con nombre claro y".split()),
    "fr": frozenset("c'est mon le mail email e-mail adresse courriel oui euh alors l'adresse est ben et compte".split()),
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
    digits = find_digits(text, language)
    if len(digits) < 3:
        return None
    international = _PLUS.search(text[:LONGEST]) is not None and not digits.startswith("00")
    number = _parsed(digits, country, international=international)
    if number is None or not phonenumbers.is_possible_number(number):
        return PhoneReading(digits=digits, e164=None, complete=False, possible=False)
    lengths = phonenumbers.is_possible_number_with_reason(number)
    complete = lengths == phonenumbers.ValidationResult.IS_POSSIBLE
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return PhoneReading(
        digits=digits, e164=e164 if complete else None, complete=complete, possible=True
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
    words = _signs_replaced(plain(text[:LONGEST]), language).split()
    ats = [at for at, word in enumerate(words) if word == "@"]
    for at in reversed(ats):
        local, domain = _before(words[:at], language), _after(words[at + 1 :], language)
        if local and domain:
            return f"{local}@{domain}"
    return None


def _signs_replaced(text: str, language: Language) -> str:
    text = f" {text} "
    for said, sign in _SIGNS[language]:
        text = text.replace(f" {said} ", f" {sign} ")
    for said in _DOT[language]:
        text = text.replace(f" {said} ", " . ")
    for said in _AT[language]:
        text = text.replace(f" {said} ", " @ ")
    return text


def _before(words: list[str], language: Language) -> str:
    """The local part: everything back to a word that cannot belong to it."""
    start = len(words)
    while start > 0 and words[start - 1] not in _LEADS[language] and words[start - 1] != "@":
        start -= 1
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
        if at in groups and not (len(words[at]) == 1 and words[at].isalpha()):
            result, at = result + groups[at].digits, groups[at].end
            continue
        letter, end = (
            _letter(words, at, language)
            if len(words[at]) == 1 and words[at].isalpha()
            else (None, at)
        )
        result, at = (result + letter.lower(), end) if letter else (result + words[at], at + 1)
    return result


def find_name(text: str, language: Language) -> str | None:
    """After "my name is", "soy", "je m'appelle"."""
    found = _NAME[language].search(text[:LONGEST])
    if not found:
        return None
    words = [word for word in re.split(r"[^\w'’-]+", found[1]) if word][:4]
    return " ".join(word.capitalize() for word in words) or None
