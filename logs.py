"""Logs: JSON lines on stderr, standard-library loggers included, and nothing personal in them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

#: What an event may carry. Anything else is dropped: the log is not the transcript.
ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "logger", "call_id", "thread_id", "turn", "node", "language", "asks", "flow",
        "ms", "attempt", "effect", "key_id", "state", "outcome", "port", "reason", "count", "error_type", "where",
        "migration", "worker_id", "ending", "provider", "seconds", "end_of_turn_ms", "words_ms", "first_sound_ms",
        "whole_ms", "way", "sip_call_id",
    }
)  # fmt: skip

#: What an event is called: a constant. A sentence may quote what a caller said.
NAME = re.compile(r"[a-z_]+(?:\.[a-z_]+)+")

#: The one call of this process, where it has one. Not a context variable: LiveKit tells of much in contexts of its own.
_call: dict[str, str] = {}


def configure_logs(level: str) -> None:
    """Route every logger of the process through one chain that keeps only named, impersonal fields."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _foreign],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _with_call,
                only_allowed,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # It reports every connection that is lost and every attempt to make one. What matters of it has events of ours.
    logging.getLogger("psycopg.pool").setLevel(max(root.level, logging.ERROR))


def is_about(call_id: str) -> None:
    """Every event of this process is about this call from now on."""
    _call["call_id"] = call_id


def _with_call(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {**_call, **event}


def _foreign(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's message may quote what a caller said: keep who spoke, not what was said."""
    record: logging.LogRecord = event["_record"]
    return {
        "event": "library.message",
        "logger": record.name,
        "where": f"{record.module}:{record.lineno}",
        "level": record.levelname.lower(),
        "timestamp": event.get("timestamp"),
        "_record": record,
        "_from_structlog": False,
    }


def only_allowed(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Named fields pass; of an exception only its type does, because its text may be personal."""
    kept = {key: value for key, value in event.items() if key in ALLOWED}
    if not NAME.fullmatch(str(event.get("event"))):
        kept["event"] = (
            "library.message"  # structlog is used by LangGraph's server, too, and not for names only
        )
    error = event.get("exc_info")
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple) and error[0] is not None:
        kept["error_type"] = error[0].__name__
    elif isinstance(error, BaseException):
        kept["error_type"] = type(error).__name__
    return kept
