"""Puts the subcommands together. Exit codes: 0 done, 1 refused or failed with one line on stderr, 2 usage."""

from __future__ import annotations

import typer

from cli.call import call
from cli.calls import calls
from cli.doctor import doctor
from cli.draw import draw
from cli.faq import faq
from cli.import_company import import_company
from cli.migrate import migrate
from cli.understand import understand

app = typer.Typer(
    name="holdfast",
    help="A phone support line that picks up a dropped call where it stopped.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(call)
app.add_typer(calls, name="calls")
app.command()(understand)
app.add_typer(faq, name="faq")
app.command(name="import")(import_company)
app.command()(migrate)
app.command()(doctor)
app.command(name="graph")(draw)


def main() -> None:
    app()
