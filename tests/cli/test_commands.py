"""The other subcommands: calls, faq, import, migrate, doctor, and all of them when the database cannot be used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any

import psycopg

from checkpoints.embedded import data_folder
from tests.cli.command import Ended, Holdfast
from tests.company import COMPANY

JANE = "+15035550127"
#: No call has this id.
NOBODY = "00000000-0000-0000-0000-000000000000"
SOON = 30.0  # seconds on a busy machine: three to connect, and three to start


def test_calls_are_listed_and_shown_without_what_was_said(
    holdfast: Holdfast, now: tuple[str, str]
) -> None:
    with holdfast.call("--from", JANE, *now) as line:
        call = line.heard()["call"]
        for words in ("i moved to quokka street, change my address", "97205", "{code}"):
            line.say(words)
        line.hang(drop=True)

    (head, *rows), shown, unknown, short = outcomes(
        holdfast, ("calls", "list"), ("calls", "show", call[:8]), ("calls", "show", NOBODY),
        ("calls", "show", call[:5]),
    )  # fmt: skip
    assert head.split("\t")[:3] == ["call", "state", "language"]
    (row,) = [one.split("\t") for one in rows]
    assert row[:6] == [call, "interrupted", "en", "update_address", "account.address", "4"]
    assert f"call\t{call}" in shown
    assert "asks\taccount.address" in shown
    for text in ("\n".join(rows), "\n".join(shown)):
        assert not any(word in text.lower() for word in ("quokka", "97205", "5550127", "jane"))
    assert unknown == ["holdfast: There is no call with this id: `holdfast calls list` shows them."]
    assert short == ["holdfast: give at least the first 8 characters of the call's id"]


def test_answers_are_loaded_all_or_none_and_asked(holdfast: Holdfast, tmp_path: Path) -> None:
    for folder, body in (("good", "Only on the **moon**."), ("bad", "")):
        (tmp_path / folder / "en").mkdir(parents=True)
        (tmp_path / folder / "en" / "moon.md").write_text(
            "---\ntopic: moon-delivery\ntitle: Delivery to the moon\n"
            f"questions:\n  - do you deliver to the moon\n---\n{body}\n"
        )

    (refused,), (nothing,) = outcomes(
        holdfast, ("faq", "load", str(tmp_path / "bad")), ("faq", "load", str(tmp_path / "nowhere"))
    )
    assert refused.startswith("holdfast: en/moon.md: body:")
    assert nothing.endswith("put Markdown files into its folders en, es and fr")
    assert "Monday to Friday" in holdfast.run("faq", "ask", "what are your opening hours").out

    loaded = holdfast.run("faq", "load", str(tmp_path / "good"))
    assert (loaded.code, loaded.out) == (0, "loaded 1 answers\n")
    answer, unknown = (
        holdfast.run("faq", "ask", question)
        for question in ("do you deliver to the moon", "what are your opening hours")
    )
    assert (answer.code, answer.out.splitlines()[0]) == (0, "Only on the **moon**.")
    assert "[moon-delivery, " in answer.out
    assert (unknown.code, unknown.out) == (1, "")
    assert unknown.complaint == "holdfast: no answer is sure enough\n"


def test_company_is_imported_or_every_bad_row_named(
    holdfast: Holdfast, tmp_path: Path, register: psycopg.Connection[dict[str, Any]]
) -> None:
    bad = tmp_path / "bad.csv"
    rows = (COMPANY / "customers.csv").read_text("utf-8").splitlines()
    bad.write_text("\n".join((*rows, rows[1], rows[2].replace("@", "").replace("C-101", "C-9"))))

    refused = holdfast.run("import", "--customers", str(bad))
    assert (refused.code, refused.out) == (1, "")
    assert refused.complaint.splitlines() == [
        "bad.csv:10: customer_id: the same as in line 2",
        "bad.csv:11: email: not an e-mail address",
        "holdfast: nothing was loaded: 2 problems",
    ]

    good = (COMPANY / "customers.csv", COMPANY / "orders.csv")
    loaded = holdfast.run("import", "--customers", str(good[0]), "--orders", str(good[1]))
    assert (loaded.code, loaded.complaint) == (0, "")
    assert loaded.out == "loaded 8 customers and 10 orders\n"
    count = register.execute("SELECT count(*) AS orders FROM company.orders").fetchone()
    assert count == {"orders": 10}


def test_migrating_and_examining_say_what_they_found(holdfast: Holdfast, bare_dsn: str) -> None:
    fresh = holdfast.within(DATABASE_URL=bare_dsn)
    migrated, again = fresh.run("migrate"), fresh.run("migrate")

    assert (migrated.code, migrated.complaint) == (0, "")
    assert migrated.out.startswith("the database is up to date (")
    assert again == migrated

    healthy = fresh.run("doctor")
    assert (healthy.code, healthy.complaint) == (0, "")
    for found in ("DATABASE_URL", "Postgres ", "answers", "81 customers", "order_status"):
        assert found in healthy.out


def test_livekit_that_does_not_answer_is_named_by_doctor_and_worker(holdfast: Holdfast) -> None:
    without = holdfast.within(
        LIVEKIT_URL="http://127.0.0.1:1",
        LIVEKIT_API_KEY="key",
        LIVEKIT_API_SECRET="a-secret-of-thirty-two-characters",
        DEEPGRAM_API_KEY="key",
        CARTESIA_API_KEY="key",
    )
    named = "LIVEKIT_URL=http://127.0.0.1:1: nobody answers there"
    assert named in without.run("doctor").out
    with without.start("worker") as process:
        assert process.stderr is not None
        complaints = iter(process.stderr.readline, b"")
        assert any(named in one.decode() for one in complaints)
        assert process.poll() is None, "it may come yet"
        process.terminate()
        process.communicate(timeout=60)


def test_doctor_names_settings_that_set_nothing(holdfast: Holdfast) -> None:
    (holdfast.folder / ".env").write_text("HOLDFAST_LOG_LEVL=info\nLOG_LEVEL=info\n")
    misspelt = holdfast.within(HOLDFAST_VOCIE__BLIP="5", HOLDFAST_NONSENSE="1").run("doctor")

    assert (misspelt.code, misspelt.complaint) == (0, "")
    assert [line for line in misspelt.out.splitlines() if line.startswith("settings")] == [
        "settings       HOLDFAST_LOG_LEVL is no setting and was not heeded: HOLDFAST_LOG_LEVEL?",
        "settings       HOLDFAST_NONSENSE is no setting and was not heeded",
        "settings       HOLDFAST_VOCIE__BLIP is no setting and was not heeded: HOLDFAST_VOICE?",
    ]


def test_database_that_cannot_be_used_is_one_line_soon(holdfast: Holdfast) -> None:
    """Without the password or the key; `holdfast doctor` says on stdout how far it came."""
    down = {"DATABASE_URL": "postgresql://u:s3cret@127.0.0.1:1/shop"}
    elsewhere = {"HOLDFAST_HOME": "/proc/here", "HOLDFAST_ENCRYPTION_KEY": ""}
    cases: list[tuple[str, dict[str, str], str]] = [
        ("call --json", down, "no database at 127.0.0.1:1/shop"),
        ("doctor", down, "no database at 127.0.0.1:1/shop"),
        (
            "call --json",
            {"DATABASE_URL": "postgresql://u:a@s3cret@host/x"},
            "is not a connection string",
        ),
        (
            "call --json",
            {"HOLDFAST_ENCRYPTION_KEY": "another s3cret of ours"},
            "key is not the one",
        ),
        (
            "call --json",
            {"HOLDFAST_ENCRYPTION_KEY": "s3cret"},
            "HOLDFAST_ENCRYPTION_KEY is too short",
        ),
        ("call --json", elsewhere, "the key file /proc/here/keys/encryption.key cannot be made"),
        (
            "call --json",
            {**elsewhere, "DATABASE_URL": ""},
            "nothing can be written into /proc/here",
        ),
    ]

    def run(case: tuple[str, dict[str, str], str]) -> tuple[Ended, float]:
        started = perf_counter()
        ended = holdfast.within(**case[1]).run(*case[0].split())
        return ended, perf_counter() - started

    with ThreadPoolExecutor(2) as pool:
        for (command, _, says), (ended, seconds) in zip(cases, pool.map(run, cases), strict=True):
            assert ended.code == 1, says
            (line,) = ended.complaint.splitlines()
            assert says in line
            assert "s3cret" not in ended.complaint + ended.out
            assert bool(ended.out) is (command == "doctor")
            assert seconds < SOON


def test_first_run_needs_nothing_and_leaves_nothing_running(
    holdfast: Holdfast, server_folder: Path
) -> None:
    """With the Postgres in the wheel and a key of its own; the second run goes on where the first was cut off."""
    first = holdfast.within(
        DATABASE_URL="", HOLDFAST_ENCRYPTION_KEY="", HOLDFAST_HOME=str(server_folder / "home")
    )
    with first.call("--from", JANE) as line:
        call = line.heard()["call"]
        assert line.say("where is my order")["asks"] == "identity.fact"
        line.hang()

    with first.call("--from", JANE) as line:
        again = line.heard()
        assert (again["call"], again["asks"]) == (call, "resume.continue")
        ended = line.hang(hangup=True)

    assert (ended.code, ended.complaint) == (0, "")
    data = data_folder(server_folder / "home")
    assert (data / "PG_VERSION").exists()
    assert not (data / "postmaster.pid").exists()
    key = server_folder / "home" / "keys" / "encryption.key"
    assert (key.stat().st_mode & 0o777, key.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def outcomes(holdfast: Holdfast, *calls: tuple[str, ...]) -> list[list[str]]:
    """What each command says: its output, or the one line it fails with."""

    def said(ended: Ended) -> list[str]:
        assert bool(ended.out) is (ended.code == 0), ended
        return (ended.out or ended.complaint).splitlines()

    with ThreadPoolExecutor(2) as pool:
        return [said(ended) for ended in pool.map(lambda one: holdfast.run(*one), calls)]
