"""`holdfast understand`: what the line makes of an utterance, one per line of standard input."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from cli.running import Interrupted, read_settings
from graph.understanding.commands import Asks, Language, Pending

if TYPE_CHECKING:
    from graph.understanding.local import LocalUnderstander

COUNTRY: dict[Language, str] = {"en": "US", "es": "ES", "fr": "FR"}


class Utterance(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    language: Language = "en"
    asks: Asks | None = None


def understand() -> None:
    """Read `{"text", "language"?, "asks"?}` or plain text per line; write commands as JSON per line."""
    cache = read_settings().cache
    from graph.understanding.local import LocalUnderstander

    understander = LocalUnderstander(cache)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    try:
        for raw in sys.stdin:
            if raw.strip():
                print(json.dumps(_answered(understander, raw), ensure_ascii=False), flush=True)
    except KeyboardInterrupt:
        raise Interrupted from None


def _answered(understander: LocalUnderstander, raw: str) -> dict[str, object]:
    """Commands, or what is wrong with the line."""
    try:
        return _understood(understander, _parsed(raw.removeprefix("\ufeff")))
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


def _understood(understander: LocalUnderstander, one: Utterance) -> dict[str, object]:
    pending = Pending(
        asks=one.asks,
        language=one.language,
        country=COUNTRY[one.language],
        now=datetime.now(UTC).isoformat(),
    )
    read = understander.understand(one.text, pending)
    return {
        "language": read.language,
        "commands": [command.model_dump(exclude_none=True) for command in read.commands],
        "confidence": read.confidence,
        "mood": read.mood,
        "by": read.by,
    }
