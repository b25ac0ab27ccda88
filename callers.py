"""Where a call comes from, as far as the number tells: country, time zone, first language."""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import timezone as phone_timezones

from graph.state import Lang
from settings import Settings

LANGUAGE_OF_COUNTRY: dict[str, Lang] = {"ES": "es", "MX": "es", "AR": "es", "CO": "es", "FR": "fr"}
#: Digits of a number with its area, at least; what has fewer is an extension.
SHORTEST = 7
#: In front of a country's code instead of the plus: nearly everywhere, and in North America.
DIALLED_ABROAD = ("00", "011")
ZONE_OF_COUNTRY = {"US": "America/New_York", "ES": "Europe/Madrid", "FR": "Europe/Paris"}


class InvalidCaller(ValueError):
    """The caller's number cannot be one."""


@dataclass(frozen=True)
class Caller:
    """Where a call comes from, as far as the number tells."""

    number: str | None  #: E.164
    country: str
    zone: str
    language: Lang


def caller_of(number: str | None, settings: Settings) -> Caller:
    """Country, time zone and first language by the caller's number; the company's when it is withheld.

    Raises:
        InvalidCaller: no country has such numbers.
    """
    home = settings.company.country
    if not number:
        return Caller(None, home, _zone(home, settings), LANGUAGE_OF_COUNTRY.get(home, "en"))
    parsed = number_meant(number, home)
    if parsed is None:
        msg = "the caller's number is not a phone number: write it like +15035550127"
        raise InvalidCaller(msg)
    country = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    zones = [zone for zone in phone_timezones.time_zones_for_number(parsed) if "/" in zone]
    usable = len(zones) == 1 or country in zones
    zone = zones[0] if usable and zones[0] != "Etc/Unknown" else _zone(country, settings)
    return Caller(e164, country, zone, LANGUAGE_OF_COUNTRY.get(country, "en"))


def number_meant(written: str, country: str) -> phonenumbers.PhoneNumber | None:
    """The number, however it is written: with its plus, as at home, with the plus lost, or as dialled from abroad.

    The first of these that is a valid number; else the first that could be one, because new ranges are in no table.

    Args:
        country: where a number without its country's code is from.
    """
    read = [number for one in _ways_to_read(written.strip()) if (number := _read(one, country))]
    return next((one for one in read if phonenumbers.is_valid_number(one)), next(iter(read), None))


def _ways_to_read(written: str) -> tuple[str, ...]:
    if written.startswith(("+", "tel:")):
        return (written,)
    digits = re.sub(r"\D", "", written)
    if len(digits) < SHORTEST:
        return ()
    abroad = (f"+{digits.removeprefix(one)}" for one in DIALLED_ABROAD if digits.startswith(one))
    return (written, f"+{digits}", *abroad)


def _read(written: str, country: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(number)
    return number if possible == phonenumbers.ValidationResult.IS_POSSIBLE else None


def _zone(country: str, settings: Settings) -> str:
    return settings.company.zone or ZONE_OF_COUNTRY.get(country, "UTC")
