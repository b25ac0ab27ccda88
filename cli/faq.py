"""`holdfast faq`: load the company's answers, ask them a question."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from cli.running import USAGE, CommandFailed, fail, with_services

if TYPE_CHECKING:
    from graph.state import Lang
    from services import Services

faq = typer.Typer(help="The knowledge base.", no_args_is_help=True)


@faq.command()
def load(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="en/, es/, fr/ with one .md per topic")
    ],
) -> None:
    """Load Markdown files; all of them or, when one is bad, none."""

    async def work(services: Services) -> None:
        print(f"loaded {await services.load_faq(folder)} answers")

    with_services(work)


@faq.command()
def ask(
    question: str,
    language: Annotated[str, typer.Option(help="en, es or fr")] = "en",
) -> None:
    """What the line would answer, and the topic it comes from."""
    if language not in ("en", "es", "fr"):
        fail(f"unknown language {language!r}: use en, es or fr", USAGE)

    async def work(services: Services) -> None:
        passage = await services.ask_faq(question, cast("Lang", language))
        if passage is None:
            msg = "no answer is sure enough"
            raise CommandFailed(msg)
        print(f"{passage.body}\n[{passage.topic}, {passage.score:.2f}]")

    with_services(work)
