"""Where a call comes from, as far as the number tells: country, time zone, first language."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from phonenumbers import timezone as phone_timezones

from graph.state import Lang
from settings import Settings

LANGUAGE_OF_COUNTRY: dict[str, Lang] = {"ES": "es", "MX": "es", "AR": "es", "CO": "es", "FR": "fr"}
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
    try:
        parsed = phonenumbers.parse(number, home)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        msg = "the caller's number is not a phone number: write it like +15035550127"
        raise InvalidCaller(msg)
    country = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    zones = [zone for zone in phone_timezones.time_zones_for_number(parsed) if "/" in zone]
    usable = len(zones) == 1 or country in zones
    zone = zones[0] if usable and zones[0] != "Etc/Unknown" else _zone(country, settings)
    return Caller(e164, country, zone, LANGUAGE_OF_COUNTRY.get(country, "en"))


def _zone(country: str, settings: Settings) -> str:
    return settings.company.zone or ZONE_OF_COUNTRY.get(country, "UTC")
