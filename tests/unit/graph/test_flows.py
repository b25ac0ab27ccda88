"""What a caller can do, flow by flow: state and records after each turn, never the wording."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from graph.state import HISTORY_KEPT, AddressFlow, CallState, HumanFlow
from graph.understanding import commands as c
from tests.fakes.call import MONDAY, FakeCall
from tests.fakes.desk import JANE, FakeVault, an_order
from tools.records import Address, OrderStatusWord

FACT = c.Answer(slot="postal_code", value="97205")
CODE = c.Answer(slot="code", value=FakeVault.CODE)
NEW_PHONE = "+15035550144"
PARTS: dict[c.Slot, str] = {
    "line1": "50 Main Street",
    "city": "Salem",
    "region": "OR",
    "postal_code": "97301",
}
SALEM = Address(
    line1="50 Main Street", city="Salem", region="OR", postal_code="97301", country="US"
)
TUESDAY_TEN = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def given(slot: c.Slot, value: str) -> c.Answer:
    return c.Answer(slot=slot, value=value)


def corrected(slot: c.Slot, value: str) -> c.Correct:
    return c.Correct(slot=slot, value=value)


def address(**changed: str) -> list[c.Answer]:
    parts = {**PARTS, **changed}
    return [
        c.Answer.model_validate({"slot": slot, "value": value}) for slot, value in parts.items()
    ]


def on_file(call: FakeCall) -> Address:
    return call.company.customers.rows["C-1"].address


def changes(call: FakeCall) -> int:
    return len(call.company.customers.changes)


async def verified(flow: str | c.Command) -> FakeCall:
    """Jane, identified by fact and code, at the first question of the flow."""
    call = await FakeCall.answered()
    await call.say(flow)
    await call.say(FACT)
    await call.say(CODE)
    return call


async def at_read_back() -> FakeCall:
    call = await verified("update_address")
    await call.say(*address())
    assert call.asks == "account.confirm"
    return call


async def at_orders() -> FakeCall:
    """Jane, at the question which of her orders she means."""
    call = await FakeCall.answered()
    await call.say("order_status")
    await call.say(FACT)
    assert call.asks == "order.which"
    return call


async def at_callback_read_back() -> FakeCall:
    call = await FakeCall.answered()
    await call.say("callback")
    await call.say(given("topic", "a return"))
    await call.say("affirm")
    await call.say(given("time", "2026-11-24T10:00"))
    assert call.asks == "callback.confirm"
    return call


# Orders -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status",
    [
        "placed",
        "processing",
        "shipped",
        "out_for_delivery",
        "delivered",
        "delayed",
        "returned",
        "cancelled",
        "lost",
    ],
)
async def test_an_order_is_told_in_every_status(status: OrderStatusWord) -> None:
    call = await FakeCall.answered()
    call.company.orders.rows = (an_order("HF-10482", "C-1", MONDAY, status=status),)
    await call.say("order_status")
    await call.say(FACT)
    assert call.lines[0] == f"order-{status.replace('_', '-')}"
    assert call.case.last_order == "HF10482"
    assert "order_status" in call.case.answered


async def test_a_lost_order_offers_a_person() -> None:
    call = await FakeCall.answered()
    call.company.orders.rows = (an_order("HF-10482", "C-1", MONDAY, status="lost"),)
    await call.say("order_status", FACT)
    await call.say(FACT)
    assert (call.asks, call.state["flow"]) == ("escalation.choice", "talk_to_human")


async def test_a_customer_without_orders_is_told_so() -> None:
    call = await FakeCall.answered()
    call.company.orders.rows = ()
    await call.say("order_status")
    await call.say(FACT)
    assert "order-none" in call.lines
    assert call.asks == "closing.more"


async def test_one_of_several_orders_is_chosen() -> None:
    call = await at_orders()
    assert call.case.question is not None
    assert call.case.question.offered == ("Oak stool", "Brass lamp")
    await call.say(given("choice", "2"))
    assert "order-delivered" in call.lines
    assert call.case.last_order == "HF10311"


@pytest.mark.parametrize("nonsense", ["9", "0", "²", "now"])
async def test_a_choice_that_was_not_offered_is_asked_again(nonsense: str) -> None:
    call = await at_orders()
    await call.say(given("choice", nonsense))
    assert call.asks == "order.which"
    assert call.case.question is not None
    assert call.case.question.rung == 1


async def test_somebody_elses_order_is_not_found() -> None:
    call = await at_orders()
    await call.say(given("order", "HF20001"))
    assert "order-not-found" in call.lines
    assert call.asks == "order.which"


async def test_the_last_order_needs_no_choice() -> None:
    call = await FakeCall.answered()
    await call.say(c.OrderStatus(last=True))
    await call.say(FACT)
    assert call.case.last_order == "HF10482"


async def test_delivered_and_not_received_goes_to_a_person_with_the_order_in_the_record() -> None:
    call = await FakeCall.answered()
    call.company.staff.free = True
    await call.say(c.OrderStatus(order="HF10311", problem="not_received"))
    ((record, way),) = call.company.staff.handovers
    assert (record.reason, way) == ("order_problem", "transfer")
    assert "HF-10311" in record.asked
    assert (call.ended, call.state["outcome"], call.did) == (True, "escalated", ("hand_over",))


async def test_a_callback_for_an_order_problem_never_speaks_the_order_number() -> None:
    """It may be read back when nobody is identified any more."""
    call = await FakeCall.answered()
    await call.say(c.OrderStatus(order="HF10311", problem="not_received"))
    assert call.asks == "escalation.choice"
    await call.say("affirm")
    await call.resume()
    await call.say("affirm")
    await call.say(given("topic", "a parcel"))
    await call.say("affirm")
    await call.say(given("time", "2026-11-24T10:00"))
    assert (call.asks, call.state["verified"]) == ("callback.confirm", 0)
    assert "10311" not in call.text
    await call.say("affirm")
    ((record, way),) = call.company.staff.handovers
    assert (record.reason, way) == ("order_problem", "queue")
    assert "HF-10311" in record.asked


# Address ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slots", list(permutations(PARTS))[::5])
async def test_parts_of_an_address_come_in_any_order(slots: tuple[c.Slot, ...]) -> None:
    call = await verified("update_address")
    for slot in slots:
        if call.asks == "account.confirm":  # a postal code can tell the state
            break
        assert call.asks == "account.address"
        await call.say(given(slot, PARTS[slot]))
    assert call.asks == "account.confirm"
    await call.say("affirm")
    assert on_file(call) == SALEM
    assert call.did == ("update_address",)


async def test_an_address_in_one_breath_is_read_back_at_once() -> None:
    call = await at_read_back()
    await call.say("affirm")
    assert on_file(call) == SALEM


async def test_a_change_tells_the_contact_that_was_on_file() -> None:
    call = await verified("update_phone")
    await call.say(given("phone", NEW_PHONE))
    await call.say("affirm")
    assert call.company.customers.rows["C-1"].phone == NEW_PHONE
    (notice,) = [one for one in call.company.notices.sent if one.kind == "phone_changed"]
    assert notice.to == JANE.phone


async def test_the_address_already_on_file_is_no_change() -> None:
    call = await verified("update_address")
    same = JANE.address
    await call.say(
        given("line1", same.line1),
        given("city", same.city),
        given("region", same.region),
        given("postal_code", same.postal_code),
    )
    assert "address-same" in call.lines
    assert changes(call) == 0


async def test_half_a_phone_number_is_asked_again() -> None:
    call = await verified("update_phone")
    await call.say(given("phone", "503555"))
    assert call.asks == "account.phone"
    assert "phone-incomplete" in call.lines


@pytest.mark.parametrize("value", ["+", "+abc", "", "call me", "+1"])
async def test_what_cannot_be_a_phone_number_is_never_proposed(value: str) -> None:
    call = await verified("update_phone")
    await call.say(given("phone", value))
    assert call.asks == "account.phone"


async def test_a_correction_of_a_part_is_read_back_again() -> None:
    call = await at_read_back()
    before = call.case.proposal
    await call.say(corrected("line1", "15 Main Street"))
    assert call.asks == "account.confirm"
    assert before is not None
    assert call.case.proposal is not None
    assert call.case.proposal.key != before.key
    await call.say("affirm")
    assert on_file(call).line1 == "15 Main Street"


async def test_a_correction_while_the_address_is_half_given() -> None:
    call = await verified("update_address")
    await call.say(given("line1", "50 Main Street"))
    await call.say(corrected("line1", "15 Main Street"), given("city", "Salem"))
    flow = call.case.stack[-1]
    assert isinstance(flow, AddressFlow)
    assert (flow.parts.line1, flow.parts.city) == ("15 Main Street", "Salem")


async def test_a_no_to_the_read_back_asks_what_to_correct() -> None:
    call = await at_read_back()
    await call.say("deny")
    assert call.asks == "account.address"
    await call.say(given("line1", "15 Main Street"))
    assert call.asks == "account.confirm"
    assert changes(call) == 0


async def test_a_refused_phone_number_is_asked_for_again() -> None:
    call = await verified("update_phone")
    await call.say(given("phone", NEW_PHONE))
    await call.say("deny")
    assert call.asks == "account.phone"


async def test_cancelling_drops_the_change() -> None:
    call = await at_read_back()
    await call.say("cancel")
    assert call.case.stack == ()
    assert call.case.proposal is None
    await call.say("affirm")
    assert changes(call) == 0


# Promise 2: a yes ---------------------------------------------------------------------------------------


async def test_a_yes_to_a_read_back_that_was_cut_off_confirms_nothing() -> None:
    call = await at_read_back()
    await call.say("affirm", heard="So the new")
    assert (call.asks, changes(call)) == ("account.confirm", 0)
    await call.say("affirm")
    assert changes(call) == 1


async def test_a_cut_off_read_back_is_not_heard_because_of_a_moment_of_waiting() -> None:
    call = await at_read_back()
    await call.say("hold_on", heard="So the new")
    await call.say("affirm")
    assert (call.asks, changes(call)) == ("account.confirm", 0)


async def test_the_read_back_heard_before_a_moment_of_waiting_counts() -> None:
    call = await at_read_back()
    await call.say("hold_on")
    await call.say("affirm")
    assert changes(call) == 1


@pytest.mark.parametrize(
    "said",
    [
        ["affirm", "deny"],
        ["affirm", c.Correct()],
        ["affirm", "cancel"],
        ["affirm", "hold_on"],
        ["affirm", "repeat"],
        ["affirm", given("line1", "15 Main Street")],
        [corrected("line1", "15 Main Street"), "deny"],
        [corrected("line1", "15 Main Street"), "affirm"],
        ["deny", "deny"],
    ],
)
async def test_a_yes_taken_back_in_the_same_breath_confirms_nothing(
    said: list[c.Command | str],
) -> None:
    call = await at_read_back()
    await call.say(*said)
    assert changes(call) == 0


async def test_a_yes_twice_acts_once() -> None:
    call = await at_read_back()
    await call.say("affirm", "affirm")
    await call.say("affirm")
    assert changes(call) == 1


async def test_a_yes_before_the_question_confirms_nothing() -> None:
    call = await verified("update_address")
    await call.say("affirm", *address())
    assert (call.asks, changes(call)) == ("account.confirm", 0)


async def test_yes_and_more_serves_both() -> None:
    call = await at_read_back()
    await call.say("affirm", c.OrderStatus(last=True))
    assert changes(call) == 1
    assert call.did == ("update_address",)
    assert {"done-address", "order-shipped"} <= set(call.lines)


async def test_an_open_proposal_keeps_its_key_when_the_call_drops() -> None:
    call = await at_read_back()
    assert call.case.proposal is not None
    key = call.case.proposal.key
    await call.resume()
    assert call.asks == "resume.continue"
    await call.say("affirm")
    await call.say(FACT)
    await call.say(CODE)
    assert call.asks == "account.confirm"
    assert call.case.proposal.key == key
    await call.say("affirm")
    assert changes(call) == 1
    assert [one for one in call.company.effects.performed if one.effect == "update_address"] == [
        key
    ]


async def test_yes_to_going_on_is_no_yes_to_the_change() -> None:
    call = await at_read_back()
    await call.resume()
    await call.say("affirm", "affirm")
    await call.say("affirm")
    assert changes(call) == 0


async def test_a_write_that_failed_is_retried_under_its_key() -> None:
    call = await at_read_back()
    assert call.case.proposal is not None
    key = call.case.proposal.key
    call.company.wire.down.add("effects")
    await call.say("affirm")
    assert (call.asks, call.did, changes(call)) == ("escalation.choice", (), 0)
    call.company.wire.down.clear()
    await call.say("deny")
    assert call.asks == "account.confirm"
    await call.say("affirm")
    assert changes(call) == 1
    assert call.case.done[-1].key == key


async def test_a_write_whose_answer_was_lost_is_not_done_twice() -> None:
    call = await at_read_back()
    call.company.effects.answer_lost = True
    await call.say("affirm")
    assert "done-address" not in call.lines
    await call.say("deny")
    await call.say("affirm")
    assert changes(call) <= 1
    assert (
        len([one for one in call.company.effects.performed if one.effect == "update_address"]) == 1
    )


async def test_a_change_back_to_an_address_once_in_doubt_is_a_new_write() -> None:
    call = await at_read_back()
    call.company.wire.down.add("effects")
    await call.say("affirm")
    call.company.wire.down.clear()
    await call.say("deny")
    await call.say("affirm")
    for line1 in ("15 Main Street", "50 Main Street"):
        await call.say("update_address", *address(line1=line1))
        await call.say(*address(line1=line1))
        await call.say("affirm")
        assert on_file(call).line1 == line1


async def test_a_notice_that_cannot_be_sent_undoes_the_change() -> None:
    call = await at_read_back()
    call.company.wire.down.add("notices")
    await call.say("affirm")
    assert (on_file(call), call.did) == (JANE.address, ())
    assert call.asks == "escalation.choice"


# Several things at once -------------------------------------------------------------------------------


async def test_a_question_in_the_middle_is_answered_and_the_change_comes_back() -> None:
    call = await verified("update_address")
    await call.say(given("line1", "50 Main Street"))
    before = call.case.question
    await call.say(c.AskFaq(question="what is your return policy"))
    assert call.lines[:2] == ("faq-answer", "back-to")
    assert call.state["said"].sources == ("returns",)
    after = call.case.question
    assert before is not None
    assert after is not None
    assert (after.asks, after.slot, after.rung) == (before.asks, before.slot, before.rung)
    flow = call.case.stack[-1]
    assert isinstance(flow, AddressFlow)
    assert flow.parts.line1 == "50 Main Street"


async def test_an_order_in_the_middle_is_told_and_the_change_comes_back() -> None:
    call = await at_read_back()
    await call.say(c.OrderStatus(last=True))
    assert "order-shipped" in call.lines
    assert "back-to" in call.lines
    assert call.asks == "account.confirm"
    await call.say("affirm")
    assert on_file(call) == SALEM


async def test_several_needs_are_served_in_the_order_named() -> None:
    call = await FakeCall.answered()
    await call.say("update_address", "callback", c.OrderStatus(last=True))
    assert [flow.name for flow in call.case.stack] == ["order_status", "callback", "update_address"]
    await call.say(FACT)
    await call.say(CODE)
    await call.say(*address())
    await call.say("affirm")
    assert (call.did, call.state["flow"]) == (("update_address",), "callback")
    await call.say(given("topic", "a return"))
    await call.say("affirm")
    await call.say(given("time", "2026-11-24T10:00"))
    await call.say("affirm")
    assert call.did == ("book_callback",)
    assert "order-shipped" in call.lines
    assert call.case.stack == ()


@pytest.mark.parametrize("before", ["deny", "goodbye", "affirm", "thank"])
async def test_a_need_named_with_a_no_or_a_goodbye_is_served(before: str) -> None:
    call = await FakeCall.answered()
    await call.say("greet")
    assert call.asks == "closing.more"
    await call.say(before, c.OrderStatus(last=True))
    assert (call.asks, call.ended) == ("identity.fact", False)


async def test_a_need_named_with_the_rating_is_served() -> None:
    call = await FakeCall.answered()
    await call.say(c.AskFaq(question="what is your return policy"))
    await call.say("deny")
    await call.say(given("rating", "5"), "update_address")
    assert (call.asks, call.ended, call.case.satisfaction) == ("identity.fact", False, 5)


async def test_a_question_nobody_can_answer_offers_a_person() -> None:
    call = await FakeCall.answered()
    await call.say(c.AskFaq(question="do you like cats"))
    assert call.asks == "escalation.choice"


async def test_a_question_nobody_can_answer_waits_until_the_open_flow_is_done() -> None:
    call = await verified("update_phone")
    await call.say(c.AskFaq(question="do you like cats"))
    assert call.asks == "account.phone"
    await call.say(given("phone", NEW_PHONE))
    await call.say("affirm")
    assert (call.did, call.asks) == (("update_phone",), "escalation.choice")


async def test_a_person_can_be_asked_for_at_the_read_back() -> None:
    call = await at_read_back()
    await call.say("talk_to_human")
    assert (call.asks, changes(call)) == ("escalation.choice", 0)
    await call.say("deny")
    assert call.asks == "account.confirm"


# Repair -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "at", ["identity.fact", "account.address", "account.confirm", "callback.topic"]
)
async def test_the_repair_ladder_ends_at_a_person(at: str) -> None:
    if at == "callback.topic":
        call = await FakeCall.answered()
        await call.say("callback")
    elif at == "identity.fact":
        call = await FakeCall.answered()
        await call.say("order_status")
    else:
        call = await (at_read_back() if at == "account.confirm" else verified("update_address"))
    for rung in (1, 2):
        await call.say("unclear")
        assert call.asks == at
        assert call.case.question is not None
        assert call.case.question.rung == rung
    await call.say("unclear")
    assert call.asks == "escalation.choice"
    person = call.case.stack[-1]
    assert isinstance(person, HumanFlow)
    assert person.reason == "repair"
    await call.say("deny")
    assert call.asks == at


async def test_the_ladder_without_a_question_ends_at_a_person() -> None:
    call = await FakeCall.answered()
    for _ in range(5):
        await call.say("unclear")
        if call.asks == "escalation.choice":
            break
    assert call.asks == "escalation.choice"


async def test_another_question_starts_on_the_first_rung() -> None:
    call = await verified("update_address")
    await call.say("unclear")
    await call.say(given("line1", "50 Main Street"))
    assert call.case.question is not None
    assert call.case.question.rung == 0


async def test_hold_on_waits_without_asking_and_keeps_the_question() -> None:
    call = await verified("update_address")
    before = call.case.question
    await call.say("hold_on")
    assert call.lines == ("hold-on",)
    assert call.case.question == before
    await call.say(given("city", "Salem"))
    assert call.asks == "account.address"


async def test_repeat_says_the_answer_again() -> None:
    call = await FakeCall.answered()
    await call.say(c.OrderStatus(last=True))
    await call.say(FACT)
    told = [one for one in call.lines if one.startswith("order-")]
    await call.say("repeat")
    assert [one for one in call.lines if one.startswith("order-")] == told
    await call.say("repeat")
    assert [one for one in call.lines if one.startswith("order-")] == told


async def test_repeat_asks_the_question_again() -> None:
    call = await verified("update_address")
    await call.say("repeat")
    assert call.asks == "account.address"
    assert call.case.question is not None
    assert call.case.question.rung == 0


async def test_slower_is_remembered() -> None:
    call = await verified("update_address")
    await call.say("slower")
    assert call.case.slow
    assert call.asks == "account.address"


async def test_two_complaints_offer_a_person() -> None:
    call = await verified("update_address")
    await call.say("complain")
    assert call.asks == "account.address"
    await call.say("complain")
    assert call.asks == "escalation.choice"


async def test_out_of_scope_comes_back_to_the_open_question() -> None:
    call = await verified("update_address")
    await call.say("out_of_scope")
    assert call.lines[:2] == ("out-of-scope", "back-to")
    assert call.asks == "account.address"


# Language ---------------------------------------------------------------------------------------------


async def test_language_switches_on_request_in_the_middle_of_a_flow() -> None:
    call = await verified("update_address")
    await call.say(given("line1", "50 Main Street"))
    await call.say(c.SwitchLanguage(language="es"))
    assert (call.state["language"], call.asks) == ("es", "account.address")
    await call.say(given("city", "Salem"), given("region", "OR"), given("postal_code", "97301"))
    assert (call.state["language"], call.asks) == ("es", "account.confirm")


async def test_language_switches_on_a_sentence_that_can_only_be_another() -> None:
    call = await FakeCall.answered()
    await call.say("order_status", language="fr", sure=True)
    assert call.state["language"] == "fr"


async def test_one_foreign_word_switches_nothing_and_two_turns_do() -> None:
    call = await FakeCall.answered()
    await call.say("order_status", language="fr")
    assert call.state["language"] == "en"
    await call.say("unclear", language="fr")
    assert call.state["language"] == "fr"


# Callbacks --------------------------------------------------------------------------------------------


async def test_a_callback_is_booked_once_confirmed() -> None:
    call = await at_callback_read_back()
    assert call.company.callbacks.bookings == {}
    await call.say("affirm")
    (booking,) = call.company.callbacks.bookings.values()
    assert (booking.topic, booking.phone, booking.starts_at) == (
        "a return",
        JANE.phone,
        TUESDAY_TEN,
    )
    assert call.did == ("book_callback",)


async def test_a_callback_to_another_number() -> None:
    call = await FakeCall.answered()
    await call.say("callback", given("topic", "a return"))
    await call.say(given("topic", "a return"))
    assert call.asks == "callback.phone"
    await call.say("deny")
    assert call.asks == "callback.phone"
    await call.say(given("phone", NEW_PHONE))
    await call.say(given("time", "2026-11-24T10:00"))
    await call.say("affirm")
    (booking,) = call.company.callbacks.bookings.values()
    assert booking.phone == NEW_PHONE


async def test_caller_who_wants_their_own_number_after_all_is_offered_it_again() -> None:
    call = await FakeCall.answered()
    await call.say("callback", given("topic", "a return"))
    await call.say("deny")
    assert call.lines[-1] == "ask-callback-number"
    await call.say("affirm")
    assert call.lines[-1] == "ask-callback-own-number"
    await call.say("affirm")
    assert call.asks == "callback.time"


async def test_yes_to_a_question_for_words_that_was_cut_off_costs_nothing() -> None:
    call = await FakeCall.answered()
    await call.say("callback", given("topic", "a return"))
    for _ in range(4):
        await call.say("affirm", heard="")
        assert call.asks in ("callback.phone", "callback.time")
    assert call.case.question is not None
    assert call.case.question.rung == 0


async def test_a_day_then_one_of_the_times_offered() -> None:
    call = await FakeCall.answered()
    await call.say("callback")
    await call.say(given("topic", "a return"))
    await call.say("affirm")
    await call.say(given("time", "2026-11-24"))
    assert call.asks == "callback.time"
    assert call.case.question is not None
    assert len(call.case.question.offered) == 3
    second = call.case.question.offered[1]
    await call.say(given("choice", "2"))
    await call.say("affirm")
    (booking,) = call.company.callbacks.bookings.values()
    assert booking.starts_at == datetime.fromisoformat(second)


async def test_a_day_then_a_time_of_that_day() -> None:
    call = await FakeCall.answered()
    await call.say("callback")
    await call.say(given("topic", "a return"))
    await call.say("affirm")
    await call.say(given("time", "2026-11-25"))
    await call.say(given("time", "T11:00"))
    await call.say("affirm")
    (booking,) = call.company.callbacks.bookings.values()
    assert booking.starts_at == TUESDAY_TEN + timedelta(days=1, hours=1)


async def test_a_time_that_is_not_free_gets_others_offered() -> None:
    call = await FakeCall.answered()
    call.company.callbacks.closed.add(TUESDAY_TEN)
    await call.say("callback")
    await call.say(given("topic", "a return"))
    await call.say("affirm")
    await call.say(given("time", "2026-11-24T10:00"))
    assert "callback-time-not-free" in call.lines
    assert call.asks == "callback.time"


async def test_a_time_taken_meanwhile_gets_others_offered() -> None:
    call = await at_callback_read_back()
    call.company.callbacks.closed.add(TUESDAY_TEN)
    await call.say("affirm")
    assert "callback-time-taken" in call.lines
    assert (call.asks, call.did) == ("callback.time", ())
    await call.say(given("choice", "1"))
    await call.say("affirm")
    assert call.did == ("book_callback",)


@pytest.mark.parametrize("value", ["tomorrow", "", "/", "T25:99", "9999-99-99", "T"])
async def test_what_cannot_be_a_time_is_asked_again(value: str) -> None:
    call = await FakeCall.answered()
    await call.say("callback")
    await call.say(given("topic", "a return"))
    await call.say("affirm")
    await call.say(given("time", value))
    assert call.asks == "callback.time"
    assert call.case.question is not None
    assert call.case.question.rung == 1


async def test_a_correction_of_a_callback_changes_what_is_booked() -> None:
    call = await at_callback_read_back()
    await call.say(corrected("time", "2026-11-24T11:00"))
    assert call.asks == "callback.confirm"
    await call.say("deny")
    assert call.asks == "callback.time"
    await call.say(given("topic", "an invoice"))
    await call.say("affirm")
    (booking,) = call.company.callbacks.bookings.values()
    assert (booking.topic, booking.starts_at.hour) == ("an invoice", 11)


async def booked_before() -> FakeCall:
    call = await at_callback_read_back()
    await call.say("affirm")
    return call


async def test_a_callback_is_moved() -> None:
    call = await booked_before()
    await call.say(c.Callback(action="change"))
    assert (
        call.asks == "callback.time"
    )  # booked to the number they call from: which one is no question
    await call.say(given("time", "2026-11-25T10:00"))
    await call.say("affirm")
    (booking,) = call.company.callbacks.bookings.values()
    assert booking.starts_at == TUESDAY_TEN + timedelta(days=1)
    assert call.did == ("change_callback",)


async def test_a_callback_is_cancelled() -> None:
    call = await booked_before()
    await call.say(c.Callback(action="cancel"))
    assert call.asks == "callback.confirm"
    await call.say("affirm")
    (booking,) = call.company.callbacks.bookings.values()
    assert (booking.status, call.did) == ("cancelled", ("cancel_callback",))


async def test_a_no_to_cancelling_keeps_the_callback_and_asks_no_more() -> None:
    call = await booked_before()
    await call.say(c.Callback(action="cancel"))
    await call.say("deny")
    (booking,) = call.company.callbacks.bookings.values()
    assert (booking.status, call.asks, call.case.stack) == ("booked", "closing.more", ())


async def test_no_callback_to_change_is_said() -> None:
    call = await FakeCall.answered()
    await call.say(c.Callback(action="change"))
    await call.say("affirm")
    assert "callback-none-found" in call.lines
    assert call.asks == "closing.more"


async def test_the_same_callback_booked_cancelled_and_booked_again() -> None:
    call = await booked_before()
    await call.say(c.Callback(action="cancel"))
    await call.say("affirm")
    await call.say("callback")
    await call.say(given("topic", "a return"))
    await call.say("affirm")
    await call.say(given("time", "2026-11-24T10:00"))
    await call.say("affirm")
    assert [one.status for one in call.company.callbacks.bookings.values()] == [
        "cancelled",
        "booked",
    ]


# People -----------------------------------------------------------------------------------------------


async def test_a_person_who_is_free_takes_over_with_the_record() -> None:
    call = await verified("update_phone")
    await call.say(given("phone", NEW_PHONE))
    await call.say("affirm")
    await call.say("update_address")
    last_line = call.text
    call.company.staff.free = True
    await call.say("talk_to_human")
    ((record, way),) = call.company.staff.handovers
    assert way == "transfer"
    assert record.call_id == call.call_id
    assert (record.reason, record.customer_id, record.level) == ("asked", "C-1", 2)
    assert record.asked == ("update_phone", "update_address", "talk_to_human")
    assert record.done == ("update_phone",)
    assert record.open == ("update_address",)
    assert record.last_line == last_line
    assert (call.ended, call.state["outcome"]) == (True, "escalated")


async def test_nobody_free_becomes_a_callback_and_a_queued_case() -> None:
    call = await FakeCall.answered()
    await call.say("talk_to_human")
    assert (call.asks, call.company.staff.handovers) == ("escalation.choice", [])
    await call.say("affirm")
    await call.say(given("topic", "a return"))
    await call.say("affirm")
    await call.say(given("time", "2026-11-24T10:00"))
    await call.say("affirm")
    ((record, way),) = call.company.staff.handovers
    assert (record.reason, way) == ("asked", "queue")
    assert len(call.company.callbacks.bookings) == 1
    await call.say("deny")
    await call.say("deny")
    assert call.state["outcome"] == "escalated"


@pytest.mark.parametrize("value", ["email", "resend", "7"])
async def test_a_choice_that_is_none_puts_nobody_through(value: str) -> None:
    call = await FakeCall.answered()
    await call.say(c.AskFaq(question="do you like cats"))
    call.company.staff.free = True
    await call.say(given("choice", value))
    assert (call.asks, call.company.staff.handovers) == ("escalation.choice", [])


async def test_zero_on_the_keypad_is_a_person() -> None:
    call = await verified("update_address")
    call.company.staff.free = True
    await call.keys("0")
    assert call.state["outcome"] == "escalated"


async def test_keys_answer_yes_and_no() -> None:
    call = await at_read_back()
    await call.keys("2#")
    assert (call.asks, changes(call)) == ("account.address", 0)
    await call.say(given("city", "Salem"))
    await call.keys("1#")
    assert changes(call) == 1


# Systems that fail ------------------------------------------------------------------------------------


async def test_a_look_up_that_fails_offers_a_person() -> None:
    call = await FakeCall.answered()
    call.company.wire.down.add("orders")
    await call.say("order_status")
    await call.say(FACT)
    assert "lookup-failed" in call.lines
    assert call.asks == "escalation.choice"
    call.company.wire.down.clear()
    await call.say("deny")
    assert call.asks == "order.which"


async def test_everything_down_still_ends_in_a_question() -> None:
    call = await FakeCall.answered()
    call.company.wire.down |= {"customers", "orders", "callbacks", "knowledge", "staff", "vault"}
    for said in ("order_status", "affirm", "talk_to_human", "callback", "affirm"):
        await call.say(said)
        assert call.asks is not None


async def test_a_person_who_cannot_be_reached_is_not_claimed() -> None:
    call = await FakeCall.answered()
    call.company.staff.free = True
    call.company.wire.down.add("effects")
    await call.say("talk_to_human")
    assert (call.did, call.ended, call.company.staff.handovers) == ((), False, [])
    assert "done-transfer" not in call.lines
    assert call.asks is not None


# The end ----------------------------------------------------------------------------------------------


async def test_a_served_caller_is_asked_for_a_rating_and_the_call_is_solved() -> None:
    call = await FakeCall.answered()
    await call.say(c.OrderStatus(last=True))
    await call.say(FACT)
    await call.say("deny")
    assert call.asks == "closing.satisfaction"
    await call.say(given("rating", "4"))
    assert (call.ended, call.state["outcome"], call.case.satisfaction) == (True, "solved", 4)


@pytest.mark.parametrize("said", ["deny", "goodbye", "unclear", given("rating", "6")])
async def test_a_caller_who_gives_no_rating_is_let_go(said: str | c.Command) -> None:
    call = await FakeCall.answered()
    await call.say(c.AskFaq(question="what is your return policy"))
    await call.say("deny")
    await call.say(said)
    assert (call.ended, call.state["outcome"], call.case.satisfaction) == (True, "solved", None)


async def test_goodbye_in_the_middle_says_what_is_left() -> None:
    call = await at_read_back()
    await call.say("goodbye")
    assert "left-open" in call.lines
    assert (call.ended, call.state["outcome"], changes(call)) == (True, "abandoned", 0)


async def test_a_question_and_a_goodbye_are_both_heard() -> None:
    call = await FakeCall.answered()
    await call.say(c.AskFaq(question="what is your return policy"), "goodbye")
    assert "faq-answer" in call.lines
    assert call.asks == "closing.satisfaction"


async def test_three_silences_end_the_call_and_it_can_be_resumed() -> None:
    call = await at_read_back()
    for _ in range(2):
        await call.silence()
        assert (call.ended, call.asks) == (False, "account.confirm")
    await call.silence()
    assert (call.ended, call.state["outcome"]) == (True, None)
    assert call.case.stack != ()
    await call.resume()
    assert (call.ended, call.asks) == (False, "resume.continue")
    flow = call.case.stack[-1]
    assert isinstance(flow, AddressFlow)
    assert flow.parts.line1 == "50 Main Street"


async def test_speaking_starts_the_silence_over() -> None:
    call = await verified("update_address")
    for _ in range(3):
        await call.silence()
        await call.silence()
        await call.say(given("city", "Salem"))
    assert not call.ended


async def test_caller_back_after_a_moment_hears_the_question_again() -> None:
    call = await at_read_back()
    asked = call.lines
    await call.silence()
    await call.back()
    assert call.lines == ("back-on-the-line", *asked)
    assert (call.asks, call.case.silences) == ("account.confirm", 0)
    await call.say("affirm")
    assert call.did == ("update_address",)


async def test_caller_back_after_a_moment_hears_again_what_they_may_have_missed() -> None:
    call = await at_read_back()
    await call.say("affirm")
    done = call.lines
    assert "done-address" in done
    for _ in range(2):
        await call.back()
        assert call.lines == ("back-on-the-line", *done)
        assert call.did == ()


async def test_caller_whose_network_was_away_during_the_greeting_is_greeted_again() -> None:
    call = await FakeCall.answered()
    await call.back()
    assert call.lines == ("back-on-the-line", "greeting")
    await call.say("order_status")
    assert call.asks == "identity.fact"


async def test_network_away_for_a_moment_is_no_answer_that_was_no_use() -> None:
    call = await verified("update_address")
    for _ in range(4):
        await call.back()
    assert call.case.question is not None
    assert (call.asks, call.case.question.rung) == ("account.address", 0)


async def test_a_resumed_call_goes_on_at_the_question_with_the_parts_already_given() -> None:
    call = await verified("update_address")
    await call.say(given("line1", "50 Main Street"))
    before = call.case.question
    await call.resume()
    await call.say("affirm")
    await call.say(FACT)
    await call.say(CODE)
    assert before is not None
    assert call.case.question is not None
    assert (call.case.question.asks, call.case.question.slot) == (before.asks, before.slot)


async def test_a_resumed_caller_who_does_not_want_to_go_on() -> None:
    call = await at_read_back()
    await call.resume()
    await call.say("deny")
    assert (call.case.stack, call.case.proposal, call.asks) == ((), None, "closing.more")


async def test_resuming_with_nothing_open_asks_what_for() -> None:
    call = await FakeCall.answered()
    await call.resume()
    assert (call.asks, call.ended) == ("closing.more", False)
    assert call.lines == ("welcome-back", "ask-how-help")
    await call.say("callback")
    assert call.asks == "callback.topic"


async def test_the_two_hundredth_turn_remembers_no_more_than_the_twentieth() -> None:
    call = await FakeCall.answered()
    sizes = []
    for number in range(200):
        await call.say(c.AskFaq(question="what is your return policy"))
        if number in (19, 199):
            sizes.append(len(call.case.model_dump_json()))
    assert sizes[1] <= sizes[0] * 1.1


async def test_a_bare_yes_to_a_question_for_words_is_asked_again_in_other_words() -> None:
    call = await FakeCall.answered()
    await call.say("callback")
    await call.say("affirm")
    assert (call.asks, call.lines) == ("callback.topic", ("ask-callback-topic.again",))


async def test_not_received_is_not_about_the_order_that_is_still_on_its_way() -> None:
    call = await at_orders()
    await call.say(given("choice", "1"))
    await call.say(c.OrderStatus(problem="not_received"))
    assert call.asks == "order.which"


async def test_change_made_just_before_the_line_dropped_is_told_and_not_asked_again() -> None:
    call = await at_read_back()
    proposal = call.case.proposal
    assert proposal is not None
    before = call.state
    await call.say("affirm")
    assert call.did == ("update_address",)
    await restore(call, before)  # the worker died before the turn's memory was written
    await call.resume()
    assert call.lines[:2] == ("welcome-back", "done-meanwhile")
    assert (call.state["flow"], call.case.proposal, call.did) == (None, None, ())
    assert [done.key for done in call.case.done] == [proposal.key]
    assert changes(call) == 1


async def test_cancelling_after_a_write_nobody_knows_the_end_of_claims_nothing() -> None:
    call = await at_read_back()
    call.company.effects.answer_lost = True
    await call.say("affirm")
    assert "write-failed" in call.lines
    call.company.wire.down.add("effects")
    await call.say("deny")
    await call.say("update_address")
    await call.say("cancel")
    assert "cancelled.unknown" in call.lines


async def test_a_write_whose_answer_was_lost_is_found_done_before_anything_like_it_is_done() -> (
    None
):
    call = await at_read_back()
    proposal = call.case.proposal
    assert proposal is not None
    call.company.effects.answer_lost = True
    await call.say("affirm")
    await call.say("deny")
    assert call.lines[0] == "done-after-all"
    assert (call.case.stack, call.case.unsettled, call.asks) == ((), (), "closing.more")
    assert [done.key for done in call.case.done] == [proposal.key]
    assert changes(call) == 1


async def test_a_hand_over_in_the_turn_that_was_lost_is_gone_on_with_in_the_resumed_call() -> None:
    call = await FakeCall.answered()
    call.company.staff.free = True
    before = call.state
    await call.say("talk_to_human")
    assert (call.did, call.ended) == (("hand_over",), True)
    await restore(call, before)
    await call.resume()
    assert call.lines == ("welcome-back", "done-transfer")
    assert call.ended
    assert call.case.handed_over
    assert [done.effect for done in call.case.done] == ["hand_over"]
    assert len(call.company.staff.handovers) == 1


async def test_what_the_last_turn_did_is_said_again_when_the_line_drops_on_its_words() -> None:
    call = await at_read_back()
    await call.say("affirm")
    await call.resume()
    assert call.lines[:2] == ("welcome-back", "done-meanwhile")
    await call.say(c.AskFaq(question="what is your return policy"))
    await call.resume()
    assert "done-meanwhile" not in call.lines


async def restore(call: FakeCall, state: CallState) -> None:
    """The checkpoint is an older one again."""
    await call._graph.aupdate_state(
        {"configurable": {"thread_id": str(call.call_id)}}, dict(state), as_node="say"
    )


# Memory -----------------------------------------------------------------------------------------------


async def test_the_history_keeps_the_words_that_were_heard() -> None:
    call = await verified("update_address")
    await call.say(given("line1", "50 Main Street"), heard="What is the")
    assert call.case.history[-2].said == "What is the"


async def test_the_history_is_bounded() -> None:
    call = await verified("update_address")
    for _ in range(HISTORY_KEPT + 8):
        await call.say(given("city", "Salem"))
    assert len(call.case.history) == HISTORY_KEPT
    assert call.case.history[-1].turn == call.state["turn"]


async def test_nothing_personal_stands_outside_the_case() -> None:
    call = await at_read_back()
    outside = {
        name: value for name, value in call.state.items() if name not in ("case", "said", "caller")
    }
    assert set(outside) == {
        "turn",
        "language",
        "asks",
        "flow",
        "verified",
        "node",
        "ended",
        "outcome",
    }
    for value in outside.values():
        assert value is None or isinstance(value, str | int | bool)
    text = str(outside)
    assert JANE.phone not in text
    assert "Main Street" not in text
