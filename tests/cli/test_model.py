"""The command with a language model: a server on loopback that speaks OpenAI's protocol, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.cli.command import Holdfast

ROOT = Path(__file__).parents[2]
LOST = "my thingy is god knows where"
LOADED = "import sys; {}; print('langchain_openai' in sys.modules)"


@dataclass
class Model:
    url: str

    def is_told(self, **order: object) -> None:
        with httpx.Client(trust_env=False) as http:
            answer = http.post(self.url.replace("/v1", "/control"), json=order)
        assert answer.is_success, answer.text


@contextmanager
def running() -> Iterator[Model]:
    command = [sys.executable, "-m", "tests.fakes.model_server"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield Model(json.loads(process.stdout.readline())["model"])
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def server() -> Iterator[Model]:
    with running() as model:
        means = {LOST: [{"command": "order_status"}], "where is my order": [{"command": "greet"}]}
        model.is_told(means=means)
        yield model


@pytest.fixture
def model(server: Model) -> Iterator[Model]:
    yield server
    server.is_told(clear=True)


@pytest.fixture
def read_by_it(holdfast: Holdfast, model: Model) -> Holdfast:
    """With a key and an address, and time for a slow machine."""
    return holdfast.within(
        OPENAI_API_KEY="k", HOLDFAST_OPENAI_BASE_URL=model.url, HOLDFAST_LIMITS__MODEL_SECONDS="30"
    )


def test_key_and_address_are_all_that_understanding_needs(
    holdfast: Holdfast, read_by_it: Holdfast
) -> None:
    for line, by in ((holdfast, "local"), (read_by_it, "model")):
        ended = line.run("understand", typed=f"{LOST}\nwhere is my order\n")
        assert (ended.code, ended.complaint) == (0, "")
        assert [one["by"] for one in ended.lines] == [by, "local"]
    assert ended.lines[0]["commands"][0]["command"] == "order_status"


def test_model_that_fails_spoils_no_line(read_by_it: Holdfast, model: Model) -> None:
    model.is_told(mood="babbles")
    ended = read_by_it.run("understand", typed=f"{LOST}\n{LOST}\n{LOST}\n")
    assert ended.code == 0
    assert [one["by"] for one in ended.lines] == ["local"] * 3
    logged = [json.loads(one) for one in ended.complaint.splitlines()]
    assert [(one["event"], one["port"]) for one in logged] == [
        ("provider.failed_over", "understanding")
    ] * 2
    assert "thingy" not in ended.complaint


def test_server_of_ones_own_needs_no_key_and_never_gets_openais(
    holdfast: Holdfast, model: Model
) -> None:
    models = json.dumps([{"base_url": model.url, "model": "ours"}])
    line = holdfast.within(
        HOLDFAST_MODELS=models, OPENAI_API_KEY="sk-theirs", HOLDFAST_LIMITS__MODEL_SECONDS="30"
    )
    ended = line.run("understand", typed=LOST)
    assert ended.lines[0]["by"] == "model"
    report = httpx.get(model.url.replace("/v1", "/control"), trust_env=False).json()
    assert (report["requests"][-1]["model"], report["requests"][-1]["key"]) == ("ours", "none")


def test_empty_list_of_models_is_none_whatever_keys_there_are(read_by_it: Holdfast) -> None:
    ended = read_by_it.within(HOLDFAST_MODELS="[]").run("understand", typed=LOST)
    assert ended.lines[0]["by"] == "local"


def test_call_is_understood_with_the_model(read_by_it: Holdfast) -> None:
    with read_by_it.call("--from", "+15035550199") as line:
        line.heard()
        assert line.say(LOST)["flow"] == "order_status"


def test_doctor_says_whether_the_model_answers(
    holdfast: Holdfast, read_by_it: Holdfast, model: Model
) -> None:
    without = holdfast.run("doctor")
    assert "model          none: the local understanding reads alone\n" in without.out
    answers = read_by_it.run("doctor")
    assert "model          gpt-4.1-mini reads 'where is my order' as greet in " in answers.out
    model.is_told(mood="denies")
    refused = read_by_it.run("doctor")
    assert (
        "model          gpt-4.1-mini does not answer (OpenAIAuthenticationError)\n" in refused.out
    )
    assert [one.code for one in (without, answers, refused)] == [0, 0, 0]


@pytest.mark.parametrize(
    "start",
    [
        "import cli.app",
        "import settings, understanders; understanders.understanding_of(settings.Settings())",
        "import voice.preload",
    ],
)
def test_its_library_is_loaded_before_a_call_and_only_where_it_is_used(
    start: str, holdfast: Holdfast
) -> None:
    """It takes a second, which a caller would wait for, and memory."""
    for keys, loaded in (({}, "False"), ({"OPENAI_API_KEY": "k"}, "True")):
        environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), **holdfast.environment, **keys}
        ended = subprocess.run(
            [sys.executable, "-c", LOADED.format(start)],
            cwd=holdfast.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        wanted = loaded if "preload" in start else "False"
        assert ended.stdout.strip() == wanted, (start, keys)
