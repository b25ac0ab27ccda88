"""Which of the things offered, and how many of five."""

from __future__ import annotations

import re

from graph.understanding.commands import Language
from graph.understanding.lexicon import plain
from graph.understanding.spoken.numbers import find_digits
from graph.understanding.spoken.words import LONGEST

_ORDINALS: dict[Language, tuple[tuple[str, ...], ...]] = {
    "en": (
        ("first", "1st"),
        ("second", "2nd"),
        ("third", "3rd"),
        ("fourth", "4th"),
        ("fifth", "5th"),
    ),
    "es": (
        ("primero", "primera", "primer"),
        ("segundo", "segunda"),
        ("tercero", "tercera", "tercer"),
        ("cuarto", "cuarta"),
        ("quinto", "quinta"),
    ),
    "fr": (
        ("premier", "premiere"),
        ("deuxieme", "second", "seconde"),
        ("troisieme",),
        ("quatrieme",),
        ("cinquieme",),
    ),
}
_LAST: dict[Language, tuple[str, ...]] = {
    "en": ("last", "latter"),
    "es": ("ultimo", "ultima"),
    "fr": ("dernier", "derniere"),
}
_MIDDLE: dict[Language, tuple[str, ...]] = {"en": ("middle",), "es": ("medio",), "fr": ("milieu",)}
_OF_FIVE: dict[Language, str] = {
    "en": r"\b(?:out of|of|over)\s+(?:five|5)\b",
    "es": r"\b(?:de|sobre)\s+(?:cinco|5)\b",
    "fr": r"\b(?:sur)\s+(?:cinq|5)\b",
}
_ALL: dict[Language, tuple[str, ...]] = {
    "en": ("both", "all", "either", "neither"),
    "es": ("los dos", "las dos", "ambos", "ambas", "los tres", "las tres", "todos", "todas"),
    "fr": ("les deux", "les trois", "toutes", "tous"),
}
_ONE_STAR = re.compile(r"\b(?:une? etoile|una estrella)\b")
_IDLE = frozenset(
    "the one with a an that this it el la los las de del con un una ese esa le les du des avec celle celui qui "
    "order pedido commande please for and y et i want quiero je veux".split()
)


def find_choice(text: str, language: Language, offered: tuple[str, ...]) -> int | None:
    """Index of what was chosen, from 0: by order ("the second one"), by number, or by its words."""
    words = plain(text[:LONGEST]).split()
    if not words or not offered:
        return None
    if any(f" {all_} " in f" {' '.join(words)} " for all_ in _ALL[language]):
        return None
    by_order = _by_order(words, language, len(offered))
    if by_order is not None:
        return by_order if by_order < len(offered) else None
    by_words = _by_words(words, offered)
    if by_words is not None:
        return by_words
    digits = find_digits(text, language) or _named_one(words, language)
    if len(words) <= 4 and len(digits) == 1 and 0 < int(digits) <= len(offered):
        return int(digits) - 1
    return None


def _named_one(words: list[str], language: Language) -> str:
    """ "le un", "le numéro un": the article is the number here."""
    named = words[-1] in ("un", "une", "una") and words[-2:-1][:1] in (
        ["le"],
        ["la"],
        ["numero"],
        ["el"],
        ["option"],
        ["opcion"],
    )
    return "1" if named and language != "en" else ""


def _by_order(words: list[str], language: Language, count: int) -> int | None:
    for index, names in enumerate(_ORDINALS[language]):
        if any(name in words for name in names):
            return index
    if any(name in words for name in _LAST[language]):
        return count - 1
    if count == 3 and any(name in words for name in _MIDDLE[language]):
        return 1
    return None


def _by_words(words: list[str], offered: tuple[str, ...]) -> int | None:
    """The one whose words were said, when only one has them."""
    said = {word for word in words if word not in _IDLE and len(word) > 2}
    shared = [
        sum(_same(word, name) for word in said for name in set(plain(text).split()))
        for text in offered
    ]
    best = max(shared)
    return shared.index(best) if best > 0 and shared.count(best) == 1 else None


def _same(said: str, name: str) -> bool:
    """ "stools" and "stool", "cojines" and "cojín" are the same thing."""
    shorter, longer = sorted((said, name), key=len)
    plural = (
        len(shorter) > 3
        and longer.startswith(shorter)
        and longer[len(shorter) :] in ("s", "es", "x")
    )
    return said == name or plural


def find_rating(text: str, language: Language) -> int | None:
    """1 to 5: "four out of five", "un cinco", "je dirais quatre"."""
    cleaned = re.sub(_OF_FIVE[language], " ", plain(text[:LONGEST]))
    if _ONE_STAR.search(cleaned):
        return 1
    cleaned = re.sub(r"^oh?\b", "", cleaned).strip()  # a sigh, not a zero
    digits = find_digits(cleaned, language)
    if len(digits) == 2 and digits[0] == "1" and re.search(r"\b(?:una?|une)\b", cleaned):
        digits = digits[1]  # "un cinco": the article is no number
    if len(digits) != 1 or not "1" <= digits <= "5":
        return None
    if language != "en" and digits == "1" and not _one_is_meant(cleaned, language):
        return None
    return int(digits)


def _one_is_meant(text: str, language: Language) -> bool:
    """ "un" is also an article: alone, or after it nothing but a polite word."""
    return bool(
        re.search(
            r"\b(1|uno|une etoile|un)\b\s*(?:por favor|s'il vous plait|etoile|estrella)?$", text
        )
    )
