"""Callbacks: booked, moved or cancelled. Run inside EffectLog.run_once."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from tools.errors import NotFound
from tools.ports import CallbackCalendar, LanguageCode
from tools.records import CallbackBooking


async def perform_callback(
    calendar: CallbackCalendar,
    *,
    effect: Literal["book_callback", "change_callback", "cancel_callback"],
    call_id: UUID,
    topic: str,
    phone: str,
    at: datetime,
    country: str,
    language: LanguageCode,
    callback_id: UUID | None,
) -> CallbackBooking:
    """The booking as it is now.

    Raises:
        Refused: the time is taken or outside the opening hours.
        NotFound: there is no such booking any more.
    """
    if effect == "book_callback":
        return await calendar.book(
            call_id=call_id, topic=topic, phone=phone, at=at, country=country, language=language
        )
    if callback_id is None:
        raise NotFound
    if effect == "change_callback":
        return await calendar.move(callback_id, at, country)
    return await calendar.cancel(callback_id)
