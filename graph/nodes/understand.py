"""Reads the caller's turn: words, keys, silence, or the start of a call. Fills the turn's commands, decides nothing."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.context import CallContext
from graph.dialogue import PRIVATE_ASKS, ask, flow_text, lapsed, level_of, push, tell, top
from graph.repair import (
    SILENCES_BEFORE_GOODBYE,
    as_meant,
    back_on_the_line,
    settled_first,
    silent,
)
from graph.settlement import said_again, settled, settled_after_all, through_after_all
from graph.state import AddressFlow, CallerTurn, CallState, Case, HandOver, HumanFlow, Lang
from graph.understanding import commands as c
from graph.understanding.language import settle_language
from graph.wording.line import Text, line
from tools.errors import DeskError
from tools.records import Level

RECENT = 3  # earlier turns that understanding may know of
YES_KEY, NO_KEY, PERSON_KEY = "1", "2", "0"
KEYED_YES_NO: tuple[c.Asks, ...] = (
    "account.confirm",
    "callback.confirm",
    "escalation.choice",
    "resume.continue",
    "closing.more",
)


async def understand(state: CallState, runtime: Runtime[CallContext]) -> CallState:
    caller = CallerTurn.model_validate(state.get("caller") or CallerTurn(kind="begin"))
    turn = state.get("turn", 0) + 1
    case = _fresh_turn(state.get("case") or Case(), caller, runtime.context)
    update: CallState = {
        "caller": caller,
        "turn": turn,
        "node": "understand",
        "ended": False,
        "outcome": None,
    }
    language: Lang = state.get("language") or caller.language or "en"
    if caller.kind == "begin":
        return {**update, "case": _begun(case, runtime.context), "language": language}
    if caller.kind == "resume":
        case = _resumed(case, runtime.context, stayed=caller.stayed)
        back = await _welcomed_back(case, runtime.context, turn, language)
        return {**update, "language": language, **back}
    if caller.kind == "not_put_through":
        return {**update, "case": _not_put_through(case, turn), "language": language}
    if caller.kind == "back":
        return {**update, "case": back_on_the_line(case), "language": language}
    if caller.kind == "silence":
        case = silent(case)
        return {
            **update,
            "case": case,
            "language": language,
            "ended": case.silences >= SILENCES_BEFORE_GOODBYE,
        }
    case = await settled_after_all(case, runtime.context, turn)
    case = case.model_copy(update={"silences": 0})
    if caller.kind == "keys":
        heard = await _keys(case, caller.words, language, runtime.context)
    else:
        heard = await runtime.context.understander.read(
            caller.words, pending(case, language, runtime.context)
        )
    return {**update, **_understood(case, heard, language)}


def pending(case: Case, language: Lang, context: CallContext) -> c.Pending:
    """What understanding may know about the call: the open question, the place and time."""
    question = case.question
    return c.Pending(
        asks=question.asks if question else None,
        slot=question.slot if question else None,
        language=language,
        country=_country_meant(case),
        now=context.now(case.zone).isoformat(),
        offered=question.offered if question else (),
        recent=_recent(case),
    )


def _recent(case: Case) -> tuple[c.EarlierWords, ...]:
    """What the caller said lately, without what they answered about who they are and what is changed."""
    asked = (None, *(one.asks for one in case.history))
    earlier = [
        c.EarlierWords(words=one.words, asks=asks)
        for asks, one in zip(asked, case.history, strict=False)
        if one.words and not (asks or "").startswith(PRIVATE_ASKS)
    ]
    return tuple(earlier[-RECENT:])


def _country_meant(case: Case) -> str:
    """Where an address is when nobody says so: in the country of the one on file, wherever the caller rings from."""
    flow = top(case)
    if isinstance(flow, AddressFlow) and flow.parts.country and case.question is not None:
        return flow.parts.country if case.question.asks.startswith("account.") else case.country
    return case.country


def _fresh_turn(case: Case, caller: CallerTurn, context: CallContext) -> Case:
    """The case as a new turn finds it: nothing said yet, and the last line only as far as it was heard."""
    case = case.model_copy(
        update={
            "lines": (),
            "turn_commands": (),
            "understood": (),
            "done_now": (),
            "waiting": False,
            "digressed": False,
        }
    )
    return _as_heard(lapsed(case, context.clock()), caller.heard)


def _as_heard(case: Case, heard: str | None) -> Case:
    """The history keeps the words that reached the ear; a question cut off counts as not asked."""
    if heard is None or not case.history:
        return case
    last = case.history[-1]
    if heard.strip() == last.said.strip():
        return case
    history = (*case.history[:-1], last.model_copy(update={"said": heard.strip()}))
    question = case.question.model_copy(update={"heard": False}) if case.question else None
    case = case.model_copy(update={"history": history, "question": question})
    return case if heard.strip() else said_again(case)


def _begun(case: Case, context: CallContext) -> Case:
    greeting = line(
        "greeting.recorded" if context.recorded else "greeting", company=Text(value=context.company)
    )
    return tell(_located(case, context), greeting)


def _located(case: Case, context: CallContext) -> Case:
    return case.model_copy(update={"country": context.country, "zone": context.zone})


def _resumed(case: Case, context: CallContext, *, stayed: bool) -> Case:
    """A dropped call goes on: who is calling is proven again, what was given is kept.

    A caller who never left the line has proven by a fact who they are; a code is asked for again.
    """
    level = min(level_of(case, context.clock()), Level.FACT) if stayed else Level.ANONYMOUS
    known = {} if level else {"proven_at": None, "customer_id": None}
    asked = {
        "code_channel": None,
        "code_to": None,
        "codes_sent": 0,
        "lapsed": False,
        "failed": False,
    }
    identity = case.identity.model_copy(update={"level": level, **known, **asked})
    case = case.model_copy(
        update={
            "identity": identity,
            "facts": {},
            "spoken": (),
            "silences": 0,
            "resumed": True,
            "question": None,
            "misunderstood": 0,
            "mood": "calm",
        }
    )
    words = "welcome-back.recorded" if context.recorded else "welcome-back"
    return tell(case, line(words, company=Text(value=context.company)))


async def _welcomed_back(case: Case, context: CallContext, turn: int, language: Lang) -> CallState:
    """A caller who was on the way to a colleague when the line died is put through again."""
    case = await settled(case, context, turn)
    if case.transfer is None:
        return {"case": _going_on(case, turn)}
    try:
        if await context.desk.staff.available(language):
            return through_after_all(case, case.transfer, turn)
        await context.desk.staff.transferred(context.call_id, "failed")
    except DeskError:
        pass
    return {"case": _not_put_through(case, turn)}


def _going_on(case: Case, turn: int) -> Case:
    """The question whether to go on with what is still open."""
    flow = top(case)
    if flow is None:
        return case
    return ask(case, turn, "resume.continue", "ask-resume", flow=flow_text(flow))


def _not_put_through(case: Case, turn: int) -> Case:
    """Nobody took the call: what was said of a transfer is no longer so, and a callback is offered instead."""
    transfer = case.transfer or HandOver(way="transfer", reason="asked")
    done = tuple(one for one in case.done if one.effect != "hand_over")
    case = case.model_copy(
        update={"handed_over": False, "transfer": None, "done": done, "question": None}
    )
    person = HumanFlow(reason=transfer.reason, detail=transfer.detail, callback_offered=True)
    case = push(tell(case, line("nobody-answered")), person)
    return ask(case, turn, "escalation.choice", "ask-callback-instead")


async def _keys(case: Case, keys: str, language: Lang, context: CallContext) -> c.Understanding:
    """Keypad digits: yes and no where one is asked, a person at 0, otherwise the digits as an answer."""
    digits = keys.strip().rstrip("#").replace("*", "")
    question = case.question
    asks = question.asks if question else None
    own_number_offered = asks == "callback.phone" and question is not None and not question.slot
    command: c.Command | None = None
    settles = asks in KEYED_YES_NO or own_number_offered
    if settles and digits == YES_KEY:
        command = c.Affirm()
    elif settles and digits == NO_KEY:
        command = c.Deny()
    elif digits == PERSON_KEY:
        command = c.TalkToHuman()
    if command is not None:
        return c.Understanding(language=language, commands=(command,), confidence=1.0)
    keyed = pending(case, language, context).model_copy(update={"keyed": True, "recent": ()})
    return await context.understander.read(digits, keyed)


def _understood(case: Case, heard: c.Understanding, language: Lang) -> CallState:
    spoken, evidence = settle_language(language, case.evidence, heard)
    asks = case.question.asks if case.question else None
    commands = settled_first(as_meant(case, heard.commands), asks)
    if spoken != language and not any(isinstance(one, c.SwitchLanguage) for one in commands):
        case = tell(case, line("switched-language"))
    case = case.model_copy(
        update={
            "turn_commands": commands,
            "understood": commands,
            "confidence": heard.confidence,
            "read_by": heard.by,
            "mood": heard.mood if heard.mood != "calm" else _cooled(case),
            "evidence": evidence,
            "misunderstood": case.misunderstood if _nothing_in(commands) else 0,
        }
    )
    return {"case": case, "language": spoken}


def _cooled(case: Case) -> c.Mood:
    """An angry caller is upset a turn longer before we sound as if nothing happened."""
    return "upset" if case.mood == "angry" else "calm"


def _nothing_in(commands: tuple[c.Command, ...]) -> bool:
    return all(isinstance(command, c.Unclear) for command in commands)
