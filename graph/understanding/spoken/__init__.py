"""Speech-like text to values: digits, codes, contacts, addresses, times, choices. Pure, and silent on nonsense."""

from __future__ import annotations

from graph.understanding.spoken.address_words import STREET_TYPES
from graph.understanding.spoken.addresses import (
    AddressParts,
    check_address,
    normalise_address,
    parse_address,
)
from graph.understanding.spoken.choices import find_choice, find_rating
from graph.understanding.spoken.codes import find_code, find_order, find_postal_code
from graph.understanding.spoken.contacts import PhoneReading, find_email, find_name, find_phone
from graph.understanding.spoken.numbers import digit_groups, find_digits
from graph.understanding.spoken.times import When, parse_when

__all__ = [
    "STREET_TYPES",
    "AddressParts",
    "PhoneReading",
    "When",
    "check_address",
    "digit_groups",
    "find_choice",
    "find_code",
    "find_digits",
    "find_email",
    "find_name",
    "find_order",
    "find_phone",
    "find_postal_code",
    "find_rating",
    "normalise_address",
    "parse_address",
    "parse_when",
]
