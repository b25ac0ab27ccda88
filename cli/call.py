"""`holdfast call`: a call in the terminal, for people or, with --json, for programs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from cli.caller_lines import CallerLine
from cli.running import USAGE, CommandFailed, Interrupted, fail, read_settings, with_services
from cli.screen import CallScreen, JsonScreen, PersonScreen

if TYPE_CHECKING:
    from conversation import Conversation, Reply
    from graph.state import Lang
    from services import Services

#: Dates and durations around a call's time must be dates, too.
YEARS = range(1970, 2200)


def call(
    from_: Annotated[
        str | None, typer.Option("--from", metavar="NUMBER", help="the caller's number")
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="en, es or fr; default: by the caller's number")
    ] = None,
    now: Annotated[
        str | None, typer.Option(metavar="ISO", help="pretend the call begins at this time")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="one JSON object per line, in and out")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="node, language and milliseconds of each reply")
    ] = False,
) -> None:
    """A call in the terminal. Ctrl-C or the end of input is a dropped line: call again to go on."""
    if language not in (None, "en", "es", "fr"):
        fail(f"unknown language {language!r}: use en, es or fr", USAGE)
    starts = _moment(now)
    screen: CallScreen = JsonScreen() if as_json else PersonScreen(verbose=verbose)

    async def work(services: Services) -> None:
        from callers import InvalidCaller

        try:
            conversation = await services.answer(from_, cast("Lang | None", language))
        except InvalidCaller as error:
            fail(str(error), USAGE)
        await _talk(services, conversation, screen)

    try:
        with_services(work, read_settings(), starts=starts)
    except Interrupted:
        return  # a dropped line, and said so already


def _moment(now: str | None) -> datetime | None:
    if now is None:
        return None
    try:
        moment = datetime.fromisoformat(now)
    except ValueError:
        moment = None
    if moment is None or moment.year not in YEARS:
        fail(
            f"--now is not an ISO 8601 time: {now!r}; for example 2026-11-23T10:00:00+01:00", USAGE
        )
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _talk(services: Services, conversation: Conversation, screen: CallScreen) -> None:
    """Turn after turn until the line ends or goes dead; a call still open then can be resumed."""
    try:
        await _shown(services, conversation, screen, await conversation.begin())
        async for line in screen.caller():
            reply = await _served(conversation, line)
            if reply is not None:
                await _shown(services, conversation, screen, reply)
            if conversation.over:
                await conversation.hang_up()  # a caller who was put through has left
                break
    finally:
        on_record = await _to_its_end(conversation.drop())
        screen.closed(dropped=conversation.dropped)
    if not on_record:
        raise CommandFailed("the end of this call is not on record: the database does not answer")


async def _to_its_end(closing: Coroutine[Any, Any, bool]) -> bool:
    """A signal that comes while the line is closed already does not cut that short; a second one does."""
    task = asyncio.create_task(closing)
    with suppress(asyncio.CancelledError):
        await asyncio.shield(task)
    return await task


async def _shown(
    services: Services, conversation: Conversation, screen: CallScreen, reply: Reply
) -> None:
    for notice in await services.sent_notices(conversation):
        screen.notice(notice)
    screen.reply(reply)


async def _served(conversation: Conversation, line: CallerLine) -> Reply | None:
    if line.drop:
        await conversation.drop()
        return None
    if line.hangup:
        await conversation.hang_up()
        return None
    if line.silence:
        return await conversation.silence()
    if line.keys is not None:
        return await conversation.press(line.keys)
    return await conversation.hear(line.say or "", line.heard)
