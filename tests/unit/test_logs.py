"""What the log is given is what it keeps: a field it drops would be missed when it is needed."""

from __future__ import annotations

import ast
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

import logs
from logs import ALLOWED, NAME, configure_logs, is_about

PROJECT = Path(__file__).parents[2]
SHIPPED = sorted(
    one
    for one in PROJECT.rglob("*.py")
    if not one.relative_to(PROJECT).parts[0].startswith((".", "tests"))
)
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def logged_in(tree: ast.AST) -> Iterator[ast.Call]:
    """Every `log.info(...)`, of whatever level."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        logger = node.func.value
        if isinstance(logger, ast.Name) and logger.id == "log" and node.func.attr in LEVELS:
            yield node


def faults_of(call: ast.Call) -> list[str]:
    """Fields that are dropped, and a name that is none. What `**` brings is not known here."""
    event = call.args[0] if len(call.args) == 1 else None
    named = isinstance(event, ast.Constant) and NAME.fullmatch(str(event.value))
    dropped = [one.arg for one in call.keywords if one.arg and one.arg not in ALLOWED]
    return [*([] if named else ["not an event's name"]), *dropped]


def test_no_log_event_has_a_field_that_is_dropped() -> None:
    calls = [
        (path.relative_to(PROJECT), call)
        for path in SHIPPED
        for call in logged_in(ast.parse(path.read_text("utf-8")))
    ]
    faults = {f"{path}:{call.lineno}": faults_of(call) for path, call in calls}
    assert {place: found for place, found in faults.items() if found} == {}
    assert len(calls) > 20, "the search finds nothing any more"


@pytest.mark.parametrize(
    "line",
    [
        "log.info('caller.left', ending='dropped', number='1')",
        "log.warning(f'provider {name} failed')",
        "log.error('call.lost: %s', error)",
    ],
)
def test_the_search_finds_what_it_is_for(line: str) -> None:
    (call,) = logged_in(ast.parse(line))
    assert faults_of(call)


def test_every_event_of_a_call_s_process_says_which_call_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(logs, "_call", {})
    monkeypatch.setattr(root, "handlers", [])
    level = root.level
    configure_logs("warning")
    is_about("c")
    structlog.get_logger("test").warning("provider.failed_over", provider="Deepgram")
    logging.getLogger("some.library").warning("gone")
    root.setLevel(level)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [one["call_id"] for one in lines] == ["c", "c"]
