"""The first line of an address: street and house number as each country says them, and post office boxes."""

from __future__ import annotations

import re

from graph.understanding.commands import Language
from graph.understanding.spoken.address_words import (
    BESIDE_TOWN,
    STREET_TYPES,
    Left,
    chunks,
    is_sentence,
    past_leads,
    town_at_end,
)
from graph.understanding.spoken.numbers import Group, digit_groups, spoken_groups
from graph.understanding.spoken.words import TENS

STREETS_OF: dict[str, Language] = {
    "US": "en", "GB": "en", "CA": "en", "ES": "es", "MX": "es", "AR": "es", "CO": "es", "FR": "fr",
}  # fmt: skip
NUMBERED_ROADS = frozenset("road highway hwy route".split())
DIRECTIONS = frozenset(
    "north south east west northwest northeast southwest southeast nw ne sw se".split()
)
_ORDINALS_EN = {
    "first": "st", "second": "nd", "third": "rd", "fourth": "th", "fifth": "th", "sixth": "th", "seventh": "th",
    "eighth": "th", "ninth": "th",
}  # fmt: skip
_UNITS_OF_ORDINALS = {name: at for at, name in enumerate(_ORDINALS_EN, start=1)}
_BOX = re.compile(r"^(?:p o|po|post office) box$|^apartado(?: de correos)?$|^boite postale$|^b p$")
#: Small inside a name, whatever the caller's language: "twelve rue de la paix".
_SMALL = frozenset(
    "of the de del la las los el y du des le les et sur sous à en aux bis ter quater".split()
)


def take_street(left: Left, language: Language, country: str, expected: tuple[str, ...]) -> None:
    """Into `left.parts` as line1; asked for it, a name with a number will do."""
    stretches = chunks(left)
    for start, end in stretches:
        words = left.plain[start:end]
        span = _box_span(words, language) or _street_span(words, language, country)
        if span is None:
            continue
        first, last = start + span[0], start + span[1]
        left.parts["line1"] = _street_text(left.said[first:last], left.plain[first:last], language)
        # What stands before a street is no town, unless it is one we know: "a ver es calle alcalá".
        left.cut(first if _holds_town(left.plain[start:first], country) else start, last)
        return
    if "line1" in expected:
        _take_bare_street(left, stretches, language, country)


def _holds_town(words: list[str], country: str) -> bool:
    return any(town_at_end(words[: end + 1], country) for end in range(len(words)))


def _box_span(words: list[str], language: Language) -> tuple[int, int] | None:
    """ "p o box four twelve"."""
    groups = digit_groups(words, language)
    for size in (3, 2, 1):
        for at in range(len(words) - size):
            numbers = [group for group in groups if group.start >= at + size]
            if _BOX.match(" ".join(words[at : at + size])) and numbers:
                return at, numbers[-1].end
    return None


def _take_bare_street(
    left: Left, stretches: list[tuple[int, int]], language: Language, country: str
) -> None:
    """Asked for the street: a name with a number is one, even without a word like "street"."""
    for begin, end in stretches:
        start = past_leads(left.plain, begin, end, language)
        words = left.plain[start:end]
        numbers = spoken_groups(words, language)
        counted = {at for group in numbers for at in range(group.start, group.end)}
        names = [word for at, word in enumerate(words) if at not in counted and len(word) > 2]
        if not (numbers and names) or len(words) > 7 or is_sentence(words, language):
            continue
        last = end - town_at_end(words, country)
        left.parts["line1"] = _street_text(left.said[start:last], left.plain[start:last], language)
        left.cut(start, last)
        return


def _street_span(words: list[str], language: Language, country: str) -> tuple[int, int] | None:
    """Where the street stands. Its word may be of the caller's language or of the country's."""
    there = STREETS_OF.get(country, language)
    for style in dict.fromkeys((there, language)):
        at = next((at for at in range(len(words)) if _is_type(words, at, style)), None)
        if at is not None and style == "en":
            return _english_street(words, at, language)
        if at is not None:
            return _romance_street(words, at, language, country)
    return None


def _is_type(words: list[str], at: int, style: Language) -> bool:
    """A word for a street that names one; not "the street is"."""
    if words[at] not in STREET_TYPES[style]:
        return False
    after = words[at + 1] if at + 1 < len(words) else ""
    before = words[at - 1] if at else ""
    if style == "en":
        generic = "the my new wrong what which same that this your our".split()
        return after not in ("is", "name", "number", "address") and before not in ("", *generic)
    return bool(after) and after not in ("es", "est", "esta", "nueva", "c'est")


def _english_street(words: list[str], at: int, language: Language) -> tuple[int, int]:
    """From the house number to the word for the street, and a direction or a road's number after it."""
    ordinals = {place for start, end in _ordinals(words) for place in range(start, end)}
    numbers = [group for group in digit_groups(words[:at], language) if group.start not in ordinals]
    start = numbers[-1].start if numbers else past_leads(words, 0, at, language)
    while len(numbers) > 1 and numbers[-2].end == numbers[-1].start:
        numbers.pop()
        start = numbers[-1].start
    end = at + 1
    if words[at] in NUMBERED_ROADS:
        after = [group for group in digit_groups(words, language) if group.start == end]
        end = after[0].end if after else end
    if end < len(words) and words[end] in DIRECTIONS:
        end += 1
    return start, end


def _ordinals(words: list[str]) -> list[tuple[int, int]]:
    """ "fifty second" in "fifty second street"."""
    return [
        (at - 1, at + 1)
        for at, word in enumerate(words)
        if word in _ORDINALS_EN and at and words[at - 1] in TENS["en"]
    ]


def _romance_street(words: list[str], at: int, language: Language, country: str) -> tuple[int, int]:
    """French: number, word, name. Spanish: word, name, number; what follows the number is something else."""
    groups = digit_groups(words, language)
    before = [group for group in groups if group.end <= at and _number_before(words, group, at)]
    start = before[0].start if before else at
    named = at + 1  # a number right after the word is part of the name: "calle once de septiembre"
    if at and words[at - 1] == "gran":
        start, named = at - 1, at
    after = [group for group in groups if group.start > named]
    if not before and after:
        end = after[0].end
        while end < len(words) and _house_letter(words, end):
            end += 1
        return start, end
    cues = (i for i in range(at + 2, len(words) - 1) if words[i] in BESIDE_TOWN[language])
    end = next(cues, len(words))
    return start, end - town_at_end(words[at + 2 : end], country)


def _house_letter(words: list[str], at: int) -> bool:
    """ "doce b", "24 bis"; "doce y el código" and "doce a" in the middle are words."""
    if words[at] in ("y", "e", "o", "a") and at + 1 < len(words):
        return False
    return re.fullmatch(r"bis|ter|[a-z]", words[at]) is not None


def _number_before(words: list[str], group: Group, at: int) -> bool:
    return group.end == at or (
        group.end == at - 1 and words[at - 1] in ("bis", "ter", "quater", "b")
    )


def _street_text(said: list[str], plains: list[str], language: Language) -> str:
    """With digits for the number, and capitals where names have them."""
    groups = {group.start: group for group in digit_groups(plains, language)}
    ordinals = dict(_ordinals(plains)) if language == "en" else {}
    articles = ("un", "une", "una", "uno", "one")
    out: list[str] = []
    at = 0
    while at < len(plains):
        if at in ordinals:
            unit = plains[ordinals[at] - 1]
            out.append(f"{TENS['en'][plains[at]] + _UNITS_OF_ORDINALS[unit]}{_ORDINALS_EN[unit]}")
            at = ordinals[at]
            continue
        number = ""
        while at in groups and not _in_name(plains, groups[at], language):
            lone = groups[at].end not in groups
            if plains[at] in articles and out and not number and lone:
                break
            number, at = number + groups[at].digits, groups[at].end
        if number:
            out.append(number)
            if language == "en" and plains[at : at + 1] == ["on"]:
                at += 1  # "number forty two on maple avenue"
            continue
        if plains[at] not in ("number", "numero", "n", "no") or language == "en":
            out.append(said[at])
        at += 1
    return title(_boxed(" ".join(out)))


def _in_name(words: list[str], group: Group, language: Language) -> bool:
    """ "calle once de septiembre", "dos de mayo": this number is the name."""
    after = words[group.end] if group.end < len(words) else ""
    typed = words[group.start].isdigit()
    return language == "es" and after == "de" and not typed and group.start > 0


def _boxed(text: str) -> str:
    """A post office box as it is written; its letters may have been heard as digits."""
    return re.sub(r"^(?:p (?:o|0)|po|post office) box\b", "PO Box", text, flags=re.IGNORECASE)


def title(text: str) -> str:
    """Capitals for names, small letters for the small words inside them."""
    words = text.split()
    out = []
    for position, word in enumerate(words):
        small = word.lower() in _SMALL and position > 0
        kept = any(char.isupper() for char in word[1:]) or not word[:1].isalpha()
        out.append(word.lower() if small else word if kept else word[:1].upper() + word[1:])
    return " ".join(out)
