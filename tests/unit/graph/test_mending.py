"""What a caller takes back, doubts or completes: which part is wrong, a number alone, a yes in other words."""

from __future__ import annotations

import pytest

from graph.dialogue import with_house_number
from graph.understanding import commands as c
from tests.fakes.call import FakeCall
from tests.fakes.desk import FakeVault

ADDRESS = {
    "line1": "15 Main Street",
    "city": "Salem",
    "region": "OR",
    "postal_code": "97301",
}


def given(slot: c.Slot, value: str) -> c.Answer:
    return c.Answer(slot=slot, value=value)


async def at_read_back() -> FakeCall:
    call = await FakeCall.answered()
    await call.say("update_address")
    await call.say(given("postal_code", "97205"))
    await call.say(given("code", FakeVault.CODE))
    await call.say(*(c.Answer.model_validate({"slot": s, "value": v}) for s, v in ADDRESS.items()))
    assert call.asks == "account.confirm"
    return call


async def at_callback_read_back() -> FakeCall:
    call = await FakeCall.answered()
    await call.say("callback")
    await call.say(given("topic", "a return"))
    await call.say("affirm")
    await call.say(given("time", "2026-11-24T10:00"))
    assert call.asks == "callback.confirm"
    return call


@pytest.mark.parametrize("slot", ["line1", "city", "postal_code", "region"])
async def test_a_part_named_as_wrong_is_asked_for_and_the_others_are_kept(slot: c.Slot) -> None:
    call = await at_read_back()
    await call.say(c.Correct(slot=slot))
    assert call.asks == "account.address"
    again = [given(s, v) for s, v in ADDRESS.items() if s in (slot, "postal_code", "region")]  # type: ignore[arg-type]
    await call.say(*again)
    assert call.asks == "account.confirm"
    await call.say("affirm")
    assert call.did == ("update_address",)


async def test_a_part_named_after_a_refused_read_back_is_asked_for() -> None:
    call = await at_read_back()
    await call.say("deny")
    await call.say(c.Correct(slot="city"))
    assert call.case.question is not None
    assert call.case.question.slot == "city"


@pytest.mark.parametrize(
    ("slot", "asks"),
    [("time", "callback.time"), ("phone", "callback.phone"), ("topic", "callback.topic")],
)
async def test_a_part_of_a_callback_named_as_wrong_is_asked_for(slot: c.Slot, asks: c.Asks) -> None:
    call = await at_callback_read_back()
    await call.say(c.Correct(slot=slot))
    assert call.asks == asks
    assert call.company.callbacks.bookings == {}


@pytest.mark.parametrize("second_thought", ["affirm", "deny"])
async def test_a_refused_read_back_that_was_right_after_all_is_read_back_again(
    second_thought: str,
) -> None:
    call = await at_read_back()
    await call.say("deny")
    await call.say(second_thought)
    assert (call.asks, call.did) == ("account.confirm", ())
    await call.say("affirm")
    assert call.did == ("update_address",)


async def test_a_number_alone_is_the_house_number_of_the_street_given() -> None:
    call = await at_read_back()
    await call.say(c.Correct(slot="line1", value="50"))
    await call.say("affirm")
    assert call.company.customers.rows["C-1"].address.line1 == "50 Main Street"


@pytest.mark.parametrize(
    ("street", "number", "whole"),
    [
        ("15 Main Street", "50", "50 Main Street"),
        ("Main Street", "50", "50 Main Street"),
        ("Calle Mayor 8", "18", "Calle Mayor 18"),
        ("Calle Mayor", "18", "Calle Mayor 18"),
        ("Rue de la Paix", "12", "12 Rue de la Paix"),
        ("15 Main Street", "50 Oak Lane", "50 Oak Lane"),
        ("50", "Main Street", "50 Main Street"),
        ("8", "Calle Mayor", "Calle Mayor 8"),
        ("50", "60", "60"),
        (None, "50", "50"),
    ],
)
def test_a_house_number_joins_the_street(street: str | None, number: str, whole: str) -> None:
    assert with_house_number(street, number) == whole


@pytest.mark.parametrize("words", [c.Cancel(), c.Callback(action="cancel")])
async def test_cancel_it_is_a_yes_to_shall_i_cancel_it(words: c.Command) -> None:
    call = await at_callback_read_back()
    await call.say("affirm")
    await call.say(c.Callback(action="cancel"))
    assert call.asks == "callback.confirm"
    await call.say(c.Affirm(), words)
    assert call.did == ("cancel_callback",)


async def test_a_callback_not_booked_yet_is_dropped_when_the_caller_cancels_it() -> None:
    call = await at_callback_read_back()
    await call.say(c.Callback(action="cancel"))
    assert (call.asks, call.case.stack) == ("closing.more", ())
    assert "callback-none-found" not in call.lines


async def test_naming_the_open_flow_again_is_a_yes_to_going_on() -> None:
    call = await at_read_back()
    await call.resume()
    assert call.asks == "resume.continue"
    await call.say("update_address")
    assert call.asks == "identity.fact"


async def test_what_did_you_say_means_the_last_thing_said_not_an_older_answer() -> None:
    call = await FakeCall.answered()
    await call.say("update_address")
    await call.say(c.AskFaq(question="what is your return policy"))
    await call.say("hold_on")
    await call.say("repeat")
    assert "faq-answer" in call.lines
    await call.say(given("postal_code", "97205"))
    await call.say(given("code", FakeVault.CODE))
    await call.say("repeat")
    assert "faq-answer" not in call.lines
    assert call.asks == "account.address"


async def at_address() -> FakeCall:
    call = await FakeCall.answered()
    await call.say("update_address")
    await call.say(given("postal_code", "97205"))
    await call.say(given("code", FakeVault.CODE))
    assert call.asks == "account.address"
    return call


async def test_number_and_street_said_apart_are_one_line() -> None:
    call = await at_address()
    await call.say(given("line1", "50"))
    assert call.case.question is not None
    assert call.case.question.slot == "line1"
    await call.say(given("line1", "Main Street"))
    await call.say(given("city", "Salem"), given("postal_code", "97301"))
    await call.say("affirm")
    assert call.company.customers.rows["C-1"].address.line1 == "50 Main Street"


async def test_a_street_without_a_number_is_asked_for_it_once() -> None:
    call = await at_address()
    await call.say(given("line1", "Mill Lane"))
    assert call.case.question is not None
    assert call.case.question.slot == "line1"
    await call.say(given("line1", "Mill Lane"))
    await call.say(given("city", "Salem"), given("postal_code", "97301"))
    assert call.asks == "account.confirm"


async def test_a_wrong_number_is_asked_for_and_the_street_is_kept() -> None:
    call = await at_read_back()
    await call.say(c.Correct(slot="line1"))
    await call.say(given("line1", "60"))
    await call.say("affirm")
    assert call.company.customers.rows["C-1"].address.line1 == "60 Main Street"


async def test_a_phone_number_is_put_together_from_its_pieces() -> None:
    call = await FakeCall.answered()
    await call.say("update_phone")
    await call.say(given("postal_code", "97205"))
    await call.say(given("code", FakeVault.CODE))
    await call.say(given("phone", "503555"))
    assert call.asks == "account.phone"
    await call.say(given("phone", "0144"))
    assert call.asks == "account.confirm"
    await call.say("affirm")
    assert call.company.customers.rows["C-1"].phone == "+15035550144"


async def test_a_callback_number_is_put_together_from_its_pieces() -> None:
    call = await FakeCall.answered()
    await call.say("callback")
    await call.say(given("topic", "a return"))
    await call.say(given("phone", "503555"))
    assert call.asks == "callback.phone"
    await call.say(given("phone", "0144"))
    assert call.asks == "callback.time"


async def test_a_number_begun_anew_is_not_joined_to_its_beginning() -> None:
    call = await FakeCall.answered()
    await call.say("callback")
    await call.say(given("topic", "a return"))
    await call.say(given("phone", "503555"))
    await call.say(given("phone", "+15035550155"))
    assert call.asks == "callback.time"
    assert call.case.stack[-1].phone == "+15035550155"  # type: ignore[union-attr]
