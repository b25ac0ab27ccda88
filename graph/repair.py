"""What a caller does to the conversation itself: correct, cancel, ask for it again, wait, fall silent, start
something else. Handled here once, for every flow. Pure: a case in, a case out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graph.dialogue import (
    LADDER_END,
    digress,
    emptied_of,
    fill,
    flow_text,
    offer_person,
    pop,
    push,
    put_top,
    stumble,
    tell,
    top,
)
from graph.state import (
    AddressFlow,
    CallbackFlow,
    Case,
    Flow,
    HumanFlow,
    OrderFlow,
    PhoneFlow,
)
from graph.understanding import commands as c
from graph.wording.line import line

SILENCES_BEFORE_GOODBYE = 3
COMPLAINTS_BEFORE_PERSON = 2

#: Commands that settle an open yes/no question; the node that asked it takes them.
SETTLES = (c.Affirm, c.Deny)
YES_NO_ASKS: tuple[c.Asks, ...] = (
    "account.confirm",
    "callback.confirm",
    "callback.phone",
    "escalation.choice",
    "closing.more",
    "closing.satisfaction",
)
#: Questions that a bare yes does not answer.
ASKED_FOR_WORDS: tuple[c.Asks, ...] = (
    "callback.topic",
    "callback.time",
    "account.phone",
    "order.which",
)
#: Commands a node of their own takes.
SERVED_ELSEWHERE = (c.AskFaq, c.Goodbye)

Repair = Callable[[Case], Case]


def repaired(case: Case, turn: int) -> Case:
    """Serve every command at the head of the turn that is about the conversation itself.

    Stops at the first one that a flow must take. Opens flows so that the first one named is served first.
    """
    while case.turn_commands and not left_to_a_node(case):
        if starts_flow(case.turn_commands[0]):
            case = _open_flows(case)
            continue
        head, *rest = case.turn_commands
        case = _serve(case.model_copy(update={"turn_commands": tuple(rest)}), head)
    return _put_again(case, turn)


def _put_again(case: Case, turn: int) -> Case:
    """A question no flow asks for itself is put again by us, until it is answered."""
    question = case.question
    if case.turn_commands or question is None or question.asks != "resume.continue":
        return case
    return case.model_copy(update={"question": question.model_copy(update={"turn": turn})})


def left_to_a_node(case: Case) -> bool:
    """Is the head of the turn something another node must take?"""
    head = case.turn_commands[0]
    if isinstance(head, SERVED_ELSEWHERE):
        return True
    asks = case.question.asks if case.question and case.question.heard else None
    if isinstance(head, SETTLES):
        return asks in YES_NO_ASKS
    if isinstance(head, c.Answer) and head.slot == "rating":
        return asks == "closing.satisfaction"
    if isinstance(head, c.Answer) and head.slot == "choice":
        return asks == "escalation.choice"
    if asks == "closing.satisfaction" and not starts_flow(head):
        return isinstance(head, c.Thank | c.Unclear | c.OutOfScope | c.Answer)
    return isinstance(head, c.Thank) and asks == "closing.more"


def starts_flow(command: c.Command) -> bool:
    return isinstance(
        command, c.OrderStatus | c.UpdateAddress | c.UpdatePhone | c.Callback | c.TalkToHuman
    )


def _open_flows(case: Case) -> Case:
    """All flows named in a row, opened in reverse so that the first is on top."""
    starts: list[c.Command] = []
    rest = list(case.turn_commands)
    while rest and starts_flow(rest[0]):
        starts.append(rest.pop(0))
    opened_before = len(case.stack)
    case = case.model_copy(update={"turn_commands": tuple(rest)})
    for command in reversed(starts):
        case = _open(case, _flow_of(case, command))
    if opened_before and len(case.stack) > opened_before:
        case = digress(case)
    return case


def _open(case: Case, flow: Flow) -> Case:
    """A new flow on top. Asking again for what is already open changes nothing already given."""
    if case.question and case.question.asks in ("closing.more", "closing.satisfaction", "clarify"):
        case = case.model_copy(update={"question": None})
    current = top(case)
    if current is not None and current.name == flow.name and not _brings_news(flow):
        return resume_implied(case)
    already = next((open_ for open_ in case.stack if open_.name == flow.name), None)
    if already is not None and not _brings_news(flow):
        flow = already
    return push(case, flow).model_copy(update={"proposal": None, "question": None})


def _brings_news(flow: Flow) -> bool:
    """Does the request say more than its name?"""
    if isinstance(flow, OrderFlow):
        return bool(flow.order or flow.last or flow.problem)
    if isinstance(flow, CallbackFlow):
        return flow.action != "book"
    return isinstance(flow, HumanFlow)


def _flow_of(case: Case, command: c.Command) -> Flow:
    if isinstance(command, c.OrderStatus):
        return OrderFlow(order=command.order, last=command.last, problem=command.problem)
    if isinstance(command, c.UpdateAddress):
        return AddressFlow()
    if isinstance(command, c.UpdatePhone):
        return PhoneFlow()
    if isinstance(command, c.Callback):
        return CallbackFlow(action=command.action)
    return HumanFlow()


def _serve(case: Case, command: c.Command) -> Case:
    if isinstance(command, c.Answer):
        return _answer(case, command)
    if isinstance(command, c.Correct):
        return _correct(case, command)
    return _REPAIRS[command.command](case)


def _answer(case: Case, command: c.Answer) -> Case:
    case = resume_implied(case)
    filled = fill(case, command.slot, command.value)
    if filled is case and case.question is not None:
        return stumble(case)
    return filled


def _correct(case: Case, command: c.Correct) -> Case:
    if command.slot is not None and command.value:
        corrected = fill(case, command.slot, command.value)
        if corrected is not case:
            return corrected
    if command.slot is not None and not command.value:
        return _reopen(case, command.slot)
    return dispute(case)


def _reopen(case: Case, slot: c.Slot) -> Case:
    """ "The street is wrong": what was given for it is dropped, and it is asked for."""
    flow = top(case)
    emptied = emptied_of(flow, slot) if flow is not None else None
    if emptied is None:
        return dispute(case)
    return put_top(case, emptied).model_copy(update={"proposal": None, "question": None})


def dispute(case: Case) -> Case:
    """Something we said or heard is wrong, and the caller has not said what."""
    flow = top(case)
    case = case.model_copy(update={"proposal": None})
    if isinstance(flow, CallbackFlow) and flow.action == "cancel" and _at_confirm(case):
        return pop(tell(case, line("sorry-misheard")), served=False)
    if isinstance(flow, AddressFlow | CallbackFlow) and _at_confirm(case):
        disputed = flow.model_copy(update={"disputed": True})
        return case.model_copy(update={"stack": (*case.stack[:-1], disputed), "question": None})
    if isinstance(flow, PhoneFlow) and _at_confirm(case):
        cleared = flow.model_copy(update={"phone": None, "heard": None})
        case = case.model_copy(update={"stack": (*case.stack[:-1], cleared), "question": None})
        return tell(case, line("sorry-misheard"))
    return tell(case, line("sorry-misheard"))


def _at_confirm(case: Case) -> bool:
    return case.question is not None and case.question.asks in c.READ_BACK


def resume_implied(case: Case) -> Case:
    """Going straight on is a yes to "shall we go on?"."""
    if case.question is not None and case.question.asks == "resume.continue":
        return case.model_copy(update={"question": None})
    return case


def _affirm(case: Case) -> Case:
    """A yes nobody is waiting for is only good manners; a yes to a question cut off confirms nothing."""
    question = case.question
    if question is not None and question.asks in ("identity.fact", "identity.code"):
        return case
    asked = question is not None and question.heard and question.asks in ASKED_FOR_WORDS
    if asked and len(case.understood) == 1:
        return stumble(case)
    return _undisputed(resume_implied(case))


def _undisputed(case: Case) -> Case:
    """Nothing is to be corrected after all: it is read back again."""
    flow = top(case)
    if not isinstance(flow, AddressFlow | CallbackFlow) or not flow.disputed:
        return case
    settled = put_top(case, flow.model_copy(update={"disputed": False}))
    return settled.model_copy(update={"question": None})


def _deny(case: Case) -> Case:
    question = case.question
    if question is None:
        return case
    settled = _undisputed(case)
    if settled is not case:
        return settled
    if question.asks == "resume.continue":
        return _drop_everything(case)
    if question.heard and not question.asks.startswith("account."):
        return stumble(case)
    return case


def _drop_everything(case: Case) -> Case:
    case = case.model_copy(
        update={"stack": (), "proposal": None, "question": None, "digressed": False}
    )
    return tell(
        case,
        line("dropped-open-things.unknown") if case.unsettled else line("dropped-open-things"),
    )


def _cancel(case: Case) -> Case:
    flow = top(case)
    if flow is None:
        return case.model_copy(update={"question": None})
    cancelled = pop(case, served=False)
    if case.unsettled:  # "nothing was changed" may not be true
        return tell(cancelled, line("cancelled.unknown", flow=flow_text(flow)))
    return tell(cancelled, line("cancelled", flow=flow_text(flow)))


def _repeat(case: Case) -> Case:
    return tell(case, *case.spoken)


def _slower(case: Case) -> Case:
    return _repeat(tell(case.model_copy(update={"slow": True}), line("slower")))


def _hold_on(case: Case) -> Case:
    return tell(case.model_copy(update={"waiting": True}), line("hold-on"))


def _switch_language(case: Case) -> Case:
    """The language itself was changed where it was understood; here it is only said."""
    return tell(case, line("switched-language"))


def _greet(case: Case) -> Case:
    return case if case.question else tell(case, line("hello-again"))


def _thank(case: Case) -> Case:
    return tell(case, line("you-are-welcome"))


def _complain(case: Case) -> Case:
    case = tell(
        case.model_copy(update={"complaints": case.complaints + 1}), line("sorry-for-trouble")
    )
    if case.complaints >= COMPLAINTS_BEFORE_PERSON or (
        not case.stack and len(case.understood) == 1
    ):
        return offer_person(case, HumanFlow(reason="asked", offered=True))
    return case


def _out_of_scope(case: Case) -> Case:
    return digress(tell(case, line("out-of-scope")))


def _unclear(case: Case) -> Case:
    if case.question is not None and case.question.asks != "clarify":
        return stumble(case)
    missed = case.misunderstood + 1
    case = case.model_copy(update={"misunderstood": missed})
    if missed >= LADDER_END:
        return offer_person(case, HumanFlow(reason="repair", offered=True))
    return case


def silent(case: Case) -> Case:
    """Nothing was said: ask if they are there, and again; the third time the call ends, to be resumed."""
    case = case.model_copy(update={"silences": case.silences + 1})
    if case.silences >= SILENCES_BEFORE_GOODBYE:
        return tell(case, line("silence-goodbye"))
    return tell(case, line("still-there" if case.silences == 1 else "still-there.again"))


def back_on_the_line(case: Case) -> Case:
    """The caller's network was away for a moment: they are here, and hear again what they may have missed."""
    return _repeat(tell(case.model_copy(update={"silences": 0}), line("back-on-the-line")))


_REPAIRS: dict[str, Repair] = {
    "affirm": _affirm,
    "deny": _deny,
    "cancel": _cancel,
    "repeat": _repeat,
    "slower": _slower,
    "hold_on": _hold_on,
    "switch_language": _switch_language,
    "greet": _greet,
    "thank": _thank,
    "complain": _complain,
    "out_of_scope": _out_of_scope,
    "unclear": _unclear,
}


def as_meant(case: Case, heard: Sequence[c.Command]) -> tuple[c.Command, ...]:
    """ "Cancel it" is a yes to "shall I cancel it?", and stops a callback that is not booked yet."""
    flow = top(case)
    if not isinstance(flow, CallbackFlow):
        return tuple(heard)
    asked = flow.action == "cancel" and _at_confirm(case)
    meant: list[c.Command] = []
    for one in heard:
        cancels = isinstance(one, c.Callback) and one.action == "cancel"
        if asked and (cancels or isinstance(one, c.Cancel)):
            one = c.Affirm()  # noqa: PLW2901 - the same command, as it was meant
        elif cancels and flow.action != "cancel":
            one = c.Cancel()  # noqa: PLW2901
        if one not in meant:
            meant.append(one)
    return tuple(meant)


def settled_first(heard: Sequence[c.Command], asks: c.Asks | None) -> tuple[c.Command, ...]:
    """What settles the open question comes before what opens another; order is kept otherwise.

    A yes said together with a no, a correction, a new value or a doubt confirms nothing ("yes, no wait, fifty").
    """
    taken_back = any(isinstance(one, c.Deny | c.Correct | c.Cancel) for one in heard)
    doubts = c.Answer | c.HoldOn | c.Repeat
    changed = asks in c.READ_BACK and any(isinstance(one, doubts) for one in heard)
    kept = [one for one in heard if not (isinstance(one, c.Affirm) and (taken_back or changed))]
    opened = next((at for at, one in enumerate(kept) if starts_flow(one)), len(kept))
    first: list[c.Command] = []
    later: list[c.Command] = []
    for at, one in enumerate(kept):
        settles = isinstance(one, c.Affirm | c.Deny | c.Correct | c.SwitchLanguage | c.Slower)
        answers_now = isinstance(one, c.Answer) and at < opened
        (first if settles or answers_now else later).append(one)
    return (*first, *later)
