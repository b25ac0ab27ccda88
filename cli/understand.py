"""`holdfast understand`: what the line makes of an utterance, one per line of standard input."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from cli.running import read_settings
from graph.state import Lang
from graph.understanding.commands import Asks, Pending
from graph.understanding.local import LocalUnderstander

COUNTRY: dict[Lang, str] = {"en": "US", "es": "ES", "fr": "FR"}


class Utterance(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    language: Lang = "en"
    asks: Asks | None = None


def understand() -> None:
    """Read `{"text", "language"?, "asks"?}` or plain text per line; write commands as JSON per line."""
    understander = LocalUnderstander(read_settings().home / "cache")
    for raw in sys.stdin:
        if not raw.strip():
            continue
        try:
            print(
                json.dumps(_understood(understander, _parsed(raw)), ensure_ascii=False), flush=True
            )
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            record = {"type": "error", "error": f"{where}: {first['msg']}".removeprefix(": ")}
            print(json.dumps(record), flush=True)


def _parsed(raw: str) -> Utterance:
    """A JSON object, or the words themselves."""
    if not raw.lstrip().startswith("{"):
        return Utterance(text=raw.strip())
    try:
        data: object = json.loads(raw)
    except ValueError:
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
