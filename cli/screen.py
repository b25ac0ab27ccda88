"""Both faces of a call in the terminal: for a person (rich), and for a program (JSON lines)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Literal, Protocol

from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.markup import escape

from cli.caller_lines import CallerLine, UnreadableLine, input_lines, parse_line

if TYPE_CHECKING:
    from conversation import Reply
    from services import SentNotice

HELP = "Type what you would say. Enter alone is silence; /keys 1234#, /hangup and /drop do what they say."


class CallScreen(Protocol):
    """Where a terminal call is seen and heard."""

    def caller(self) -> AsyncIterator[CallerLine]: ...

    def reply(self, reply: Reply) -> None: ...

    def notice(self, notice: SentNotice) -> None: ...

    def closed(self, *, dropped: bool) -> None: ...


class _ErrorLine(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: Literal["error"] = "error"
    error: str


class JsonScreen:
    """One JSON object per line, in and out."""

    async def caller(self) -> AsyncIterator[CallerLine]:
        async for raw in input_lines():
            if not raw.strip():
                continue
            try:
                yield parse_line(raw)
            except UnreadableLine as error:
                _write(_ErrorLine(error=str(error)))

    def reply(self, reply: Reply) -> None:
        _write(reply)

    def notice(self, notice: SentNotice) -> None:
        _write(notice)

    def closed(self, *, dropped: bool) -> None:
        """A program sees the end of output."""


def _write(record: BaseModel) -> None:
    print(json.dumps(record.model_dump(mode="json"), ensure_ascii=False), flush=True)


class PersonScreen:
    """Who speaks, in colour; with `verbose` a quiet line of how the reply came about."""

    def __init__(self, *, verbose: bool) -> None:
        self._console = Console(highlight=False)
        self._verbose = verbose
        self._console.print(f"[dim]{HELP}[/dim]\n")

    async def caller(self) -> AsyncIterator[CallerLine]:
        self._prompt()
        async for raw in input_lines():
            try:
                yield _typed(raw.strip())
            except UnreadableLine as error:
                self._console.print(f"[yellow]{escape(str(error))}[/yellow]")
            self._prompt()

    def _prompt(self) -> None:
        self._console.print("[bold cyan]you[/bold cyan]       ", end="")

    def reply(self, reply: Reply) -> None:
        self._console.print(f"[bold green]holdfast[/bold green]  {escape(reply.say)}")
        if self._verbose:
            details = (reply.node, reply.language, reply.asks or "-", f"level {reply.verified}")
            did = f" did {', '.join(reply.did)}" if reply.did else ""
            self._console.print(
                f"[dim]          {' · '.join(details)} · {reply.ms:.0f} ms{did}[/dim]"
            )

    def notice(self, notice: SentNotice) -> None:
        self._console.print(
            f"[magenta]{notice.channel} to {escape(notice.to)}[/magenta]  {escape(notice.body)}"
        )

    def closed(self, *, dropped: bool) -> None:
        text = (
            "The line is dead. Call again from the same number to go on."
            if dropped
            else "The call has ended."
        )
        self._console.print(f"\n[dim]{text}[/dim]")


def _typed(text: str) -> CallerLine:
    """What a person types as what a caller does.

    Raises:
        UnreadableLine: a command that is not one.
    """
    if not text:
        return CallerLine(silence=True)
    if not text.startswith("/"):
        return CallerLine(say=text)
    command, _, rest = text[1:].partition(" ")
    if command == "keys" and rest:
        return CallerLine(keys=rest)
    if command in ("silence", "drop", "hangup"):
        return CallerLine.model_validate({command: True})
    raise UnreadableLine(HELP)
