"""`holdfast calls`: which calls there were, and what one of them is about. Never what was said."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from checkpoints.calls import CallRecord
from cli.running import USAGE, fail, with_services
from services import Services

calls = typer.Typer(help="The register of calls.", no_args_is_help=True)
STATES = ("live", "interrupted", "waiting_for_staff", "closed")


@calls.command(name="list")
def list_calls(
    state: Annotated[
        str | None, typer.Option(help="live, interrupted, waiting_for_staff, closed")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
) -> None:
    """The newest calls."""
    if state is not None and state not in STATES:
        fail(f"unknown state {state!r}: use one of {', '.join(STATES)}", USAGE)

    async def work(services: Services) -> None:
        records = await services.register.list(limit=limit, state=state)
        Console().print(_table(records))

    with_services(work)


@calls.command()
def show(
    call_id: Annotated[str, typer.Argument(metavar="ID", help="the id, or its first characters")],
) -> None:
    """One call: where it stands, what is open, what was done."""

    async def work(services: Services) -> None:
        record = await services.register.get(call_id)
        done = await services.effects.done(record.call_id)
        grid = Table.grid(padding=(0, 2))
        for name, value in _details(record, done):
            grid.add_row(f"[dim]{name}[/dim]", value)
        Console().print(grid)

    with_services(work)


def _table(records: tuple[CallRecord, ...]) -> Table:
    table = Table("call", "state", "language", "open", "asks", "turns", "last turn", "outcome")
    for one in records:
        table.add_row(
            str(one.call_id),
            one.state,
            one.language,
            one.open_flow or "",
            one.asks or "",
            str(one.turns),
            one.last_turn_at.strftime("%Y-%m-%d %H:%M"),
            one.outcome or "",
        )
    return table


def _details(record: CallRecord, done: tuple[str, ...]) -> list[tuple[str, str]]:
    return [
        ("call", str(record.call_id)),
        ("state", record.state),
        ("language", record.language),
        ("open", record.open_flow or "nothing"),
        ("asks", record.asks or "nothing"),
        ("identified", f"level {record.verified}"),
        ("done", ", ".join(done) or "nothing"),
        ("topics", ", ".join(record.topics) or "none"),
        ("outcome", record.outcome or "not yet"),
        ("rating", str(record.satisfaction) if record.satisfaction else "none"),
        ("turns", f"{record.turns} in {record.legs} leg{'s' if record.legs > 1 else ''}"),
        ("started", record.started_at.isoformat(timespec="seconds")),
        ("last turn", record.last_turn_at.isoformat(timespec="seconds")),
    ]
