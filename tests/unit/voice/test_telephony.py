"""Who is calling, and which keys make a turn."""

from __future__ import annotations

import asyncio
import json

import phonenumbers
import pytest
from livekit import rtc

import voice.telephony
from tests.fakes.logged import logged
from tests.unit.voice.hand_timer import HandTimer
from tests.unit.voice.rooms import SIP, FakeParticipant, FakeRoom
from voice.telephony import PAUSE, CallerIn, Keypad, caller_in

NUMBER = "+15035550127"


def phone(number: str, **attributes: str) -> FakeParticipant:
    return FakeParticipant("sip_1", SIP, {"sip.phoneNumber": number, **attributes})


@pytest.mark.parametrize(
    "written",
    [
        NUMBER,
        "15035550127",
        "5035550127",
        "(503) 555-0127",
        "tel:+15035550127",
        "sip:+15035550127@carrier.example.com",
    ],
)
def test_number_is_read_however_the_trunk_writes_it(written: str) -> None:
    assert caller_in(phone(written)).number == NUMBER


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("34600123456", "US", "+34600123456"),  # E.164 that lost its plus
        ("34600123456", "ES", "+34600123456"),
        ("15035550127", "FR", NUMBER),
        ("447911123456", "US", "+447911123456"),
        ("0034600123456", "FR", "+34600123456"),  # dialled from abroad
        ("0034600123456", "US", "+34600123456"),
        ("01134600123456", "US", "+34600123456"),
        ("01134600123456", "ES", "+34600123456"),
        ("0015035550127", "ES", NUMBER),
        ("600123456", "ES", "+34600123456"),  # as at home
        ("0612345678", "FR", "+33612345678"),
        ("01 23 45 67 89", "FR", "+33123456789"),
        ("5035550127", "US", NUMBER),
        ("4792234567", "US", "+14792234567"),  # Norwegian with a plus: nearer home is likelier
        ("4792234567", "ES", "+4792234567"),
        ("0639981204", "FR", "+33639981204"),  # in no table of numbers yet
        ("33639981204", "US", "+33639981204"),
        ("15555550127", "US", "+15555550127"),
    ],
)
def test_number_without_its_plus_is_read_as_a_trunk_may_mean_it(
    written: str, country: str, number: str
) -> None:
    assert caller_in(phone(written), country).number == number


@pytest.mark.parametrize("country", ["US", "ES", "FR", "DE"])
@pytest.mark.parametrize("written", ["100", "1001", "2345", "40012", "555012", "266696687"])
def test_extension_and_a_spelled_anonymous_are_no_number(written: str, country: str) -> None:
    assert caller_in(phone(written), country).number is None
    assert caller_in(phone(f"sip:{written}@pbx.example.com"), country).number is None


def test_number_that_needs_its_area_is_no_number() -> None:
    assert caller_in(phone("5550127"), "US").number is None


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("+33639981204", "FR", "+33639981204"),  # a range kept for fiction
        ("+33 6 39 98 12 04", "US", "+33639981204"),
        ("sip:+33639981204@carrier.example.com", "US", "+33639981204"),
        ("+15555550127", "US", "+15555550127"),
    ],
)
def test_number_in_no_table_of_numbers_is_read_when_it_has_its_plus(
    written: str, country: str, number: str
) -> None:
    assert not phonenumbers.is_valid_number(phonenumbers.parse(number))
    assert caller_in(phone(written), country).number == number


@pytest.mark.parametrize(
    "written",
    ["", "anonymous", "Anonymous", "Restricted", "unavailable", "+", "+1", "0", "266696687", "+266696687",
     "sip:anonymous@anonymous.invalid", "alice", "12", "+999123456789012345678", "\x00", "😀"],
)  # fmt: skip
def test_withheld_or_impossible_number_is_no_number(written: str) -> None:
    assert caller_in(phone(written)).number is None


def test_phone_caller_brings_the_networks_call_id() -> None:
    caller = caller_in(phone(NUMBER, **{"sip.callID": "SCL_x"}))
    assert caller == CallerIn(number=NUMBER, call_id="SCL_x", language=None, kind="phone")


def test_phone_caller_without_attributes_is_answered_all_the_same() -> None:
    caller = caller_in(FakeParticipant("sip_1", SIP))
    assert caller == CallerIn(number=None, call_id=None, language=None, kind="phone")


def test_number_that_was_rung_can_say_the_language() -> None:
    assert caller_in(phone(NUMBER, **{"holdfast.language": "es"})).language == "es"


@pytest.mark.parametrize(
    ("given", "language"), [("fr", "fr"), ("ES-mx", "es"), ("de", None), ("", None)]
)
def test_browser_caller_is_who_the_token_says(given: str, language: str | None) -> None:
    attributes = {"holdfast.number": NUMBER, "holdfast.language": given}
    caller = caller_in(FakeParticipant("web-1", attributes=attributes))
    assert caller.model_dump() == {
        "number": NUMBER,
        "call_id": None,
        "language": language,
        "kind": "browser",
    }


def test_browser_cannot_pass_for_a_phone() -> None:
    caller = caller_in(FakeParticipant("web-1", attributes={"sip.phoneNumber": NUMBER}))
    assert caller.number is None


class Line:
    """A keypad on a line that asks something."""

    def __init__(self, asks: str | None) -> None:
        self.room = FakeRoom("caller", "somebody")
        self.timer = HandTimer()
        self.turns: list[str] = []
        self.asks = asks
        self.keypad = Keypad(
            self.room,
            "caller",
            asks=lambda: self.asks,
            press=self._press,
            later=self.timer,
        )

    async def _press(self, keys: str) -> None:
        self.turns.append(keys)

    async def press(self, digits: str, by: str | None = "caller") -> list[str]:
        self.room.press(digits, by)
        return await self.heard()

    async def heard(self) -> list[str]:
        for _ in range(3):
            await asyncio.sleep(0)
        return self.turns


async def test_hash_ends_an_answer() -> None:
    line = Line("identity.account")
    assert await line.press("5035550127") == []
    assert await line.press("#") == ["5035550127"]
    assert line.timer.running == 0


async def test_pause_ends_an_answer() -> None:
    line = Line("identity.fact")
    await line.press("972")
    line.timer.pass_(PAUSE - 0.5)
    await line.press("05")
    line.timer.pass_(PAUSE - 0.5)
    assert await line.heard() == []
    line.timer.pass_(0.5)
    assert await line.heard() == ["97205"]


async def test_code_ends_with_its_sixth_digit_and_a_hash_after_it_says_nothing() -> None:
    line = Line("identity.code")
    assert await line.press("12345") == []
    assert await line.press("6") == ["123456"]
    assert await line.press("#") == ["123456"]
    line.timer.pass_(PAUSE)
    assert await line.heard() == ["123456"]


@pytest.mark.parametrize(
    "asks",
    ["account.confirm", "callback.confirm", "closing.more", "escalation.choice", "resume.continue"],
)
@pytest.mark.parametrize("key", ["1", "2", "0"])
async def test_yes_no_and_a_person_take_one_key(asks: str, key: str) -> None:
    assert await Line(asks).press(key) == [key]


@pytest.mark.parametrize(
    "asks", ["callback.phone", "identity.fact", "order.which", "account.address", None]
)
async def test_where_one_key_may_be_the_first_of_many_more_are_waited_for(asks: str | None) -> None:
    line = Line(asks)
    assert await line.press("1") == []
    line.timer.pass_(PAUSE)
    assert await line.heard() == ["1"]


async def test_star_takes_back_what_was_pressed() -> None:
    line = Line("identity.code")
    await line.press("12*")
    assert line.timer.running == 0
    assert await line.press("654321") == ["654321"]


@pytest.mark.parametrize("keys", ["#", "*", "*#", "##"])
async def test_keys_that_say_nothing_are_no_turn(keys: str) -> None:
    line = Line("identity.fact")
    await line.press(keys)
    line.timer.pass_(PAUSE)
    assert await line.heard() == []


@pytest.mark.parametrize("by", ["somebody", None])
async def test_only_the_callers_keys_count(by: str | None) -> None:
    line = Line("account.confirm")
    assert await line.press("1", by=by) == []
    assert line.timer.running == 0


async def test_what_is_no_key_is_not_heard() -> None:
    line = Line("account.confirm")
    assert await line.press("Aé٣") == []
    two = rtc.SipDTMF(code=1, digit="11", participant=FakeParticipant("caller"))
    line.room.emit("sip_dtmf_received", two)
    assert await line.heard() == []


async def test_turns_of_keys_come_one_after_another() -> None:
    room, begun, may_end = FakeRoom("caller"), [], asyncio.Event()

    async def press(keys: str) -> None:
        begun.append(keys)
        await may_end.wait()

    Keypad(room, "caller", asks=lambda: "account.confirm", press=press, later=HandTimer())
    room.press("12", "caller")
    for _ in range(3):
        await asyncio.sleep(0)
    assert begun == ["1"]
    may_end.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert begun == ["1", "2"]


async def test_endless_keys_become_turns_of_forty() -> None:
    line = Line(None)
    assert await line.press("7" * 85) == ["7" * 40, "7" * 40]


async def test_closed_keypad_hears_nothing() -> None:
    line = Line("account.confirm")
    await line.press("12")
    line.keypad.close()
    line.timer.pass_(PAUSE)
    assert line.room.followed == 0
    assert await line.press("1") == ["1", "2"]


async def test_keys_are_not_logged() -> None:
    with logged(voice.telephony) as events:
        await Line("identity.code").press("482913")
    assert events
    assert "482913" not in json.dumps(events)
