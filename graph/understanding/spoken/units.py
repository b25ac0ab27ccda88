"""The second line of an address: flat, floor, door, building, in whatever order they are said."""

from __future__ import annotations

import re

from graph.understanding.commands import Language
from graph.understanding.spoken.address_words import LEADS, UNITS, Left
from graph.understanding.spoken.numbers import digit_groups

_BEFORE_UNIT_VALUE = frozenset("number numero n is es est c'est the el le la".split())
#: Units that have no number of their own.
_NAMED_FLOORS_ES = {
    "bajo": "Bajo",
    "atico": "Ático",
    "principal": "Principal",
    "entresuelo": "Entresuelo",
}
_FLOORS_ES = {
    "primero": "1", "primer": "1", "segundo": "2", "tercero": "3", "tercer": "3", "cuarto": "4", "quinto": "5",
    "sexto": "6", "septimo": "7", "octavo": "8", "noveno": "9", "decimo": "10",
}  # fmt: skip
_DOORS_ES = {
    "primera": "1",
    "segunda": "2",
    "tercera": "3",
    "cuarta": "4",
    "quinta": "5",
    "sexta": "6",
}
_SIDES_ES = frozenset("izquierda derecha centro interior exterior".split())
_ORDINALS_FR = {
    "premier": "1er", "deuxieme": "2e", "troisieme": "3e", "quatrieme": "4e", "cinquieme": "5e", "sixieme": "6e",
    "septieme": "7e", "huitieme": "8e", "neuvieme": "9e", "dixieme": "10e",
}  # fmt: skip


def take_units(left: Left, language: Language) -> None:
    """ "apartment four b", "escalera dos tercero b", "bâtiment c escalier deux", "2e étage": all of them, as said."""
    if language == "es":
        _take_units_es(left)
        return
    values: list[str] = []
    at = 0
    while at < len(left.plain):
        found = _unit(left, at, language) if left.plain[at] in UNITS[language] else None
        if found is None:
            at += 1
            continue
        start, end, value = found
        values.append(value)
        left.cut(start, end)
        at = start + 1
    if values:
        left.parts["line2"] = ", ".join(values)


def _unit(left: Left, at: int, language: Language) -> tuple[int, int, str] | None:
    """Where the unit starts and ends, and its text; None when it has neither number nor letter."""
    name = left.said[at]
    end, value = _unit_value(left, at + 1, language)
    if value:
        return at, end, f"{name[:1].upper()}{name[1:]} {value}"
    before = left.plain[at - 1] if at else ""
    if language == "fr" and before in _ORDINALS_FR:
        return at - 1, at + 1, f"{_ORDINALS_FR[before]} {name}"
    if before[-2:] in ("st", "nd", "rd", "th") or re.fullmatch(r"\d+(?:e|er|eme)?", before):
        said = left.said[at - 1]
        return at - 1, at + 1, f"{said[:1].upper()}{said[1:]} {name}"
    return None


def _unit_value(left: Left, at: int, language: Language) -> tuple[int, str]:
    """Number and letter after the word for the unit: "two oh three", "twelve b", "c"."""
    value = ""
    groups = {group.start: group for group in digit_groups(left.plain, language)}
    while at < len(left.plain) and left.plain[at] in _BEFORE_UNIT_VALUE:
        at += 1
    while at in groups and len(value) + len(groups[at].digits) <= 4:
        value, at = value + groups[at].digits, groups[at].end
    if not value and at < len(left.plain) and re.fullmatch(r"\d+[a-z]", left.plain[at]):
        return at + 1, left.plain[at].upper()
    if at < len(left.plain) and re.fullmatch(r"[a-z]", left.plain[at]):
        lone = (
            not value
            or at + 1 == len(left.plain)
            or left.plain[at] not in ("a", "y", "e", "o", "i")
        )
        if lone:
            value, at = value + left.plain[at].upper(), at + 1
    return at, value


def _take_units_es(left: Left) -> None:
    """Stair, floor and door: "escalera dos tercero b" is "Escalera 2, 3 B"."""
    values: list[str] = []
    at = 0
    while at < len(left.plain):
        found = _unit_es(left, at)
        if found is None:
            at += 1
            continue
        end, value = found
        if left.plain[at] == "puerta" and values and values[-1].isdigit():
            values[-1] = f"{values[-1]} {value.removeprefix('Puerta ')}"
        else:
            values.append(value)
        left.cut(at, end)
        at += 1
    if values:
        left.parts["line2"] = ", ".join(values)


def _unit_es(left: Left, at: int) -> tuple[int, str] | None:
    word = left.plain[at]
    after = left.plain[at + 1] if at + 1 < len(left.plain) else ""
    if word in ("piso", "planta"):
        floor = _floor_es(left.plain, at + 1)
        if floor:
            return floor
    if word in _NAMED_FLOORS_ES:
        end, door = _door_es(left.plain, at + 1)
        named = (
            at + 1 == len(left.plain) or door or (at and left.plain[at - 1] in ("piso", "|", "el"))
        )
        return (end, f"{_NAMED_FLOORS_ES[word]} {door}".strip()) if named else None
    if word in UNITS["es"]:
        end, value = _unit_value(left, at + 1, "es")
        return (end, f"{word.capitalize()} {value}") if value else None
    if word in _FLOORS_ES and after != "de":
        found = _floor_es(left.plain, at)
        alone = at == 0 or left.plain[at - 1] in LEADS["es"]
        return None if found is None or (alone and found[0] == at + 1) else found
    return None


def _floor_es(words: list[str], at: int) -> tuple[int, str] | None:
    """The floor and the door behind it."""
    if at >= len(words):
        return None
    groups = {group.start: group for group in digit_groups(words, "es")}
    if words[at] in _FLOORS_ES:
        floor, at = _FLOORS_ES[words[at]], at + 1
    elif at in groups:
        floor, at = groups[at].digits, groups[at].end
    else:
        return None
    end, door = _door_es(words, at)
    return end, f"{floor} {door}".strip()


def _door_es(words: list[str], at: int) -> tuple[int, str]:
    word = words[at] if at < len(words) else ""
    if re.fullmatch(r"[a-z]", word) and (
        word not in ("y", "a", "e", "o") or at + 1 == len(words) or word == "a"
    ):
        return at + 1, word.upper()
    if word in _SIDES_ES:
        return at + 1, word
    return (at + 1, _DOORS_ES[word]) if word in _DOORS_ES else (at, "")
