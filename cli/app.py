"""Puts the subcommands together. Exit codes: 0 done, 1 refused or failed with one line on stderr, 2 usage."""

from __future__ import annotations

import io
import logging
import sys
import traceback

import typer

from cli.call import call
from cli.calls import calls
from cli.doctor import doctor
from cli.draw import draw
from cli.faq import faq
from cli.fit import fit
from cli.import_company import import_company
from cli.keeping import erase, prune_calls, rotate
from cli.line import line
from cli.migrate import migrate
from cli.rescue import rescue
from cli.running import FAILED, Interrupted, complain
from cli.understand import understand
from cli.worker import worker

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
app.command()(fit)
app.command()(migrate)
app.command()(doctor)
app.command(name="graph")(draw)
app.command()(worker)
app.command()(rescue)
app.command()(line)
app.command(name="prune")(prune_calls)
app.command(name="erase")(erase)
app.command(name="rotate-key")(rotate)


def main() -> None:
    """Run the command that was asked for and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # callers speak Spanish, whatever the locale is
            stream.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(_exit_code())


def _exit_code() -> int:
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:  # how the command was called
        if error.format_message():  # none: the help was shown
            complain(f"{error.format_message()} ({_help_of(error)})")
        return error.exit_code
    except Interrupted:
        complain("interrupted")
        return FAILED
    except Exception as error:  # noqa: BLE001 - the text of an exception may quote what a caller said
        _own_mistake(error)
        return FAILED
    return code if isinstance(code, int) else 0


def _own_mistake(error: Exception) -> None:
    """Where it happened, and at log level debug how it came there: lines of our code, never its values."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    complain(
        f"this is a mistake of ours: {type(error).__name__} at {place.filename}:{place.lineno}"
    )
    if logging.getLogger().isEnabledFor(logging.DEBUG):
        traceback.print_tb(error.__traceback__)


def _help_of(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else 'holdfast'} --help says more"
