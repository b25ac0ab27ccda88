"""Turns what was decided into words, streams them, and closes the turn's memory."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.context import CallContext, Words
from graph.dialogue import RUNGS, flow_text, put_top, top
from graph.errors import FlowUnfinished
from graph.state import HISTORY_KEPT, CallState, Case, Exchange, Question, Said
from graph.understanding import commands as c
from graph.wording.line import Line, line

MANNERS = {
    "back-on-the-line",
    "back-to",
    "hello-again",
    "hold-on",
    "slower",
    "sorry-for-trouble",
    "sorry-misheard",
    "still-there",
    "switched-language",
    "you-are-welcome",
}


async def say(state: CallState, runtime: Runtime[CallContext]) -> CallState:
    case, ended = state["case"], state.get("ended", False)
    question = None if ended else case.question
    if question is None and not case.lines and not ended:
        raise FlowUnfinished
    lines = _spoken(case, question)
    text = runtime.context.wording.speak(
        lines, state["language"], mood=case.mood, variant=state["turn"]
    )
    said = Said(text=text, did=case.done_now, sources=_sources(lines))
    words = Words(text, state["language"], case.mood, case.slow)
    runtime.context.speak(words)
    runtime.stream_writer(words._asdict())
    return {
        "case": _remembered(case, state, question, text, lines),
        "said": said,
        "asks": question.asks if question else None,
        "flow": case.stack[-1].name if case.stack else None,
        "verified": int(case.identity.level),
    }


def _spoken(case: Case, question: Question | None) -> tuple[Line, ...]:
    """The turn's lines without repeats, then the question at its rung."""
    spoken = [one for at, one in enumerate(case.lines) if one not in case.lines[:at]]
    if question is None or case.waiting:
        return tuple(spoken)
    flow = top(case)
    if flow is not None and flow.begun and case.digressed and not _about_leaving(question):
        spoken.append(line("back-to", flow=flow_text(flow)))
    return (*spoken, _at_rung(question))


def _worth_repeating(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """ "What did you say?" never means the manners around it."""
    return tuple(one for one in lines if one.id.partition(".")[0] not in MANNERS)


def _idled(case: Case) -> bool:
    """Was the turn about being heard only? Then what was said before it is still the last thing said."""
    about_hearing = (
        c.Repeat | c.Slower | c.HoldOn | c.Unclear | c.Thank | c.Greet | c.SwitchLanguage
    )
    return all(isinstance(one, about_hearing) for one in case.understood)


def _about_leaving(question: Question) -> bool:
    return question.asks in ("escalation.choice", "resume.continue", "clarify")


def _at_rung(question: Question) -> Line:
    """The question in the words of its rung of the repair ladder."""
    suffix = RUNGS[question.rung]
    if not suffix or "." in question.line.id or question.asks in c.READ_BACK:
        return question.line
    return question.line.model_copy(update={"id": question.line.id + suffix})


def _sources(lines: tuple[Line, ...]) -> tuple[str, ...]:
    return tuple(one.source for one in lines if one.source)


def _remembered(
    case: Case, state: CallState, question: Question | None, text: str, lines: tuple[Line, ...]
) -> Case:
    exchange = Exchange(
        turn=state["turn"],
        words=state["caller"].words,
        said=text,
        asks=question.asks if question else None,
    )
    flow = top(case)
    if flow is not None and question is not None:
        case = put_top(case, flow.model_copy(update={"begun": True}))
    put_now = question is not None and not case.waiting
    heard = question.model_copy(update={"heard": True}) if question and put_now else question
    return case.model_copy(
        update={
            "history": (*case.history, exchange)[-HISTORY_KEPT:],
            "question": heard,
            "spoken": _worth_repeating(case.lines) or (case.spoken if _idled(case) else ()),
            "lines": (),
            "turn_commands": (),
        }
    )
