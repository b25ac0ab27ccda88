"""A callback time as far as the caller has said it, and how a later word completes an earlier one."""

from __future__ import annotations

from datetime import date, time

from pydantic import BaseModel, ConfigDict

PART_STARTS = {"morning": time(9, 30), "afternoon": time(14, 0), "evening": time(17, 0)}


class Wish(BaseModel):
    """A callback time as far as the caller said it. Written as in the `time` slot:

    `2026-11-24T16:30`, `2026-11-24`, `T16:30`, `2026-11-24/morning`, `/afternoon`, `asap`.
    """

    model_config = ConfigDict(frozen=True)

    day: date | None = None
    at: time | None = None
    part: str | None = None
    asap: bool = False


def parse_wish(text: str) -> Wish:
    """Raises ValueError when the text is not in the slot's form."""
    if text == "asap":
        return Wish(asap=True)
    rest, _, part = text.partition("/")
    day, _, at = rest.partition("T")
    return Wish(
        day=date.fromisoformat(day) if day else None,
        at=time.fromisoformat(at) if at else None,
        part=part if part in PART_STARTS else None,
    )


def is_wish(text: str) -> bool:
    """Is the text in the slot's form, and does it name a time?"""
    try:
        wish = parse_wish(text)
    except ValueError:
        return False
    return wish != Wish()


def merge_wish(before: str | None, said: str) -> str:
    """A time said after a day keeps the day, and the other way round."""
    if before is None or said == "asap" or before == "asap":
        return said
    old, new = parse_wish(before), parse_wish(said)
    day = new.day or old.day
    at = new.at or (old.at if new.part is None else None)
    text = day.isoformat() if day else ""
    if at is not None:
        return f"{text}T{at.isoformat(timespec='minutes')}"
    part = new.part or old.part
    return f"{text}/{part}" if part else text
