"""Order status and tracking, for a caller whom `identity` let through."""

from __future__ import annotations

from datetime import date

from langgraph.runtime import Runtime

from graph.context import CallContext
from graph.dialogue import ask, plain_order, pop, push, put_top, tell, top_flow
from graph.state import CallState, Case, HumanFlow, OrderFlow
from graph.wording.line import Code, Day, Items, Line, Text, any_of, line
from tools.orders import order_of, recent_orders
from tools.records import Order


async def order(state: CallState, runtime: Runtime[CallContext]) -> CallState:
    case = await _served(state["case"], runtime.context, state["turn"])
    return {"case": case, "node": "order"}


async def _served(case: Case, context: CallContext, turn: int) -> Case:
    flow = top_flow(case, OrderFlow)
    if flow is None:
        return case
    who = (case.identity.customer_id, case.identity.level)
    wanted = flow.order or _meant(case, flow)
    if wanted is not None and not flow.last:
        found = await order_of(context.desk.orders, *who, wanted)
        if found is not None and (flow.order is not None or _fits_problem(flow, found)):
            return _told(case, flow, found, context)
        if flow.order is not None:
            case = tell(case, line("order-not-found"))
        flow = flow.model_copy(update={"order": None})
        case = put_top(case, flow)
    recent = await recent_orders(context.desk.orders, *who)
    if not recent:
        return pop(tell(case, line("order-none")), served=True)
    if flow.last or len(recent) == 1:
        return _told(case, flow, recent[0], context)
    return _which(case, flow, recent, context, turn)


def _fits_problem(flow: OrderFlow, found: Order) -> bool:
    """ "It says delivered and I don't have it" is not about the one just told about, when that is still on its way."""
    return flow.problem != "not_received" or found.status == "delivered"


def _meant(case: Case, flow: OrderFlow) -> str | None:
    """The order a caller means without naming it: the one just told about, or the one they were found by."""
    if flow.problem:
        return case.last_order or case.identity.order
    return case.identity.order if case.last_order is None else None


def _which(
    case: Case, flow: OrderFlow, recent: tuple[Order, ...], context: CallContext, turn: int
) -> Case:
    today = context.now(case.zone).date()
    choices = tuple(
        line(
            "order-choice",
            items=Items(value=one.items),
            placed=Day(value=one.placed_at.date(), today=today),
        )
        for one in recent
    )
    case = put_top(case, flow.model_copy(update={"offered": tuple(one.order_id for one in recent)}))
    return ask(
        case,
        turn,
        "order.which",
        "ask-order-which",
        offered=tuple(" ".join(item.name for item in one.items) for one in recent),
        orders=any_of(choices),
    )


def _told(case: Case, flow: OrderFlow, found: Order, context: CallContext) -> Case:
    today = context.now(case.zone).date()
    case = tell(case, *order_lines(found, today))
    case = pop(case, served=True).model_copy(update={"last_order": plain_order(found.order_id)})
    missing = flow.problem == "not_received" and found.status == "delivered"
    if missing or found.status == "lost":
        person = HumanFlow(reason="order_problem", offered=not missing, detail=found.order_id)
        return push(tell(case, line("order-problem-sorry")), person)
    return case


def order_lines(found: Order, today: date) -> tuple[Line, ...]:
    """The order in sentences: what and how it stands, who carries it, when it comes."""
    lines = [
        line(
            f"order-{found.status.replace('_', '-')}",
            order=Code(value=found.order_id),
            items=Items(value=found.items),
        )
    ]
    if found.status == "delivered" and found.delivered_at is not None:
        lines.append(
            line("order-delivered-on", day=Day(value=found.delivered_at.date(), today=today))
        )
    if found.status in ("shipped", "out_for_delivery", "delayed") and found.carrier:
        lines.append(line("order-carrier", carrier=Text(value=found.carrier)))
        if found.tracking_number:
            lines.append(line("order-tracking", tracking=Code(value=found.tracking_number)))
    arriving = found.status in ("placed", "processing", "shipped", "delayed")
    if arriving and found.estimated_delivery is not None:
        late = found.estimated_delivery < today
        message = "order-expected-passed" if late else "order-expected"
        lines.append(line(message, day=Day(value=found.estimated_delivery, today=today)))
    return tuple(lines)
