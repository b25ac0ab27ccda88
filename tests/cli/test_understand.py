"""`holdfast understand`: one line in, one line out, whatever the line is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import Ended, Holdfast
from tests.company import settings_for

#: Raw line -> the command it is read as.
GOOD = {
    "where is my order": "order_status",
    '{"text": "where is my order"}': "order_status",
    '{"text": "¿dónde está mi pedido?", "language": "es"}': "order_status",
    '{"text": "où est ma commande ?", "language": "fr"}': "order_status",
    '{"text": "yes", "asks": "account.confirm"}': "affirm",
    '{"text": "nine seven two oh five", "asks": "identity.fact"}': "answer",
    '{"text": "hi", "asks": null}': "greet",
    '   {"text": "goodbye"}   ': "goodbye",
}
#: Raw line -> how its error begins.
BAD = {
    '{"text": "hello", "language": "de"}': "language: ",
    '{"text": "hello", "asks": "your.password"}': "asks: ",
    '{"text": "hello", "mood": "angry"}': "mood: ",
    '{"text": 5}': "text: ",
    '{"text": null}': "text: ",
    '{"language": "en"}': "text: ",
    "{}": "text: ",
}
#: Lines that are nothing in particular and still lines.
ODD = (
    "{not json",
    r'{"text": "\ud800"}',
    "{" * 100_000,
    '{"a":' * 20_000,
    "[1, 2]",
    "😀 👋🏽",
    "Привет, где мой заказ?",
    "我的订单在哪里",
    "أين طلبي",
    "\x00\x07\x1b[31m",
    "a" * 10_000,
    "order " * 2_000,
    "'; DROP TABLE calls; --",
)


@pytest.fixture(scope="module")
def understood(tmp_path_factory: pytest.TempPathFactory, model_home: Path) -> Ended:
    """Everything in one process, without a database, in a locale that is not UTF-8."""
    holdfast = Holdfast(
        tmp_path_factory.mktemp("elsewhere"),
        {
            "HOLDFAST_CACHE": str(settings_for("", model_home).cache),
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
            "LC_ALL": "C",
            "PYTHONCOERCECLOCALE": "0",
            "PYTHONUTF8": "0",
        },
    )
    lines = (*GOOD, *BAD, *ODD)
    typed = b"\xef\xbb\xbf" + "\n\n".join(lines).encode() + b"\n\xff\xfe broken\n  \nlast line"
    return holdfast.run("understand", typed=typed)


def test_every_line_has_its_answer_in_order(understood: Ended) -> None:
    assert (understood.code, understood.complaint) == (0, "")
    assert len(understood.lines) == len(GOOD) + len(BAD) + len(ODD) + 2


def test_words_and_json_are_read_alike(understood: Ended) -> None:
    for (raw, command), line in zip(GOOD.items(), understood.lines, strict=False):
        assert set(line) == {"language", "commands", "confidence", "mood", "by"}, raw
        assert line["commands"][0]["command"] == command, raw
        assert line["by"] == "local"
        assert 0 <= line["confidence"] <= 1
    code = understood.lines[
        list(GOOD).index('{"text": "nine seven two oh five", "asks": "identity.fact"}')
    ]
    assert code["commands"] == [{"command": "answer", "slot": "postal_code", "value": "97205"}]


def test_line_that_cannot_be_used_is_an_error_and_the_next_one_is_read(understood: Ended) -> None:
    for (raw, reason), line in zip(BAD.items(), understood.lines[len(GOOD) :], strict=False):
        assert set(line) == {"type", "error"}, raw
        assert line["type"] == "error"
        assert line["error"].startswith(reason), raw
        assert "hello" not in line["error"]


def test_odd_words_are_words(understood: Ended) -> None:
    for raw, line in zip(ODD, understood.lines[len(GOOD) + len(BAD) :], strict=False):
        assert line["commands"], raw[:40]
        assert all("command" in command for command in line["commands"])


def test_output_is_utf8_in_any_locale(model_home: Path, understood: Ended) -> None:
    assert json.dumps(understood.lines)
    assert "�" not in understood.out.splitlines()[2]
