"""`holdfast understand`: what the line makes of an utterance, one per line of standard input."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from cli.running import Interrupted, read_settings
from graph.understanding.commands import Asks, Language, Pending, Understanding
from settings import Settings

Read = Callable[[str, Pending], Awaitable[Understanding]]
COUNTRY: dict[Language, str] = {"en": "US", "es": "ES", "fr": "FR"}


class Utterance(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    language: Language = "en"
    asks: Asks | None = None


def understand() -> None:
    """Read `{"text", "language"?, "asks"?}` or plain text per line; write commands as JSON per line."""
    read = _reader(read_settings())
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    try:
        with asyncio.Runner() as runner:
            for raw in sys.stdin:
                if raw.strip():
                    answered = runner.run(_answered(read, raw))
                    print(json.dumps(answered, ensure_ascii=False), flush=True)
    except KeyboardInterrupt:
        raise Interrupted from None


def _reader(settings: Settings) -> Read:
    """The local understanding; and models, where they are configured: only they need the rest of the line."""
    if not settings.reading_models:
        from graph.understanding.local import LocalUnderstander

        return LocalUnderstander(settings.cache).read
    from logs import configure_logs
    from understanders import understanding_of

    configure_logs(settings.log_level)
    understander = understanding_of(settings)
    understander.warm_up()
    return understander.read


async def _answered(read: Read, raw: str) -> dict[str, object]:
    """Commands, or what is wrong with the line."""
    try:
        return await _understood(read, _parsed(raw.removeprefix("\ufeff")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return {"type": "error", "error": f"{where}: {first['msg']}".removeprefix(": ")}


def _parsed(raw: str) -> Utterance:
    """A JSON object, or the words themselves."""
    if not raw.lstrip().startswith("{"):
        return Utterance(text=raw.strip())
    try:
        data: object = json.loads(raw)
    except (ValueError, RecursionError):
        return Utterance(text=raw.strip())
    return Utterance.model_validate(data)


async def _understood(understand: Read, one: Utterance) -> dict[str, object]:
    pending = Pending(
        asks=one.asks,
        language=one.language,
        country=COUNTRY[one.language],
        now=datetime.now(UTC).isoformat(),
    )
    read = await understand(one.text, pending)
    return {
        "language": read.language,
        "commands": [command.model_dump(exclude_none=True) for command in read.commands],
        "confidence": read.confidence,
        "mood": read.mood,
        "by": read.by,
    }
