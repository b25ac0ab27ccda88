"""Facts as people say them aloud: numbers, codes, phones, money, dates, times, things. One function per kind of fact.

Postal addresses are in places.py.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Literal

import phonenumbers
from babel.dates import format_date
from babel.numbers import get_currency_name
from num2words import num2words

from graph.state import Lang
from tools.records import OrderItem

_TODAY: dict[Lang, dict[int, str]] = {
    "en": {-1: "yesterday", 0: "today", 1: "tomorrow"},
    "es": {-2: "anteayer", -1: "ayer", 0: "hoy", 1: "mañana", 2: "pasado mañana"},
    "fr": {-2: "avant-hier", -1: "hier", 0: "aujourd'hui", 1: "demain", 2: "après-demain"},
}
_JOINTS: dict[Lang, dict[str, str]] = {
    "en": {"and": "and", "or": "or"},
    "es": {"and": "y", "or": "o"},
    "fr": {"and": "et", "or": "ou"},
}
#: One, many, and the hundredth part: one, many.
_CURRENCIES: dict[Lang, dict[str, tuple[str, str, str, str]]] = {
    "en": {
        "USD": ("dollar", "dollars", "cent", "cents"),
        "EUR": ("euro", "euros", "cent", "cents"),
        "GBP": ("pound", "pounds", "penny", "pence"),
    },
    "es": {
        "USD": ("dólar", "dólares", "centavo", "centavos"),
        "EUR": ("euro", "euros", "céntimo", "céntimos"),
        "GBP": ("libra", "libras", "penique", "peniques"),
    },
    "fr": {
        "USD": ("dollar", "dollars", "cent", "cents"),
        "EUR": ("euro", "euros", "centime", "centimes"),
        "GBP": ("livre", "livres", "penny", "pence"),
    },
}
#: How feminine nouns that are counted begin.
_FEMININE = (
    *("libra", "corona", "rupia", "lira", "unidad"),
    *("livre", "couronne", "roupie", "lire", "fois"),
)


# Numbers, codes, phones -----------------------------------------------------------------------------------


def speak_number(value: int, language: Lang) -> str:
    """Counting, with nothing after it: "twenty-one", "veintiuno", "vingt et un"."""
    text = str(num2words(value, lang=language)).replace(",", "")
    return re.sub(r"uno (?=mil)", _cut_one, text) if language == "es" else text


def speak_count(value: int, noun: str, language: Lang) -> str:
    """A number with what it counts: "veintiún euros", "doscientas libras", "vingt et une livres"."""
    text = speak_number(value, language)
    feminine = noun.startswith(_FEMININE)
    if language == "es" and feminine:
        text = re.sub(r"cientos\b(?! mill)", "cientas", re.sub(r"uno$", "una", text))
    elif language == "es":
        text = re.sub(r"uno()$", _cut_one, text).rstrip()
    elif language == "fr" and feminine:
        text = re.sub(r"\bun$", "une", text)
    if re.search(r"(?:millón|millones|millions?)$", text) and language != "en":
        of = "d'" if language == "fr" and noun[:1] in "aeioué" else "de "
        return f"{text} {of}{noun}"
    return f"{text} {noun}"


def _cut_one(found: re.Match[str]) -> str:
    """ "veintiuno" before a noun is "veintiún", "treinta y uno" is "treinta y un"."""
    return "ún " if found.string[: found.start()].endswith("veinti") else "un "


def speak_code(code: str) -> str:
    """Letters and digits apart, in groups a listener can write down: "H F, 1 0 4 8 2"."""
    groups: list[str] = []
    for part in re.findall(r"[^\W_]+", code.upper()):
        joined: list[str] = []
        for run in re.findall(r"\d+|[^\W\d_]+", part):
            if joined and len(joined[-1]) + len(run) <= 4:
                joined[-1] += run
            else:
                joined.append(run)
        groups += [group for run in joined for group in _groups(run)]
    return ", ".join(" ".join(group) for group in groups)


def _groups(run: str, size: int = 4) -> list[str]:
    """Runs of up to five stay whole; longer ones are cut in fours, never leaving one character alone."""
    if len(run) <= size + 1:
        return [run]
    return [run[:size], *_groups(run[size:], size)]


def speak_phone(e164: str, language: Lang) -> str:
    """In the groups of its country, each digit apart; to the French, French pairs are numbers, as they say them."""
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return speak_code(e164)
    style = phonenumbers.PhoneNumberFormat.NATIONAL
    groups = re.findall(r"\d+", phonenumbers.format_number(number, style))
    if language == "fr" and number.country_code == 33:
        return ", ".join(speak_digits(group, language) for group in groups)
    return ", ".join(" ".join(group) for group in groups)


def speak_digits(digits: str, language: Lang) -> str:
    """A number with the zeros it begins with: "zéro six", "zéro zéro"."""
    rest = digits.lstrip("0")
    zeros = [speak_number(0, language)] * (len(digits) - len(rest))
    return " ".join([*zeros, speak_number(int(rest), language)] if rest else zeros)


# Money ----------------------------------------------------------------------------------------------------


def speak_money(cents: int, currency: str, language: Lang) -> str:
    """ "twelve dollars and fifty cents", "doce euros con cincuenta céntimos", "douze euros cinquante"."""
    whole, rest = divmod(abs(cents), 100)
    named = _CURRENCIES[language].get(currency)
    if named is None:
        text = _other_money(whole, rest, currency, language)
    elif rest and not whole:
        text = _counted(rest, named[2], named[3], language)
    else:
        text = _counted(whole, named[0], named[1], language)
        text += _small_change(rest, named, language) if rest else ""
    minus = {"en": "minus", "es": "menos", "fr": "moins"}[language]
    return f"{minus} {text}" if cents < 0 else text


def _counted(count: int, one: str, many: str, language: Lang) -> str:
    single = count == 1 or (count == 0 and language == "fr")
    return speak_count(count, one if single else many, language)


def _small_change(rest: int, named: tuple[str, str, str, str], language: Lang) -> str:
    if language == "fr" and rest >= 10:
        return f" {speak_number(rest, language)}"
    joint = {"en": "and", "es": "con", "fr": "et"}[language]
    return f" {joint} {_counted(rest, named[2], named[3], language)}"


def _other_money(whole: int, rest: int, currency: str, language: Lang) -> str:
    """A currency we have no words for: its name by CLDR, or its letters."""
    name = get_currency_name(currency, whole, locale=language)
    noun = speak_code(currency) if name == currency else name
    text = speak_count(whole, noun, language)
    if not rest:
        return text
    small = speak_digits(f"{rest:02d}", language)
    return f"{text} con {small}" if language == "es" else f"{text} {small}"


# Days and times -------------------------------------------------------------------------------------------


def speak_day(day: date, today: date, language: Lang) -> str:
    """With its preposition: "tomorrow", "on Thursday", "el martes tres de marzo", "le mardi trois mars"."""
    distance = (day - today).days
    near = _TODAY[language].get(distance)
    if near:
        return near
    if 0 < distance < 7:
        name = format_date(day, "EEEE", locale=language)
        return {"en": f"on {name}", "es": f"el {name}", "fr": name}[language]
    return _speak_far_day(day, today, language)


def _speak_far_day(day: date, today: date, language: Lang) -> str:
    year = "" if abs((day - today).days) < 300 else _year(day.year, language)
    month = format_date(day, "MMMM", locale=language)
    name = format_date(day, "EEEE", locale=language)
    if language == "en":
        ordinal = num2words(day.day, to="ordinal", lang="en")
        return f"on {name}, {month} {ordinal}{year}"
    if language == "es":
        number = "primero" if day.day == 1 else speak_number(day.day, "es")
        return f"el {name} {number} de {month}{year}"
    number = "premier" if day.day == 1 else speak_number(day.day, "fr")
    return f"le {name} {number} {month}{year}"


def _year(year: int, language: Lang) -> str:
    if language == "en":
        return f", {num2words(year, to='year', lang='en')}".replace(" and ", " ")
    return f"{' de' if language == 'es' else ''} {speak_number(year, language)}"


def speak_moment(moment: datetime, today: date, language: Lang) -> str:
    """Day and time: "tomorrow at half past three in the afternoon"."""
    return f"{speak_day(moment.date(), today, language)} {speak_time(moment, language)}"


def speak_time(moment: datetime, language: Lang) -> str:
    return {"en": _time_en, "es": _time_es, "fr": _time_fr}[language](moment.hour, moment.minute)


def _time_en(hour: int, minute: int) -> str:
    if minute == 0 and hour in (0, 12):
        return "at noon" if hour else "at midnight"
    part = (
        "at night"
        if hour < 1 or hour >= 21
        else "in the morning"
        if hour < 12
        else "in the afternoon"
        if hour < 18
        else "in the evening"
    )
    name = speak_number((hour - 1) % 12 + 1, "en")
    if minute == 0:
        return f"at {name} {part}"
    if minute == 30:
        return f"at half past {name} {part}"
    spoken = f"oh {speak_number(minute, 'en')}" if minute < 10 else speak_number(minute, "en")
    return f"at {name} {spoken} {part}"


def _time_es(hour: int, minute: int) -> str:
    parts = ((1, "de la noche"), (6, "de la madrugada"), (12, "de la mañana"), (13, "del mediodía"))
    later = "de la tarde" if hour < 20 else "de la noche"
    part = next((name for before, name in parts if hour < before), later)
    twelve = (hour - 1) % 12 + 1
    name = "la una" if twelve == 1 else f"las {speak_number(twelve, 'es')}"
    minutes = {0: "", 15: " y cuarto", 30: " y media"}.get(
        minute, f" y {speak_number(minute, 'es')}"
    )
    return f"a {name}{minutes} {part}"


def _time_fr(hour: int, minute: int) -> str:
    """Twenty-four hours, as in every French timetable; hours and minutes are feminine."""
    spoken = re.sub(r"\bun$", "une", speak_number(minute, "fr"))
    if hour in (0, 12):
        spoken = {0: "", 15: "et quart", 30: "et demi"}.get(minute, spoken)
        return f"à {'midi' if hour else 'minuit'} {spoken}".rstrip()
    name = re.sub(r"\bun$", "une", speak_number(hour, "fr"))
    hours = f"à {name} heure{'s' if hour != 1 else ''}"
    return hours if minute == 0 else f"{hours} {spoken}"


# Things, lists --------------------------------------------------------------------------------------------


def speak_items(items: tuple[OrderItem, ...], language: Lang) -> str:
    """What is in the parcel, first three things at most."""
    shown = [_speak_item(item, language) for item in items[:3]]
    more = len(items) - len(shown)
    if more:
        shown.append(_more_items(more, language))
    return speak_list(shown, language, "and")


def _more_items(more: int, language: Lang) -> str:
    if language == "en":
        return f"{speak_number(more, 'en')} more"
    if language == "es":
        return f"{speak_count(more, 'artículo' if more == 1 else 'artículos', 'es')} más"
    return speak_count(more, "autre article" if more == 1 else "autres articles", "fr")


def _speak_item(item: OrderItem, language: Lang) -> str:
    """Names are said as they stand, so they are counted without a plural."""
    if item.quantity == 1:
        return item.name
    if language == "en":
        return f"{speak_number(item.quantity, 'en')} of the {item.name}"
    if language == "es":
        return f"{speak_count(item.quantity, 'unidades', 'es')} de {item.name}"
    return f"{speak_count(item.quantity, 'fois', 'fr')} {item.name}"


def speak_list(parts: list[str], language: Lang, joined_by: Literal["and", "or"]) -> str:
    """ "a, b, and c"; a pause before the last where the parts have pauses of their own."""
    if len(parts) < 2:
        return "".join(parts)
    *before, last = parts
    joint = _JOINTS[language][joined_by]
    if language == "es":
        joint = _before_same_sound(joint, last)
    serial = language == "en" and len(parts) > 2
    pause = "," if serial or any("," in part for part in parts) else ""
    return f"{', '.join(before)}{pause} {joint} {last}"


def _before_same_sound(joint: str, word: str) -> str:
    """ "aguja e hilo", "siete u ocho"."""
    if joint == "y" and re.match(r"h?[ií](?![aeoáéó])", word, re.IGNORECASE):
        return "e"
    if joint == "o" and re.match(r"h?[oó]", word, re.IGNORECASE):
        return "u"
    return joint
