"""`holdfast line`: everything on this machine, and a page to call from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.running import CommandFailed, Interrupted, fail, read_settings, run, with_services

if TYPE_CHECKING:
    from services import Services


def line(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="the page's port on 127.0.0.1; 0: a free one")
    ] = 8080,
) -> None:
    """The whole line on this machine: LiveKit, worker, rescue, and a page to call from. Ctrl-C ends it."""
    from voice.errors import LineIncomplete
    from voice.line import prepare, serve
    from voice.local_server import LiveKitUnavailable

    settings = read_settings()

    def tell(words: str) -> None:
        print(words, flush=True)

    async def work(services: Services) -> None:
        try:
            await serve(services, client, port, tell)
        except (LineIncomplete, LiveKitUnavailable) as error:
            raise CommandFailed(str(error)) from None

    try:
        client = run(lambda: prepare(settings))
        with_services(work, settings)
    except LineIncomplete as error:
        fail(str(error))
    except Interrupted:
        return  # Ctrl-C is how a line ends
