"""`holdfast calls`: which calls there were, and what one of them is about. Never what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.running import USAGE, fail, with_services

if TYPE_CHECKING:
    from checkpoints.calls import CallRecord
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
        _print_list(records)

    with_services(work)


@calls.command()
def show(
    call_id: Annotated[str, typer.Argument(metavar="ID", help="the id, or its first characters")],
) -> None:
    """One call: where it stands, what is open, what was done."""

    async def work(services: Services) -> None:
        record = await services.register.get(call_id)
        done = await services.done_in(record.call_id)
        _print_details(_details(record, done))

    with_services(work)


COLUMNS = ("call", "state", "language", "open", "asks", "turns", "last turn", "outcome")


def _print_list(records: tuple[CallRecord, ...]) -> None:
    """For people a table; for a pipe one line per call with tabs, and nothing cut off."""
    console = Console()
    if not console.is_terminal:
        for row in (COLUMNS, *map(_row, records)):
            print("\t".join(row))
        return
    table = Table(box=None)
    for name in COLUMNS:
        table.add_column(name, overflow="fold", no_wrap=name == "call")
    for record in records:
        table.add_row(*_row(record))
    console.print(table)


def _row(record: CallRecord) -> tuple[str, ...]:
    return (
        str(record.call_id),
        record.state,
        record.language,
        record.open_flow or "",
        record.asks or "",
        str(record.turns),
        record.last_turn_at.strftime("%Y-%m-%d %H:%M"),
        record.outcome or "",
    )


def _print_details(details: list[tuple[str, str]]) -> None:
    console = Console()
    if not console.is_terminal:
        for name, value in details:
            print(f"{name}\t{value}")
        return
    grid = Table.grid(padding=(0, 2))
    for name, value in details:
        grid.add_row(f"[dim]{name}[/dim]", value)
    console.print(grid)


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
