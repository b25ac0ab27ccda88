"""Whatever happens to the process or its line to the database: a sample of `make crash`, which strikes everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.crash.stage import Found, Wanted

ROOT = Path(__file__).parents[2]
CALLERS = ("address_en", "callback_es", "transfer_fr")
Explore = Callable[[Wanted], Found]


@pytest.fixture(scope="module")
def explore(server_dsn: str, model_home: Path) -> Iterator[Explore]:
    """The fork server: a process of its own, because pytest's has threads."""
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    server = (sys.executable, "-m", "tests.crash", "--serve", "--server", server_dsn)
    with subprocess.Popen(
        (*server, "--home", str(model_home)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **one_thread},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        requests, answers = process.stdin, process.stdout

        def asked(wanted: Wanted) -> Found:
            requests.write(wanted.model_dump_json() + "\n")
            requests.flush()
            return Found.model_validate_json(answers.readline())

        yield asked


def unharmed(found: Found, at_least: int) -> None:
    """Nothing was violated, and it was tried often enough."""
    assert found.examples == []
    assert found.boundaries >= at_least


def test_killed_worker_loses_at_most_the_words_in_the_air(explore: Explore) -> None:
    unharmed(explore(Wanted(loop="kill", scripts=CALLERS, every=37)), 15)


def test_hang_up_in_the_middle_of_anything_leaves_a_call_that_goes_on(explore: Explore) -> None:
    unharmed(explore(Wanted(loop="cancel", scripts=CALLERS, every=37)), 15)


def test_caller_who_cuts_in_on_a_turn_is_served_once(explore: Explore) -> None:
    unharmed(explore(Wanted(loop="cut in", scripts=("callback_es",), every=19)), 10)


def test_frozen_worker_writes_nothing_once_its_call_was_taken_over(explore: Explore) -> None:
    unharmed(explore(Wanted(loop="freeze", scripts=CALLERS, every=47)), 12)


def test_call_goes_on_when_a_connection_is_cut(explore: Explore) -> None:
    unharmed(explore(Wanted(loop="cut", scripts=CALLERS, every=83)), 9)


def test_call_goes_on_when_a_connection_stalls(explore: Explore) -> None:
    unharmed(explore(Wanted(loop="stall", scripts=CALLERS, every=257)), 3)


def test_commit_whose_answer_is_lost_is_not_taken_for_a_failure(explore: Explore) -> None:
    unharmed(explore(Wanted(loop="swallow", scripts=CALLERS, every=6)), 6)


def test_line_without_keys_and_log_fails_in_the_same_harness(explore: Explore) -> None:
    found = explore(Wanted(loop="control", scripts=("transfer_fr",), every=4))
    assert found.violations["doubled"] > 0
