"""Who is calling, and how sure we are. Nothing private is said and nothing changed before this node lets it through.

Level 1: an account found and a matching fact. Level 2: a one-time code sent to the contact already on file.
The words are the same whether the account does not exist or the fact is wrong.
"""

from __future__ import annotations

from langgraph.runtime import Runtime
from pydantic import BaseModel

from graph.context import CallContext
from graph.dialogue import LEVEL_NEEDED, ask, lapsed, pop, push, tell, top
from graph.state import CallState, Case, HumanFlow, OrderFlow
from graph.understanding.commands import Slot
from graph.wording.line import Code, Line, line
from tools.customers import find_accounts, matches_fact
from tools.effects import EffectKey
from tools.errors import NotFound, Refused
from tools.notices import CodeSent, contact_for_code, send_code
from tools.records import Customer, Level

CODES_PER_CALL = 4
SHARED_BY = 5  # accounts with one number; of a switchboard's number the account is asked for
ACCOUNT_SLOTS: tuple[Slot, ...] = ("phone", "email", "order")
FACT_SLOTS: tuple[Slot, ...] = ("postal_code", "order", "email", "phone")


class _CodeRequest(BaseModel):
    customer_id: str
    channel: str


async def identity(state: CallState, runtime: Runtime[CallContext]) -> CallState:
    case, context, turn = state["case"], runtime.context, state["turn"]
    flow = top(case)
    needed = LEVEL_NEEDED[flow.name] if flow else Level.ANONYMOUS
    case = _lapse_told(lapsed(case, context.clock()))
    if case.identity.level < needed and await _locked(case, context):
        case = _hand_locked_over(case)
    else:
        if case.identity.level < Level.FACT <= needed:
            case = await _prove_by_fact(case, context, turn)
        if case.identity.level == Level.FACT and needed == Level.CODE and top(case) == flow:
            case = await _prove_by_code(case, context, turn)
    return {"case": case, "verified": int(case.identity.level), "node": "identity"}


def _lapse_told(case: Case) -> Case:
    if not case.identity.lapsed:
        return case
    return tell(_with_identity(case, lapsed=False), line("identity-lapsed"))


async def _locked(case: Case, context: CallContext) -> bool:
    accounts: tuple[str | None, ...] = case.identity.candidates or (None,)
    for account in accounts:
        if await context.desk.vault.locked(
            call_id=context.call_id, account=account, caller_key=context.caller_key
        ):
            return True
    return False


def _hand_locked_over(case: Case) -> Case:
    case = tell(pop(case, served=False), line("identity-locked"))
    case = case.model_copy(update={"facts": {}, "digressed": False})
    return push(case, HumanFlow(reason="identity_locked", offered=True))


# Level 1 ------------------------------------------------------------------------------------------------


async def _prove_by_fact(case: Case, context: CallContext, turn: int) -> Case:
    known = case.identity.candidates
    case = await _candidates_by_caller_id(case, context)
    case = await _order_as_detail(case, context)
    before = case
    case = await _candidates_by_account(case, context)
    if case.identity.account_slot is None:
        return ask(case, turn, "identity.account", "ask-account")
    if _fact_was_asked(before) and case.identity != before.identity:
        # Naming other accounts until one fits is guessing, too.
        await _count_failure(before, context, turn)
        if await _locked(before, context):
            return _hand_locked_over(case)
    if case.identity.candidates != known and await _locked(case, context):
        # Found only now: a locked account takes no fact, not even one that came along with the request.
        return _hand_locked_over(case)
    given = {slot: value for slot, value in case.facts.items() if slot in FACT_SLOTS}
    given = {slot: value for slot, value in given.items() if not _found_by(case, slot)}
    if not given:
        return _ask_fact(case.model_copy(update={"facts": {}}), turn)
    proven = await _proven(case, given, context)
    case = case.model_copy(update={"facts": {}})
    if proven is None:
        return await _failed(case, context, turn)
    return _at_level(case, Level.FACT, context, customer_id=proven)


def _fact_was_asked(case: Case) -> bool:
    return case.question is not None and case.question.asks == "identity.fact"


async def _candidates_by_caller_id(case: Case, context: CallContext) -> Case:
    """The caller's number finds a candidate once, unless the caller already named an account."""
    named = any(slot in case.facts for slot in ("phone", "email"))
    if case.identity.account_slot or named or not context.caller_number:
        return case
    found = await context.desk.customers.find_by_phone(context.caller_number)
    if not found or len(found) > SHARED_BY:
        return case
    return _with_identity(
        case, candidates=tuple(one.customer_id for one in found), account_slot="caller_id"
    )


async def _order_as_detail(case: Case, context: CallContext) -> Case:
    """The order number a caller asks about finds their account, or is the fact that matches it."""
    flow = top(case)
    if not isinstance(flow, OrderFlow) or flow.order is None or "order" in case.facts:
        return case
    if case.identity.order == flow.order or case.identity.failed:
        return case
    finds = case.identity.account_slot is None
    if finds or await _is_fact_of_candidate(case, "order", flow.order, context):
        return case.model_copy(update={"facts": {**case.facts, "order": flow.order}})
    return case


async def _candidates_by_account(case: Case, context: CallContext) -> Case:
    """An account the caller names replaces the candidates; a fact that belongs to a candidate stays a fact."""
    for slot in ACCOUNT_SLOTS:
        value = case.facts.get(slot)
        if value is None or await _is_fact_of_candidate(case, slot, value, context):
            continue
        if slot == "order" and case.identity.account_slot not in (None, "caller_id"):
            continue  # a wrong fact, not another account
        found = await find_accounts(context.desk.customers, slot, value)
        if slot == "order" and case.identity.account_slot == "caller_id" and not found:
            continue
        facts = {name: kept for name, kept in case.facts.items() if name != slot}
        case = case.model_copy(update={"facts": facts})
        case = _with_identity(
            case,
            candidates=tuple(one.customer_id for one in found),
            account_slot=slot,
            order=value if slot == "order" else case.identity.order,
        )
        if case.question is not None and case.question.asks == "identity.account":
            case = case.model_copy(update={"question": None})
        break
    return case


async def _is_fact_of_candidate(case: Case, slot: Slot, value: str, context: CallContext) -> bool:
    if case.identity.account_slot == slot:
        return False
    for customer in await _customers(case, context):
        if await matches_fact(context.desk.customers, customer, slot, value):
            return True
    return False


async def _customers(case: Case, context: CallContext) -> tuple[Customer, ...]:
    found: list[Customer] = []
    for customer_id in case.identity.candidates:
        try:
            found.append(await context.desk.customers.get(customer_id))
        except NotFound:
            continue
    return tuple(found)


async def _proven(case: Case, given: dict[Slot, str], context: CallContext) -> str | None:
    """The one candidate whom every given fact matches; None when there is none or more than one."""
    matching: list[str] = []
    for customer in await _customers(case, context):
        verdicts = [
            await _matches(case, customer, slot, value, context) for slot, value in given.items()
        ]
        if all(verdicts):
            matching.append(customer.customer_id)
    return matching[0] if len(matching) == 1 else None


async def _matches(
    case: Case, customer: Customer, slot: Slot, value: str, context: CallContext
) -> bool:
    """Five digits may be a postal code or an order number: the question asked for either."""
    if await matches_fact(context.desk.customers, customer, slot, value):
        return True
    either = slot == "postal_code" and value.isdecimal() and not _found_by(case, "order")
    return either and await matches_fact(context.desk.customers, customer, "order", value)


def _found_by(case: Case, slot: Slot) -> bool:
    """The detail an account was found by proves nothing about it."""
    found_by = case.identity.account_slot
    return slot == found_by or (slot == "phone" and found_by == "caller_id")


async def _count_failure(case: Case, context: CallContext, turn: int) -> None:
    accounts: tuple[str | None, ...] = case.identity.candidates or (None,)
    for account in accounts:
        await context.desk.vault.record_failure(
            call_id=context.call_id, turn=turn, account=account, caller_key=context.caller_key
        )


async def _failed(case: Case, context: CallContext, turn: int) -> Case:
    await _count_failure(case, context, turn)
    case = _with_identity(case, failed=True)
    if await _locked(case, context):
        return _hand_locked_over(case)
    return _ask_fact(tell(case, line("identity-no-match")), turn)


def _ask_fact(case: Case, turn: int) -> Case:
    if case.identity.failed:
        return ask(case, turn, "identity.fact", "ask-fact-retry")
    message = "ask-fact-of-order" if case.identity.account_slot == "order" else "ask-fact"
    return ask(case, turn, "identity.fact", message)


# Level 2 ------------------------------------------------------------------------------------------------


async def _prove_by_code(case: Case, context: CallContext, turn: int) -> Case:
    wish = case.facts.get("choice")
    code = case.facts.get("code")
    case = case.model_copy(update={"facts": {}})
    if case.identity.code_channel is None or wish in ("email", "sms", "resend"):
        return await _send_code(case, context, turn, wish)
    if code is None:
        return _ask_code(case, turn)
    customer_id = case.identity.customer_id or ""
    verdict = await context.desk.vault.check_code(
        call_id=context.call_id, customer_id=customer_id, code=code, turn=turn
    )
    if verdict == "ok":
        return _at_level(case, Level.CODE, context, customer_id=customer_id)
    if verdict == "wrong":
        return await _wrong_code(case, context, turn)
    return await _send_code(tell(case, line("code-expired")), context, turn, None)


async def _wrong_code(case: Case, context: CallContext, turn: int) -> Case:
    await context.desk.vault.record_failure(
        call_id=context.call_id,
        turn=turn,
        account=case.identity.customer_id,
        caller_key=context.caller_key,
    )
    if await _locked(case, context):
        return _hand_locked_over(case)
    return _ask_code(tell(case, line("code-wrong")), turn)


async def _send_code(case: Case, context: CallContext, turn: int, wish: str | None) -> Case:
    if case.identity.codes_sent >= CODES_PER_CALL:
        return _hand_locked_over(case)
    customer = await context.desk.customers.get(case.identity.customer_id or "")
    channel = wish if wish in ("email", "sms") else case.identity.code_channel
    contact = contact_for_code(customer, channel)
    if contact is None:
        return _hand_locked_over(case)
    key = EffectKey(call_id=context.call_id, turn=turn, effect="send_code")
    request = _CodeRequest(customer_id=customer.customer_id, channel=contact.channel)
    language = customer.language
    try:
        sent = await context.desk.effects.run_once(
            key,
            request,
            lambda: send_code(
                context.desk.vault,
                context.desk.notices,
                context.call_id,
                customer,
                contact,
                language,
                context.company,
            ),
            CodeSent,
        )
    except Refused:
        return _hand_locked_over(case)
    case = _with_identity(
        case,
        code_channel=sent.result.channel,
        code_to=sent.result.masked_to,
        codes_sent=case.identity.codes_sent + 1,
    )
    return _ask_code(tell(case.model_copy(update={"question": None}), _code_sent(case)), turn)


def _code_sent(case: Case) -> Line:
    """The last digits of a number tell its owner which phone to look at, and nobody else anything."""
    if case.identity.code_channel == "email":
        return line("code-sent-email")
    return line("code-sent-sms", ending=Code(value=(case.identity.code_to or "")[-4:]))


def _ask_code(case: Case, turn: int) -> Case:
    return ask(case, turn, "identity.code", "ask-code", slot="code")


def _at_level(case: Case, level: Level, context: CallContext, *, customer_id: str) -> Case:
    now = context.clock()
    case = _with_identity(
        case,
        level=level,
        customer_id=customer_id,
        proven_at=now,
        failed=False,
        code_channel=None,
        code_to=None,
    )
    return case.model_copy(update={"question": None})


def _with_identity(case: Case, **changed: object) -> Case:
    return case.model_copy(update={"identity": case.identity.model_copy(update=changed)})
