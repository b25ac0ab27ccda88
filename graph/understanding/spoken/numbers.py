"""Digits as people say them: one by one, in pairs, in hundreds, doubled, and taken back."""

from __future__ import annotations

from dataclasses import dataclass

from graph.understanding.commands import Language
from graph.understanding.spoken.words import (
    ARTICLES,
    FILLERS,
    HUNDREDS,
    JOINT,
    ONE_AFTER,
    ONE_BEFORE,
    REPEATS,
    TAKE_BACK,
    TENS,
    THOUSAND,
    UNITS,
    ZERO_OR_SIGH,
    words_of,
)


@dataclass(frozen=True)
class Group:
    """Digits that were said as one number, and the words they came from."""

    digits: str
    start: int
    end: int  #: exclusive


def find_digits(text: str, language: Language) -> str:
    """The digit string spoken: "it's double five oh three" is "5503". A group taken back is replaced."""
    return next(iter(digit_readings(text, language)), "")


def digit_readings(text: str, language: Language) -> tuple[str, ...]:
    """Digit strings the words may mean, likeliest first: more than one where something was taken back."""
    words = words_of(text)
    runs = _taken_back_apart(words, language)
    if not runs:
        return ()
    likeliest = unreplaced = "".join(group.digits for group in runs[0])
    for run in runs[1:]:
        digits = "".join(group.digits for group in run)
        kept = likeliest[: -len(digits)] if len(digits) < len(likeliest) else ""
        unreplaced, likeliest = likeliest + digits, kept + digits
    sighed = likeliest[1:] if words[0] in ZERO_OR_SIGH else likeliest  # "oh nine seven two ..."
    return tuple(dict.fromkeys((likeliest, unreplaced, sighed)))


def digit_runs(text: str, language: Language) -> tuple[str, ...]:
    """The numbers with nothing but fillers inside: "at ten it's four five six" has two."""
    words = words_of(text)
    runs: list[str] = []
    previous_end = -1
    for group in spoken_groups(words, language):
        joined = runs and _only_fillers(words[previous_end : group.start], language)
        if joined:
            runs[-1] += group.digits
        else:
            runs.append(group.digits)
        previous_end = group.end
    return tuple(runs)


def spoken_groups(words: list[str], language: Language) -> list[Group]:
    """The numbers a caller gives, without the number words that are none: "one second", "un momento"."""
    groups = digit_groups(words, language)
    said = [word for word in words if word not in FILLERS[language]]
    return [
        group
        for at, group in enumerate(groups)
        if len(said) == group.end - group.start or not _only_a_word(words, groups, at, language)
    ]


def _only_a_word(words: list[str], groups: list[Group], at: int, language: Language) -> bool:
    group = groups[at]
    if group.end - group.start > 1:
        return False
    word = words[group.start]
    after = words[group.end] if group.end < len(words) else ""
    before = words[group.start - 1] if group.start else ""
    follows = at > 0 and _only_fillers(words[groups[at - 1].end : group.start], language)
    leads = at + 1 < len(groups) and _only_fillers(
        words[group.end : groups[at + 1].start], language
    )
    if language == "en" and word in ZERO_OR_SIGH:
        leads_straight = at + 1 < len(groups) and groups[at + 1].start == group.end
        return not (follows or leads_straight)
    if language == "en" and word == "one":
        return after in ONE_BEFORE["en"] or (before in ONE_AFTER["en"] and not (follows or leads))
    if word in ARTICLES[language]:
        apart = not (follows or (leads and word == "un"))
        return language == "es" or after in ONE_BEFORE[language] or apart
    return False


def _only_fillers(words: list[str], language: Language) -> bool:
    return all(word in FILLERS[language] for word in words)


def _taken_back_apart(words: list[str], language: Language) -> list[list[Group]]:
    runs: list[list[Group]] = []
    previous_end = 0
    for group in spoken_groups(words, language):
        between = f" {' '.join(words[previous_end : group.start])} "
        if not runs or any(f" {cue} " in between for cue in TAKE_BACK[language]):
            runs.append([])
        runs[-1].append(group)
        previous_end = group.end
    return runs


def digit_groups(words: list[str], language: Language) -> list[Group]:
    """Every number in the words, left to right."""
    groups: list[Group] = []
    at = 0
    while at < len(words):
        group = _repeated(words, at, language) or _number(words, at, language)
        if group is None:
            at += 1
            continue
        groups.append(group)
        at = group.end
    return groups


def _repeated(words: list[str], at: int, language: Language) -> Group | None:
    times = REPEATS[language].get(words[at])
    if times is None or at + 1 >= len(words):
        return None
    inner = _number(words, at + 1, language)
    if inner is None or len(inner.digits) > 2:
        return None
    single = inner.digits[:1] if words[at + 1].isdigit() or len(inner.digits) > 1 else inner.digits
    if len(inner.digits) == 2 and not words[at + 1].isdigit():
        return Group(inner.digits * times, at, inner.end)
    return Group(single * times + inner.digits[1:], at, inner.end)


def _number(words: list[str], at: int, language: Language) -> Group | None:
    word = words[at]
    if word.isdigit() and word.isascii():
        return _typed(words, at)
    if language == "fr":
        value, end = _french(words, at)
    else:
        value, end = _composed(words, at, language)
    return Group(str(value), at, end) if value is not None else None


def _typed(words: list[str], at: int) -> Group:
    return Group(words[at], at, at + 1)


def _composed(words: list[str], at: int, language: Language) -> tuple[int | None, int]:
    """English and Spanish: thousands, hundreds, tens and units in falling order make one number."""
    total: int | None = None
    block, last = 0, 10_000
    begun = False
    position = at
    if (
        language == "en"
        and words[at] == "a"
        and words[at + 1 : at + 2]
        in (
            ["hundred"],
            ["thousand"],
        )
    ):
        block, begun, position = 1, True, at + 1
    while position < len(words):
        word = words[position]
        if begun and word == JOINT[language] and _continues(words, position, language, last):
            position += 1
            continue
        if word in THOUSAND[language] and total is None and (begun or language == "es"):
            total = (total or 0) + (block or 1) * 1000
            block, last, begun = 0, 999, True
            position += 1
            continue
        if language == "en" and word == "hundred" and begun and 0 < block < 100:
            block, last = block * 100, 99
            position += 1
            continue
        size, value = _piece(word, language)
        if size is None or value is None or not _fits(size, value, last, begun=begun):
            break
        if last == 99 and value < 10 and _digits_follow(words, position, language):
            break  # "one eight hundred | five five five"
        block += value
        last = 1 if size == 1 else size
        begun = True
        position += 1
    if not begun:
        return None, at
    return (total or 0) + block, position


def _fits(size: int, value: int, last: int, *, begun: bool) -> bool:
    """May a piece of this size follow one of size `last`? After "twenty" only a unit, never "ten"."""
    return size < last and not (begun and value == 0) and not (last == 10 and value >= 10)


def _digits_follow(words: list[str], at: int, language: Language) -> bool:
    after = words[at + 1] if at + 1 < len(words) else ""
    before = words[at - 1] if at else ""
    return before != JOINT[language] and _piece(after, language)[0] == 1


def _piece(word: str, language: Language) -> tuple[int | None, int | None]:
    """The order of magnitude a word takes up (a smaller one may follow it), and its value."""
    if word in HUNDREDS[language] and language == "es":
        return 100, HUNDREDS[language][word]
    if word in TENS[language]:
        return 10, TENS[language][word]
    if word in UNITS[language]:
        return 1, UNITS[language][word]
    return None, None


def _continues(words: list[str], at: int, language: Language, last: int) -> bool:
    """ "treinta y cuatro", "one hundred and four": the joint is part of the number."""
    if at + 1 >= len(words):
        return False
    size, value = _piece(words[at + 1], language)
    if size is None or not value:
        return False
    if language == "es":
        return last == 10 and size == 1 and value < 10
    return last in (99, 999)


def _french(words: list[str], at: int) -> tuple[int | None, int]:
    """French counts in twenties from seventy on, so its numbers are read pair by pair."""
    value, end = _french_pair(words, at)
    if value is None and words[at] in ("cent", "mille"):
        value, end = 1, at
    if value is None:
        return None, at
    if end < len(words) and words[end] in ("cent", "cents") and 0 < value < 10:
        rest, after = _french_pair(words, end + 1)
        value, end = (value * 100 + (rest or 0), after if rest else end + 1)
    if end < len(words) and words[end] in THOUSAND["fr"] and value < 1000:
        rest, after = _french(words, end + 1) if end + 1 < len(words) else (None, end + 1)
        small = rest is not None and 0 < rest < 1000
        value, end = (value * 1000 + (rest if small and rest else 0), after if small else end + 1)
    return value, end


def _french_pair(words: list[str], at: int) -> tuple[int | None, int]:
    """0 to 99."""
    if at >= len(words):
        return None, at
    word = words[at]
    if word.isdigit() and len(word) <= 2:
        return None, at
    following = words[at + 1] if at + 1 < len(words) else ""
    if word == "quatre" and following in ("vingt", "vingts"):
        return _with_teens(80, words, at + 2)
    if word == "soixante":
        return _with_teens(60, words, at + 1)
    if word in TENS["fr"]:
        return _with_units(TENS["fr"][word], words, at + 1)
    if word == "dix" and following in ("sept", "huit", "neuf"):
        return 10 + UNITS["fr"][following], at + 2
    if word in UNITS["fr"]:
        return UNITS["fr"][word], at + 1
    return None, at


def _with_units(tens: int, words: list[str], at: int) -> tuple[int, int]:
    if at + 1 < len(words) and words[at] == "et" and words[at + 1] in ("un", "une"):
        return tens + 1, at + 2
    unit = UNITS["fr"].get(words[at]) if at < len(words) else None
    if unit is not None and 0 < unit < 10:
        return tens + unit, at + 1
    return tens, at


def _with_teens(tens: int, words: list[str], at: int) -> tuple[int, int]:
    """ "soixante-quinze", "quatre-vingt-dix-huit"."""
    start = (
        at + 1
        if at + 1 < len(words) and words[at] == "et" and words[at + 1] in ("onze", "un", "une")
        else at
    )
    if start < len(words) and words[start] == "dix":
        teen, end = _french_pair(words, start)
        return tens + (teen or 10), end
    unit = UNITS["fr"].get(words[start]) if start < len(words) else None
    if unit is not None and 0 < unit < 17:
        return tens + unit, start + 1
    return tens, at
