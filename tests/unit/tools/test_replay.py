"""A replay reads the company's systems and writes into none of them."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel

from graph.context import Desk
from tests.fakes.desk import JANE, FakeCompany
from tools import ports
from tools.effects import EffectConflict, EffectKey
from tools.errors import BackendDown, Refused
from tools.limits import LOOKUPS
from tools.records import Customer
from tools.replay import CodeVerdict, ReplayedEffects, ReplayedVault, read_only

KEY = EffectKey(call_id=uuid4(), turn=8, effect="update_address")
CODE = EffectKey(call_id=KEY.call_id, turn=3, effect="send_code")


def desk() -> Desk:
    return FakeCompany(lambda: datetime(2026, 11, 23, 18, 0, tzinfo=UTC)).desk


class Wish(BaseModel):
    line1: str


class FakeRecords:
    """One address change, to Main Street, was done in the call; one code was right and one guess was wrong."""

    async def recorded(
        self, key: EffectKey, arguments: BaseModel, result_type: type[Customer]
    ) -> Customer | None:
        if key != KEY:
            return None
        if arguments != Wish(line1="Main Street"):
            raise EffectConflict
        return JANE

    async def is_done(self, key: EffectKey) -> bool:
        return key == KEY

    async def recorded_check(self, call_id: UUID, turn: int) -> CodeVerdict | None:
        return "ok" if turn == 4 else None

    async def recorded_failure(self, call_id: UUID, turn: int, account: str | None) -> bool:
        return turn == 2


async def never() -> Customer:
    raise AssertionError("a replay performs nothing")


@pytest.fixture
def effects() -> ReplayedEffects:
    return ReplayedEffects(FakeRecords())  # type: ignore[arg-type]


@pytest.fixture
def vault() -> ReplayedVault:
    return ReplayedVault(desk().vault, FakeRecords())


async def test_a_write_done_in_the_call_answers_from_its_record(effects: ReplayedEffects) -> None:
    outcome = await effects.run_once(KEY, Wish(line1="Main Street"), never, Customer)
    assert (outcome.result, outcome.repeated) == (JANE, True)
    assert await effects.is_done(KEY)


async def test_the_key_of_a_write_does_not_answer_for_another(effects: ReplayedEffects) -> None:
    with pytest.raises(EffectConflict):
        await effects.run_once(KEY, Wish(line1="Oak Avenue"), never, Customer)


async def test_a_write_not_done_in_the_call_is_refused(effects: ReplayedEffects) -> None:
    later = KEY.model_copy(update={"turn": 9})
    with pytest.raises(Refused, match="read_only"):
        await effects.run_once(later, Wish(line1="Main Street"), never, Customer)


async def test_a_code_that_is_not_sent_is_no_locked_account(effects: ReplayedEffects) -> None:
    with pytest.raises(BackendDown):
        await effects.run_once(CODE, Wish(line1=""), never, Customer)


async def test_identity_is_judged_as_it_was_in_the_call(vault: ReplayedVault) -> None:
    asked = {"call_id": KEY.call_id, "customer_id": "C-1", "code": "000000"}
    assert await vault.check_code(**asked, turn=4) == "ok"
    with pytest.raises(BackendDown):
        await vault.check_code(**asked, turn=5)
    guess = {"call_id": KEY.call_id, "account": "C-1", "caller_key": None}
    await vault.record_failure(**guess, turn=2)
    with pytest.raises(BackendDown):
        await vault.record_failure(**guess, turn=3)
    with pytest.raises(BackendDown):
        await vault.issue_code(call_id=KEY.call_id, customer_id="C-1")
    assert not await vault.locked(**guess)


def methods_of(port: type) -> list[str]:
    return [name for name, _ in inspect.getmembers(port, inspect.isfunction) if name[0] != "_"]


@pytest.mark.parametrize(
    ("name", "port"),
    [
        ("customers", ports.CustomerDirectory),
        ("orders", ports.OrderBook),
        ("callbacks", ports.CallbackCalendar),
        ("knowledge", ports.KnowledgeBase),
        ("staff", ports.StaffDesk),
        ("notices", ports.Notifier),
    ],
)
async def test_no_method_of_a_port_writes_in_a_replay(name: str, port: type) -> None:
    replayed = read_only(getattr(desk(), name))
    for method in methods_of(port):
        if method in LOOKUPS:
            assert getattr(replayed, method) is not None
            continue
        with pytest.raises(Refused, match="read_only"):
            await getattr(replayed, method)()


async def test_a_lookup_in_a_replay_finds_what_is_on_file() -> None:
    customers = read_only(desk().customers)
    assert await customers.find_by_phone(JANE.phone) == (JANE,)
