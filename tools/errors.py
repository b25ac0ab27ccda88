"""What can go wrong in the company's systems, sorted by who acts on it.

DeskError            the business answered
  NotFound           ask again
  Refused(reason)    say why; the reason is a closed word, never a sentence
  BackendDown        retried already; say so and offer a callback
    BackendSlow      over the time limit for a lookup
"""

from __future__ import annotations

from typing import Literal

RefusalReason = Literal[
    "not_verified",  # the caller is not identified far enough
    "locked",  # too many failed attempts
    "rate_limited",  # too many requests
    "slot_taken",  # someone booked that time first
    "outside_hours",  # no callbacks at that time
    "invalid_value",  # the value does not fit the company's rules
    "code_expired",
    "code_used_up",
    "no_contact",  # nothing on file to send a code to
    "read_only",  # a replay changes nothing
]


class DeskError(Exception):
    """The company's systems said no."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class NotFound(DeskError):
    """There is no such record."""


class Refused(DeskError):
    """The company's rules refuse this."""

    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(f"refused: {reason}")
        self.reason: RefusalReason = reason


class BackendDown(DeskError):
    """The company's systems do not answer."""


class BackendSlow(BackendDown):
    """The company's systems took longer than a caller can wait."""
