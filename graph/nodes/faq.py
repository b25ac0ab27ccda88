"""Answers general questions from the knowledge base, and admits what it does not know."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.context import CallContext
from graph.dialogue import answered, digress, offer_person, tell
from graph.state import CallState, Case, HumanFlow
from graph.understanding.commands import AskFaq
from graph.wording.line import Text, line
from tools.knowledge import answer


async def faq(state: CallState, runtime: Runtime[CallContext]) -> CallState:
    case, context = state["case"], runtime.context
    head, *rest = case.turn_commands
    case = case.model_copy(update={"turn_commands": tuple(rest)})
    question = head.question if isinstance(head, AskFaq) else state["caller"].words
    passage = await answer(context.desk.knowledge, question, state["language"])
    if passage is None:
        return {"case": _unknown(case), "node": "faq"}
    case = tell(case, line("faq-answer", source=passage.topic, answer=Text(value=passage.body)))
    case = answered(case, passage.topic)
    case = case.model_copy(update={"asked": (*case.asked, passage.topic)[-20:]})
    return {"case": digress(case), "node": "faq"}


def _unknown(case: Case) -> Case:
    """A person is offered: now, or once the open flow is done."""
    offer = HumanFlow(reason="unknown", offered=True)
    if not case.stack:
        return offer_person(tell(case, line("faq-unknown")), offer)
    if any(isinstance(flow, HumanFlow) for flow in case.stack):
        return digress(tell(case, line("faq-unknown")))
    case = tell(case, line("faq-unknown-later"))
    return digress(case.model_copy(update={"stack": (offer, *case.stack)}))
