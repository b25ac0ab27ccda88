"""The promises of a call, held against callers who say anything in any order while systems fail.

Replies are spoken by `BareWording`, which hides nothing: a private fact that reaches the wording at all is seen.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from graph.dialogue import level_of
from graph.state import CallState
from graph.understanding import commands as c
from graph.wording.line import Line, Phone, Place
from tests.fakes.call import Clock, FakeCall
from tests.fakes.desk import JANE, OMAR, PORTS, FakeCompany, FakeVault, PortName, Visit
from tools.records import Customer

CONFIRMS = ("account.confirm", "callback.confirm")
WRITES = {
    "update_address": "account.confirm",
    "update_phone": "account.confirm",
    "book": "callback.confirm",
    "move": "callback.confirm",
    "cancel": "callback.confirm",
}
NEW_ADDRESSES = (
    {"line1": "50 Main Street", "city": "Salem", "region": "OR", "postal_code": "97301"},
    {"line1": "7 Elm Road", "city": "Bend", "region": "OR", "postal_code": "97701"},
)
NONSENSE = ("", "0", "-1", "²", "zzz", "+", "ñ 🙂", "/", "T", "1" * 300, "9999-99-99", "T25:99")
VALUES: dict[c.Slot, tuple[str, ...]] = {
    "phone": (JANE.phone, OMAR.phone, "+15035550144", "+15035550155", "503555"),
    "email": (JANE.email, OMAR.email, "nobody@example.net"),
    "order": ("HF10482", "10311", "HF20001", "HF99999"),
    "postal_code": ("97205", "97301", "11111"),
    "code": (FakeVault.CODE, "000000"),
    "line1": ("50 Main Street", "7 Elm Road"),
    "line2": ("Flat 2",),
    "city": ("Salem", "Bend"),
    "region": ("OR", "WA"),
    "country": ("US", "FR"),
    "name": ("Jane Doe",),
    "topic": ("a return", "an invoice"),
    "time": (
        "2026-11-24T10:00",
        "2026-11-24",
        "/morning",
        "T10:00",
        "asap",
        "2020-01-01T10:00",
        "9999-12-31",
    ),
    "rating": ("1", "5", "6"),
    "choice": ("1", "2", "9", "now", "callback", "email", "sms", "resend"),
}
OPENERS: tuple[c.Command, ...] = (
    c.OrderStatus(),
    c.OrderStatus(last=True),
    c.OrderStatus(order="HF10311", problem="not_received"),
    c.UpdateAddress(),
    c.UpdateAddress(),
    c.UpdatePhone(),
    c.Callback(),
    c.Callback(action="change"),
    c.Callback(action="cancel"),
    c.TalkToHuman(),
)
PLAIN: tuple[c.Command, ...] = (
    c.Affirm(),
    c.Affirm(),
    c.Deny(),
    c.Correct(),
    c.Correct(slot="city"),
    c.Correct(slot="time"),
    c.Cancel(),
    c.AskFaq(question="what is your return policy"),
    c.AskFaq(question="do you like cats"),
    c.Repeat(),
    c.Slower(),
    c.HoldOn(),
    c.SwitchLanguage(language="fr"),
    c.SwitchLanguage(language="en"),
    c.Greet(),
    c.Thank(),
    c.Goodbye(),
    c.Complain(),
    c.OutOfScope(),
    c.Unclear(),
)


@st.composite
def slot_values(draw: st.DrawFn) -> tuple[c.Slot, str]:
    slot = draw(st.sampled_from(sorted(VALUES)))
    return slot, draw(st.sampled_from((*VALUES[slot], *VALUES[slot], *NONSENSE)))


ANSWERS = slot_values().map(lambda given: c.Answer(slot=given[0], value=given[1]))
CORRECTIONS = slot_values().map(lambda given: c.Correct(slot=given[0], value=given[1]))
COMMANDS: st.SearchStrategy[c.Command] = st.one_of(
    st.sampled_from(PLAIN), ANSWERS, st.sampled_from(OPENERS), CORRECTIONS
)
CUTS = st.one_of(st.none(), st.none(), st.none(), st.floats(min_value=0, max_value=0.9))


def right_answers(call: FakeCall, pick: int) -> tuple[c.Command, ...]:
    """What a willing caller would say to the open question."""
    known = call.case.identity.candidates
    owner = OMAR if OMAR.customer_id in known else JANE
    flow = call.state["flow"]
    by_question: dict[str, tuple[c.Command, ...]] = {
        "identity.account": (c.Answer(slot="phone", value=JANE.phone),),
        "identity.fact": (c.Answer(slot="postal_code", value=owner.address.postal_code),),
        "identity.code": (c.Answer(slot="code", value=FakeVault.CODE),),
        "order.which": (c.Answer(slot="choice", value=str(1 + pick % 2)),),
        "account.address": tuple(
            c.Answer.model_validate({"slot": slot, "value": value})
            for slot, value in NEW_ADDRESSES[pick % 2].items()
        ),
        "account.phone": (
            c.Answer(slot="phone", value=("+15035550144", "+15035550155")[pick % 2]),
        ),
        "callback.phone": (c.Answer(slot="phone", value="+15035550144"),),
        "callback.topic": (c.Answer(slot="topic", value="a return"),),
        "callback.time": (
            c.Answer(slot="time", value="2026-11-24"),
            c.Answer(slot="choice", value="1"),
        ),
        "closing.satisfaction": (c.Answer(slot="rating", value="4"),),
    }
    if call.asks in by_question:
        return by_question[call.asks]
    if call.asks in (None, "clarify", "closing.more") and flow is None:
        return (OPENERS[pick % len(OPENERS)],)
    return (c.Affirm(),)


class AnyCall(RuleBasedStateMachine):
    """Calls to one company, one after the other; every turn is checked."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = Clock()
        self.company = FakeCompany(self.clock)

    def teardown(self) -> None:
        self.loop.close()

    # Callers ------------------------------------------------------------------------------------------

    @initialize(
        number=st.sampled_from((JANE.phone, JANE.phone, "+15035550100", None)), free=st.booleans()
    )
    def rings(self, number: str | None, free: bool) -> None:
        self.number = number
        self.company.staff.free = free
        self.answered()

    def answered(self) -> None:
        self.call = FakeCall(number=self.number, company=self.company, clock=self.clock)
        self.said = self.number or ""
        self.read_back_heard = False
        self.loop.run_until_complete(self.call.begin())
        assert self.call.lines == ("greeting",)

    @rule(commands=st.lists(COMMANDS, min_size=1, max_size=4), cut=CUTS)
    def says_anything(self, commands: list[c.Command], cut: float | None) -> None:
        self.says(tuple(commands), cut)

    @rule(pick=st.integers(0, 99), turns=st.integers(1, 6))
    def goes_along(self, pick: int, turns: int) -> None:
        for _ in range(turns):
            self.says(right_answers(self.call, pick), None)

    @rule(
        pick=st.integers(0, 99),
        more=st.lists(COMMANDS, min_size=1, max_size=2),
        cut=CUTS,
        first=st.booleans(),
    )
    def answers_and_more(
        self, pick: int, more: list[c.Command], cut: float | None, first: bool
    ) -> None:
        answers = right_answers(self.call, pick)
        self.says((*answers, *more) if first else (*more, *answers), cut)

    @rule(digits=st.text(alphabet="0123456789*#", max_size=6))
    def presses(self, digits: str) -> None:
        self.said += digits
        yes = digits.strip().rstrip("#").replace("*", "") == "1"
        self.turn(self.call.keys(digits), (c.Affirm(),) if yes else (), cut=False)

    @rule()
    def is_silent(self) -> None:
        self.turn(self.call.silence(), (), cut=False)

    @rule()
    def is_back_after_a_moment(self) -> None:
        self.turn(self.call.back(), (), cut=False)

    @rule()
    def drops_and_rings_again(self) -> None:
        self.read_back_heard = False
        self.turn(self.call.resume(), (), cut=False)

    # The world ----------------------------------------------------------------------------------------

    @rule(minutes=st.integers(0, 20))
    def time_passes(self, minutes: int) -> None:
        self.call.later(minutes)

    @rule(ports=st.sets(st.sampled_from(PORTS), min_size=1, max_size=2))
    def goes_down(self, ports: set[PortName]) -> None:
        self.company.wire.down |= ports

    @rule()
    def comes_back(self) -> None:
        self.company.wire.down.clear()

    @rule(free=st.booleans())
    def staff_come_and_go(self, free: bool) -> None:
        self.company.staff.free = free

    @rule()
    def next_answer_is_lost(self) -> None:
        self.company.effects.answer_lost = True

    # One turn, checked --------------------------------------------------------------------------------

    def says(self, commands: tuple[c.Command, ...], cut: float | None) -> None:
        self.said += "".join(one.model_dump_json() for one in commands)
        heard = None if cut is None else self.call.text[: int(len(self.call.text) * cut)]
        self.turn(self.call.say(*commands, heard=heard), commands, cut=heard is not None)

    def turn(
        self, run: Coroutine[Any, Any, CallState], commands: tuple[c.Command, ...], *, cut: bool
    ) -> None:
        if cut and _read_back(self.call) is not None:
            self.read_back_heard = False
        before = self.call.state
        visited, performed = len(self.company.wire.visits), len(self.company.effects.performed)
        lost = self.company.effects.answer_lost
        self.loop.run_until_complete(run)
        visits = self.company.wire.visits[visited:]
        self.next_step_is_given()
        self.nothing_private_is_said()
        for visit in visits:
            self.visit_was_allowed(visit, before, commands)
        self.acted_once(performed, answer_lost=lost and not self.company.effects.answer_lost)
        self.done_is_true(before)
        if _read_back(self.call) is not None:
            self.read_back_heard = True
        if self.call.ended:
            self.answered()

    def next_step_is_given(self) -> None:
        state, case = self.call.state, self.call.case
        assert self.call.text
        resumed = state["caller"].kind == "resume"
        greeted = (resumed or "greeting" in self.call.lines) and not case.stack
        assert self.call.ended or self.call.asks or case.waiting or greeted
        assert state["verified"] == level_of(case, self.clock())
        assert len(case.history) <= 12

    def nothing_private_is_said(self) -> None:
        text = self.call.text
        verified, who = self.call.state["verified"], self.call.case.identity.customer_id
        for customer in self.company.customers.rows.values():
            for token in self.contacts(customer):
                assert token not in text or token in self.said, token
            if verified >= 1 and customer.customer_id == who:
                continue
            for token in self.purchases(customer):
                assert token not in text or token in self.said, token

    @staticmethod
    def contacts(customer: Customer) -> tuple[str, ...]:
        where = customer.address
        return (customer.phone, customer.email, customer.full_name, where.line1, where.postal_code)

    def purchases(self, customer: Customer) -> list[str]:
        mine = [one for one in self.company.orders.rows if one.customer_id == customer.customer_id]
        names = [item.name for one in mine for item in one.items]
        return [
            *(one.order_id[-5:] for one in mine),
            *(one.tracking_number or "" for one in mine),
            *names,
        ]

    def visit_was_allowed(
        self, visit: Visit, before: CallState, commands: tuple[c.Command, ...]
    ) -> None:
        after = self.call.state
        if visit.port == "orders":
            assert after["verified"] >= 1
            assert visit.about == after["case"].identity.customer_id
        question = WRITES.get(visit.method)
        if question is None:
            return
        assert before["asks"] == question
        assert self.read_back_heard
        assert any(isinstance(one, c.Affirm) for one in commands)
        assert not any(isinstance(one, c.Deny | c.Correct | c.Cancel) for one in commands)
        if question == "account.confirm":
            assert before["verified"] == 2
            assert level_of(before["case"], self.clock()) == 2
            assert visit.about == before["case"].identity.customer_id

    def acted_once(self, performed_before: int, *, answer_lost: bool) -> None:
        effects = self.company.effects
        keys = [str(key) for key in effects.performed]
        assert len(keys) == len(set(keys))
        changes = [name for name in effects.names if name.startswith("update_")]
        assert len(self.company.customers.changes) == len(changes)
        told = [one for one in self.company.notices.sent if one.kind.endswith("_changed")]
        assert len(told) == len(changes)
        now = Counter(key.effect for key in effects.performed[performed_before:])
        del now["send_code"]
        did = Counter(self.call.did)
        assert did <= now if answer_lost else did == now

    def done_is_true(self, before: CallState) -> None:
        """What is called done is on record. A line said again was judged when it was said first."""
        again = before["case"].spoken if before.get("case") else ()
        said = {one.id for one in self.call.bare.lines if one not in again}
        confirmed = before.get("case") and before["case"].question
        facts = confirmed.line.facts if confirmed else {}
        customers = self.company.customers.rows
        if "done-address" in said:
            place = facts["address"]
            assert isinstance(place, Place)
            assert customers[before["case"].identity.customer_id or ""].address == place.value
        if "done-phone" in said:
            phone = facts["phone"]
            assert isinstance(phone, Phone)
            assert customers[before["case"].identity.customer_id or ""].phone == phone.value
        if "done-transfer" in said:
            assert self.company.staff.handovers


def _read_back(call: FakeCall) -> Line | None:
    return next((one for one in call.bare.lines if one.id.startswith("read-back")), None)


TestAnyCall = AnyCall.TestCase
TestAnyCall.settings = settings(
    max_examples=120,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
