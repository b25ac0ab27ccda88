"""`make crash`: strike every scripted call at every boundary, and print what was lost, doubled, asked again or forked.

With --serve it is the fork server of the tests: a request a line, an answer a line.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from tests.crash.invariants import CHECKS
from tests.crash.loops import LOOPS
from tests.crash.stage import Found, Stage, Wanted, fast_server, open_stage

#: How often the whole run strikes: four loops everywhere, and the others as often as an hour on two cores has room for.
EVERY = {
    "kill": 1,
    "kill twice": 17,
    "cancel": 1,
    "cut in": 17,
    "freeze": 1,
    "cut": 17,
    "stall": 89,
    "swallow": 1,
    "control": 17,
}
SHOWN = 20  # violations of a loop that are told one by one


def main(
    loop: Annotated[list[str] | None, typer.Option(help="only these loops")] = None,
    script: Annotated[list[str] | None, typer.Option(help="only these callers")] = None,
    every: Annotated[int | None, typer.Option(help="only every so-many-th boundary")] = None,
    at: Annotated[list[int] | None, typer.Option(help="only these boundaries")] = None,
    jobs: Annotated[int, typer.Option(help="scripts side by side; they wait now and then")] = 3,
    server: Annotated[str | None, typer.Option(help="a Postgres to make databases on")] = None,
    home: Annotated[Path | None, typer.Option(help="where the intent models are kept")] = None,
    serve: Annotated[bool, typer.Option(help="answer requests on standard input")] = False,
) -> None:
    """Every loop over every caller, as a table. Fails when anything but the control is at fault."""
    with ExitStack() as stack:
        home = home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crash-")))
        server = server or stack.enter_context(fast_server(home))
        stage = stack.enter_context(open_stage(server, home))
        if serve:
            for line in sys.stdin:
                print(stage.explore(Wanted.model_validate_json(line)).model_dump_json(), flush=True)
            return
        wanted = [
            Wanted(
                loop=name,
                scripts=tuple(script or ()),
                every=every or EVERY[name],
                at=tuple(at or ()),
            )
            for name in loop or LOOPS
        ]
        if not _explored(stage, wanted, jobs):
            raise typer.Exit(1)


def _explored(stage: Stage, wanted: list[Wanted], jobs: int) -> bool:
    """Prints a row a loop. Is everything as it must be?"""
    print(f"{'loop':12}{'scripts':>8}{'boundaries':>12}", *(f"{name:>14}" for name in CHECKS))
    good = True
    for one in wanted:
        found = stage.explore(one, jobs)
        _print(found)
        faults = sum(found.violations.values())
        good = good and (faults > 0) == LOOPS[one.loop].naive
    return good


def _print(found: Found) -> None:
    checked = LOOPS[found.loop].checks
    counts = [f"{found.violations.get(name, 0) if name in checked else '-':>14}" for name in CHECKS]
    print(f"{found.loop:12}{found.scripts:8}{found.boundaries:12}", *counts, flush=True)
    if not LOOPS[found.loop].naive:
        for example in found.examples[:SHOWN]:
            print(f"    {example}", flush=True)


if __name__ == "__main__":
    typer.run(main)
