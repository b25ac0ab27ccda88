"""Who is calling, and how sure the line is: levels, lapses, locks, codes, shared phones."""

from __future__ import annotations

import pytest

from graph.understanding import commands as c
from tests.fakes.call import Clock, FakeCall
from tests.fakes.desk import JANE, OMAR, FakeCompany, FakeVault

RIGHT_FACT = c.Answer(slot="postal_code", value="97205")
RIGHT_CODE = c.Answer(slot="code", value=FakeVault.CODE)
WRONG_CODE = c.Answer(slot="code", value="000000")


def postal(code: str) -> c.Answer:
    return c.Answer(slot="postal_code", value=code)


def email(address: str) -> c.Answer:
    return c.Answer(slot="email", value=address)


def phone(number: str) -> c.Answer:
    return c.Answer(slot="phone", value=number)


def order(number: str) -> c.Answer:
    return c.Answer(slot="order", value=number)


def failures(call: FakeCall) -> int:
    return len(call.company.vault.failures)


def codes_sent(call: FakeCall) -> list[tuple[str, str]]:
    return [(one.channel, one.to) for one in call.company.notices.sent if one.kind == "code"]


async def at_code(call: FakeCall) -> None:
    await call.say("update_address")
    await call.say(RIGHT_FACT)
    assert call.asks == "identity.code"


# Levels -----------------------------------------------------------------------------------------------


async def test_a_call_begins_with_nobody_identified() -> None:
    call = await FakeCall.answered()
    assert call.state["verified"] == 0
    assert call.case.identity.candidates == ()


async def test_the_callers_number_finds_a_candidate_and_proves_nothing() -> None:
    call = await FakeCall.answered(number=JANE.phone)
    await call.say("order_status")
    assert call.case.identity.candidates == ("C-1",)
    assert call.asks == "identity.fact"
    assert call.state["verified"] == 0


async def test_a_matching_fact_is_level_one() -> None:
    call = await FakeCall.answered()
    await call.say("order_status")
    await call.say(RIGHT_FACT)
    assert (call.state["verified"], call.case.identity.customer_id) == (1, "C-1")


async def test_orders_need_no_code() -> None:
    call = await FakeCall.answered()
    await call.say(c.OrderStatus(last=True))
    await call.say(RIGHT_FACT)
    assert "order-shipped" in call.lines
    assert codes_sent(call) == []


@pytest.mark.parametrize(
    ("flow", "asks"), [("update_address", "account.address"), ("update_phone", "account.phone")]
)
async def test_a_change_needs_the_code_sent_to_the_contact_on_file(flow: str, asks: str) -> None:
    call = await FakeCall.answered()
    await call.say(flow)
    await call.say(RIGHT_FACT)
    assert (call.asks, call.state["verified"]) == ("identity.code", 1)
    assert codes_sent(call) == [("sms", JANE.phone)]
    await call.say(RIGHT_CODE)
    assert (call.asks, call.state["verified"]) == (asks, 2)


async def test_a_callback_needs_no_identity() -> None:
    call = await FakeCall.answered(number=None)
    await call.say("callback")
    assert (call.asks, call.state["verified"]) == ("callback.topic", 0)


async def test_identity_serves_the_next_flow_too() -> None:
    call = await FakeCall.answered()
    await at_code(call)
    await call.say(RIGHT_CODE)
    await call.say("update_phone")
    assert call.asks == "account.phone"


async def test_names_are_no_fact() -> None:
    call = await FakeCall.answered()
    await call.say("order_status")
    await call.say(c.Answer(slot="name", value=JANE.full_name))
    assert (call.asks, call.state["verified"]) == ("identity.fact", 0)


async def test_the_number_called_from_is_no_fact_about_its_owner() -> None:
    call = await FakeCall.answered(number=JANE.phone)
    await call.say("order_status")
    await call.say(phone(JANE.phone))
    assert (call.asks, call.state["verified"], failures(call)) == ("identity.fact", 0, 0)


@pytest.mark.parametrize("fact", [RIGHT_FACT, email(JANE.email), order("HF10482"), order("10311")])
async def test_any_fact_of_the_account_will_do(fact: c.Answer) -> None:
    call = await FakeCall.answered(number=JANE.phone)
    await call.say("order_status")
    await call.say(fact)
    assert call.state["verified"] == 1


async def test_every_given_fact_must_match() -> None:
    call = await FakeCall.answered(number=None)
    await call.say("order_status")
    await call.say(phone(JANE.phone), postal("97205"), order("HF20001"))
    assert call.state["verified"] == 0
    assert failures(call) == 1


# Finding the account ----------------------------------------------------------------------------------


async def test_an_unknown_number_is_asked_for_the_account() -> None:
    call = await FakeCall.answered(number="+15035550100")
    await call.say("order_status")
    assert call.asks == "identity.account"


async def test_account_and_fact_in_one_breath() -> None:
    call = await FakeCall.answered(number=None)
    await call.say("order_status")
    await call.say(email(JANE.email), RIGHT_FACT)
    assert call.case.identity.customer_id == "C-1"


async def test_an_order_number_finds_the_account_and_then_needs_another_fact() -> None:
    call = await FakeCall.answered(number=None)
    await call.say(c.OrderStatus(order="HF10482"))
    assert call.case.identity.account_slot == "order"
    assert (call.asks, call.state["verified"]) == ("identity.fact", 0)
    await call.say(order("HF10482"))
    assert (call.asks, call.state["verified"]) == ("identity.fact", 0)
    await call.say(RIGHT_FACT)
    assert call.state["verified"] == 1
    assert "order-shipped" in call.lines


async def test_the_order_asked_about_is_a_fact_when_the_number_found_its_owner() -> None:
    call = await FakeCall.answered(number=JANE.phone)
    await call.say(c.OrderStatus(order="HF10482"))
    assert call.state["verified"] == 1


async def test_the_account_named_replaces_the_one_of_the_callers_number() -> None:
    call = await FakeCall.answered(number=JANE.phone)
    await call.say("order_status")
    await call.say(phone(OMAR.phone))
    assert call.case.identity.candidates == ("C-2",)
    await call.say(postal(OMAR.address.postal_code))
    assert call.case.identity.customer_id == "C-2"


@pytest.fixture
def household() -> FakeCompany:
    """Two customers with one phone and one postal code."""
    john = OMAR.model_copy(update={"phone": JANE.phone, "address": JANE.address})
    return FakeCompany(Clock(), (JANE, john))


async def test_a_shared_phone_needs_a_fact_that_tells_its_owners_apart(
    household: FakeCompany,
) -> None:
    call = await FakeCall.answered(company=household)
    await call.say("order_status")
    assert call.case.identity.candidates == ("C-1", "C-2")
    await call.say(RIGHT_FACT)
    assert call.state["verified"] == 0
    await call.say(email(OMAR.email))
    assert (call.state["verified"], call.case.identity.customer_id) == (1, "C-2")


async def test_a_shared_phone_and_one_fact_of_one_owner(household: FakeCompany) -> None:
    call = await FakeCall.answered(company=household)
    await call.say("order_status")
    await call.say(order("HF10311"))
    assert call.case.identity.customer_id == "C-1"


# Nothing is given away --------------------------------------------------------------------------------


async def transcript(number: str, fact: c.Answer) -> list[tuple[tuple[str, ...], str | None]]:
    call = await FakeCall.answered(number="+15035550100")
    heard = []
    for turn in ("order_status", phone(number), fact, fact, fact):
        await call.say(turn)
        heard.append((call.lines, call.asks))
    return heard


async def test_an_unknown_account_and_a_wrong_fact_sound_the_same() -> None:
    known = await transcript(JANE.phone, postal("11111"))
    unknown = await transcript("+15035550144", postal("11111"))
    assert known == unknown
    assert known[-1][1] == "escalation.choice"


async def test_an_unknown_account_can_not_be_told_by_its_email_either() -> None:
    assert await transcript(JANE.phone, email("x@example.net")) == await transcript(
        "+15035550144", email("x@example.net")
    )


# Failures ---------------------------------------------------------------------------------------------


async def test_three_wrong_facts_lock_the_account_for_this_call() -> None:
    call = await FakeCall.answered()
    await call.say("order_status")
    for wrong in ("11111", "22222"):
        await call.say(postal(wrong))
        assert call.asks == "identity.fact"
    await call.say(postal("33333"))
    assert "identity-locked" in call.lines
    assert (call.asks, call.state["flow"]) == ("escalation.choice", "talk_to_human")
    await call.say("deny")
    await call.say("order_status", RIGHT_FACT)
    assert "identity-locked" in call.lines
    assert call.state["verified"] == 0


async def test_the_lock_holds_when_the_caller_rings_again() -> None:
    call = await FakeCall.answered()
    await call.say("order_status")
    for wrong in ("11111", "22222", "33333"):
        await call.say(postal(wrong))
    await call.resume()
    await call.say("order_status")
    assert "identity-locked" in call.lines


async def test_a_lock_leaves_what_needs_no_identity() -> None:
    call = await FakeCall.answered()
    await call.say("order_status")
    for wrong in ("11111", "22222", "33333"):
        await call.say(postal(wrong))
    await call.say("deny")
    await call.say("callback")
    assert call.asks == "callback.topic"


async def test_guessing_by_naming_other_accounts_counts_as_failing() -> None:
    """A wrong e-mail is another account's name; without counting it, e-mails could be tried for ever."""
    call = await FakeCall.answered(number="+15035550100")
    await call.say("order_status")
    await call.say(phone(JANE.phone))
    for guess in ("a@example.net", "b@example.net", "c@example.net", "d@example.net", JANE.email):
        await call.say(email(guess))
        await call.say(phone(JANE.phone))
    assert call.state["verified"] == 0
    assert failures(call) == 3


async def test_a_failure_counts_once_a_turn() -> None:
    call = await FakeCall.answered()
    await call.say("order_status")
    await call.say(postal("11111"), order("HF99999"))
    assert failures(call) == 1


async def test_nonsense_is_no_failure() -> None:
    call = await FakeCall.answered()
    await call.say("order_status")
    await call.say(postal(" "))
    assert (call.asks, failures(call)) == ("identity.fact", 0)


# Codes ------------------------------------------------------------------------------------------------


async def test_the_code_goes_by_email_when_asked() -> None:
    call = await FakeCall.answered()
    await at_code(call)
    await call.say(c.Answer(slot="choice", value="email"))
    assert codes_sent(call) == [("sms", JANE.phone), ("email", JANE.email)]
    assert call.case.identity.code_channel == "email"
    assert call.asks == "identity.code"


async def test_a_customer_without_a_phone_gets_the_code_by_email() -> None:
    company = FakeCompany(Clock(), (JANE.model_copy(update={"phone": ""}), OMAR))
    call = await FakeCall.answered(number=None, company=company)
    await call.say("update_address")
    await call.say(email(JANE.email), RIGHT_FACT)
    assert codes_sent(call) == [("email", JANE.email)]


async def test_without_a_contact_on_file_a_person_takes_over() -> None:
    nobody = JANE.model_copy(update={"phone": "", "email": ""})
    call = await FakeCall.answered(number=None, company=FakeCompany(Clock(), (nobody, OMAR)))
    await call.say("update_address")
    await call.say(order("HF10482"), RIGHT_FACT)
    await call.say(RIGHT_FACT)
    assert (call.asks, codes_sent(call)) == ("escalation.choice", [])


async def test_a_wrong_code_is_asked_again_and_three_lock() -> None:
    call = await FakeCall.answered()
    await at_code(call)
    await call.say(WRONG_CODE)
    assert (call.asks, call.state["verified"]) == ("identity.code", 1)
    await call.say(WRONG_CODE)
    await call.say(WRONG_CODE)
    assert call.asks == "escalation.choice"
    await call.say("deny")
    await call.say("update_address", RIGHT_CODE)
    assert call.state["verified"] == 1
    assert call.asks == "escalation.choice"


async def test_an_expired_code_is_sent_anew() -> None:
    call = await FakeCall.answered()
    await at_code(call)
    call.later(6)
    await call.say(RIGHT_CODE)
    assert (call.asks, call.state["verified"]) == ("identity.code", 1)
    assert len(codes_sent(call)) == 2
    await call.say(RIGHT_CODE)
    assert call.state["verified"] == 2


async def test_codes_are_not_sent_without_end() -> None:
    call = await FakeCall.answered()
    await at_code(call)
    for _ in range(6):
        await call.say(c.Answer(slot="choice", value="resend"))
    assert len(codes_sent(call)) == 4
    assert call.state["flow"] == "talk_to_human"


async def test_a_code_said_before_one_was_asked_for_is_worth_nothing() -> None:
    call = await FakeCall.answered()
    await call.say("update_address", RIGHT_CODE)
    await call.say(RIGHT_CODE, RIGHT_FACT)
    assert call.state["verified"] == 1


async def test_the_code_can_be_typed() -> None:
    call = await FakeCall.answered()
    await at_code(call)
    await call.keys(f"{FakeVault.CODE}#")
    assert call.state["verified"] == 2


async def test_the_code_is_nowhere_in_the_memory_of_the_call_before_it_is_said() -> None:
    call = await FakeCall.answered()
    await at_code(call)
    assert FakeVault.CODE not in call.case.model_dump_json()


# Lapses -----------------------------------------------------------------------------------------------


async def test_identity_lapses_after_fifteen_minutes() -> None:
    call = await FakeCall.answered()
    await call.say(c.OrderStatus(last=True))
    await call.say(RIGHT_FACT)
    call.later(15)
    await call.say(c.OrderStatus(last=True))
    assert call.state["verified"] == 1
    call.later(0.1)
    await call.say(c.OrderStatus(last=True))
    assert (call.state["verified"], call.asks) == (0, "identity.fact")
    assert "identity-lapsed" in call.lines
    assert call.case.identity.customer_id is None


async def test_what_was_told_is_not_repeated_once_identity_has_lapsed() -> None:
    call = await FakeCall.answered()
    await call.say(c.OrderStatus(last=True))
    await call.say(RIGHT_FACT)
    assert "HF-10482" in call.text
    call.later(16)
    await call.say("repeat")
    assert call.state["verified"] == 0
    assert "HF-10482" not in call.text


async def test_a_yes_after_a_lapse_changes_nothing() -> None:
    call = await FakeCall.answered()
    await at_code(call)
    await call.say(RIGHT_CODE)
    parts = {"line1": "50 Main Street", "city": "Salem", "region": "OR", "postal_code": "97301"}
    await call.say(*(c.Answer.model_validate({"slot": k, "value": v}) for k, v in parts.items()))
    assert call.asks == "account.confirm"
    call.later(16)
    await call.say("affirm")
    assert (call.asks, call.state["verified"]) == ("identity.fact", 0)
    assert call.company.customers.changes == []
    await call.say(RIGHT_FACT)
    await call.say(RIGHT_CODE)
    assert call.asks == "account.confirm"
    await call.say("affirm")
    assert call.company.customers.rows["C-1"].address.line1 == "50 Main Street"


async def test_the_code_gives_another_fifteen_minutes() -> None:
    call = await FakeCall.answered()
    await at_code(call)
    call.later(4)
    await call.say(RIGHT_CODE)
    assert call.case.identity.proven_at == call.clock()


async def test_a_dropped_call_asks_for_identity_again() -> None:
    call = await FakeCall.answered()
    await at_code(call)
    await call.say(RIGHT_CODE)
    await call.resume()
    assert call.state["verified"] == 0
    await call.say("affirm")
    assert call.asks == "identity.fact"


# One detail for another -------------------------------------------------------------------------------


async def test_a_locked_account_takes_no_fact_that_comes_with_the_first_request() -> None:
    company = FakeCompany(Clock())
    for wrong in (("11111", "22222", "33333"), ("44444", "55555")):
        before = await FakeCall.answered(company=company)
        await before.say("order_status")
        for code in wrong:
            await before.say(postal(code))
    call = await FakeCall.answered(company=company)
    await call.say(c.OrderStatus(order="HF10482"))
    assert "identity-locked" in call.lines
    assert call.state["verified"] == 0


async def test_an_order_number_said_for_a_postal_code_is_a_fact() -> None:
    call = await FakeCall.answered()
    await call.say("order_status")
    await call.say(postal("10482"))
    assert call.state["verified"] == 1


async def test_the_order_an_account_was_found_by_is_no_fact_said_as_a_postal_code() -> None:
    call = await FakeCall.answered(number=None)
    await call.say("order_status")
    await call.say(order("10482"))
    assert call.asks == "identity.fact"
    await call.say(postal("10482"))
    assert call.state["verified"] == 0


async def test_a_resumed_call_is_not_asked_as_if_it_had_just_failed() -> None:
    call = await FakeCall.answered()
    await call.say("order_status")
    await call.say(c.Answer(slot="postal_code", value="11111"))
    assert call.lines[-1] == "ask-fact-retry"
    await call.resume()
    await call.say("affirm")
    assert call.lines[-1] == "ask-fact"
