"""The phone's side of a call: who is calling, and the keypad. Putting callers through is in transfer.py."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Literal

import phonenumbers
import structlog
from livekit import rtc
from pydantic import BaseModel, ConfigDict

from callers import number_meant
from graph.state import Lang
from voice.timers import Later, Timer

log = structlog.get_logger(__name__)

#: Set by LiveKit's SIP bridge: https://docs.livekit.io/reference/telephony/sip-participant
SIP_NUMBER, SIP_CALL_ID = "sip.phoneNumber", "sip.callID"
#: Set by a token of ours, or by a SIP dispatch rule: a number people ring for Spanish, say.
NUMBER, LANGUAGE = "holdfast.number", "holdfast.language"

ANONYMOUS = "266696687"  #: spelled on a keypad, as some exchanges do
PAUSE = 2.5  #: seconds without a key after which an answer of unknown length is taken as complete
MOST_KEYS = 40  #: as many as a turn takes

#: How many digits a question takes, where that is known. A postal code has five, but where it is asked for an order
#: number is an answer, too; and the number to ring may begin with the 1 that says yes. Those end with a pause or `#`.
DIGITS_TAKEN: dict[str, int] = {
    "account.confirm": 1,
    "callback.confirm": 1,
    "closing.more": 1,
    "closing.satisfaction": 1,
    "escalation.choice": 1,
    "identity.code": 6,
    "resume.continue": 1,
}


class CallerIn(BaseModel):
    """Who is calling, as far as the line knows before a word is said."""

    model_config = ConfigDict(frozen=True)

    number: str | None  #: E.164; None when withheld
    call_id: str | None  #: the phone network's, for its log files
    language: Lang | None  #: where the way they came says so
    kind: Literal["phone", "browser"]


def caller_in(participant: rtc.Participant, country: str = "US") -> CallerIn:
    """Who this participant is. What can't be read is not known; nothing is an error.

    Args:
        country: where a number without its country's code is from.
    """
    attributes = participant.attributes
    phone = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP
    return CallerIn(
        number=_number(attributes.get(SIP_NUMBER if phone else NUMBER, ""), country),
        call_id=(attributes.get(SIP_CALL_ID) or None) if phone else None,
        language=_language(attributes.get(LANGUAGE, "")),
        kind="phone" if phone else "browser",
    )


def _number(given: str, country: str) -> str | None:
    """Trunks write a number with its plus, without it, as a SIP address, or "anonymous" in many words."""
    user = re.sub(r"^(sips?|tel):", "", given.strip(), flags=re.IGNORECASE).partition("@")[0]
    if not re.fullmatch(r"\+?[\d\s().\-]{3,}", user) or re.sub(r"\D", "", user) == ANONYMOUS:
        return None
    number = number_meant(user, country)
    e164 = phonenumbers.PhoneNumberFormat.E164
    return phonenumbers.format_number(number, e164) if number is not None else None


def _language(given: str) -> Lang | None:
    spoken: dict[str, Lang] = {"en": "en", "es": "es", "fr": "fr"}
    return spoken.get(given.strip().lower()[:2])


class Keypad:
    """Gathers the keys a caller presses into turns: ended by `#`, by the digits that the question takes, or by a pause.

    `*` takes back what was pressed so far. Which keys were pressed is never logged.
    """

    def __init__(
        self,
        room: rtc.Room,
        caller: str,
        *,
        asks: Callable[[], str | None],
        press: Callable[[str], Awaitable[None]],
        pause: float = PAUSE,
        later: Later | None = None,
    ) -> None:
        """
        Args:
            caller: identity of the only participant whose keys count.
            asks: the question that is open now.
            press: told of each turn's keys, one turn after another.
            later: default: the running event loop's timer.
        """
        self._room = room
        self._caller = caller
        self._asks = asks
        self._press = press
        self._pause = pause
        self._later: Later = later or asyncio.get_running_loop().call_later
        self._timer: Timer | None = None
        self._keys = ""
        self._order = asyncio.Lock()
        self._turns: set[asyncio.Task[None]] = set()
        room.on("sip_dtmf_received", self._received)

    def close(self) -> None:
        """No more keys count; a turn that was handed over goes on."""
        self._room.off("sip_dtmf_received", self._received)
        self._forget()

    def _received(self, event: rtc.SipDTMF) -> None:
        pressed_by = event.participant.identity if event.participant else None
        if pressed_by != self._caller or not re.fullmatch(r"[0-9*#]", event.digit):
            return
        if event.digit == "*":
            self._forget()
            return
        if event.digit == "#":
            self._end()
            return
        self._keys += event.digit
        if len(self._keys) >= DIGITS_TAKEN.get(self._asks() or "", MOST_KEYS):
            self._end()
        else:
            self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._later(self._pause, self._end)

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._keys = None, ""

    def _end(self) -> None:
        """The turn is complete. A `#` after a turn that ended by itself says nothing."""
        keys = self._keys
        self._forget()
        if not keys:
            return
        log.info("keypad.pressed", count=len(keys))
        turn = asyncio.create_task(self._handed_over(keys), name="keypad")
        self._turns.add(turn)
        turn.add_done_callback(self._turns.discard)

    async def _handed_over(self, keys: str) -> None:
        async with self._order:
            await self._press(keys)
