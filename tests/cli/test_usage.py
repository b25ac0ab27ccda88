"""How the command is called: exit codes, and one readable line for what is wrong."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.command import Ended, Holdfast

EXAMPLE = Path(__file__).parents[2] / ".env.example"
#: Arguments -> what the line names.
MISTAKES = {
    ("nonsense",): "nonsense",
    ("call", "--nonsense"): "--nonsense",
    ("call", "extra"): "extra",
    ("call", "--language", "de"): "'de'",
    ("call", "--language"): "--language",
    ("call", "--now", "tomorrow"): "'tomorrow'",
    ("call", "--now", "2026-02-30"): "'2026-02-30'",
    ("call", "--now", "2026-11-23T10:00+99:00"): "--now",
    ("call", "--now", "0001-01-01T00:00:00Z"): "--now",
    ("call", "--now", "9999-12-31T23:59:59Z"): "--now",
    ("calls", "list", "--state", "gone"): "'gone'",
    ("calls", "list", "--limit", "0"): "--limit",
    ("calls", "list", "--limit", "many"): "--limit",
    ("calls", "show"): "ID",
    ("calls", "nonsense"): "nonsense",
    ("faq", "ask"): "question",
    ("faq", "ask", "why", "--language", "de"): "'de'",
    ("faq", "load"): "DIR",
    ("import",): "--customers",
    ("import", "--customers"): "--customers",
    ("understand", "--nonsense"): "--nonsense",
}
#: Environment -> the variable the line names. Values are never shown.
SETTINGS = {
    ("HOLDFAST_LIMITS__LOOKUP_SECONDS", "canary"): "HOLDFAST_LIMITS__LOOKUP_SECONDS",
    ("HOLDFAST_LIMITS__LOOKUP_SECONDS", "-1"): "HOLDFAST_LIMITS__LOOKUP_SECONDS",
    ("HOLDFAST_LIMITS__LOOKUPSECONDS", "canary"): "HOLDFAST_LIMITS__LOOKUPSECONDS",
    ("HOLDFAST_POSTGRES__POOLMAX", "canary"): "HOLDFAST_POSTGRES__POOLMAX",
    ("HOLDFAST_LIMITS", "canary"): "HOLDFAST_LIMITS",
    ("HOLDFAST_CALLS__RESUME_WINDOW", "canary"): "HOLDFAST_CALLS__RESUME_WINDOW",
    ("HOLDFAST_CALLS__RECORDED", "canary"): "HOLDFAST_CALLS__RECORDED",
    ("HOLDFAST_CALLS__RESUME_WINDOW", "-PT1H"): "HOLDFAST_CALLS__RESUME_WINDOW",
    ("HOLDFAST_COMPANY__ZONE", "Canary/Canary"): "HOLDFAST_COMPANY__ZONE",
    ("HOLDFAST_COMPANY__COUNTRY", "canary"): "HOLDFAST_COMPANY__COUNTRY",
    ("HOLDFAST_POSTGRES__POOL_MAX", "1"): "HOLDFAST_POSTGRES__POOL_MAX",
    ("HOLDFAST_POSTGRES__POOL_MIN", "11"): "HOLDFAST_POSTGRES",
    ("HOLDFAST_LOG_LEVEL", "canary"): "HOLDFAST_LOG_LEVEL",
    ("HOLDFAST_OPENAI_BASE_URL", "canary:8080/v1"): "HOLDFAST_OPENAI_BASE_URL",
    ("HOLDFAST_MODELS", "canary"): "HOLDFAST_MODELS",
    ("HOLDFAST_MODELS", '[{"model": "canary"}]'): "HOLDFAST_MODELS",  # OpenAI's, and no key
    ("HOLDFAST_MODELS", '[{"base_url": "ftp://canary/v1"}]'): "HOLDFAST_MODELS__0__BASE_URL",
    (
        "HOLDFAST_MODELS",
        '[{"base_url": "http://h/v1", "nam": "canary"}]',
    ): "HOLDFAST_MODELS__0__NAM",
}


def test_every_mistake_is_one_line_that_names_it_and_exit_code_2(bare: Holdfast) -> None:
    for (arguments, named), ended in zip(
        MISTAKES.items(), all_of(bare, list(MISTAKES)), strict=True
    ):
        assert_one_line(ended, 2)
        assert named in ended.complaint, (arguments, ended.complaint)


def test_setting_that_cannot_be_used_is_named_and_its_value_not_shown(bare: Holdfast) -> None:
    def with_setting(setting: tuple[str, str]) -> Ended:
        name, value = setting
        return bare.within(**{name: value}).run("calls", "list")

    with ThreadPoolExecutor(2) as pool:
        for (setting, named), ended in zip(
            SETTINGS.items(), pool.map(with_setting, SETTINGS), strict=True
        ):
            assert_one_line(ended, 2)
            assert f" {named} is not usable" in ended.complaint, setting
            assert "canary" not in ended.complaint.lower()


def test_example_settings_change_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Copied and not filled in: empty is not set."""
    folder = tmp_path_factory.mktemp("copied")

    def settings() -> str:
        return subprocess.run(
            [sys.executable, "-c", "from settings import Settings; print(Settings())"],
            cwd=folder,
            env={"HOME": str(folder), "PYTHONPATH": str(EXAMPLE.parent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    unset = settings()
    (folder / ".env").write_text(EXAMPLE.read_text("utf-8"), "utf-8")

    assert settings() == unset
    assert "home=PosixPath" in unset


def test_settings_file_is_read_where_the_command_is_run(
    bare: Holdfast, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("configured")
    (folder / ".env").write_text("HOLDFAST_LOG_LEVEL=canary\n")

    ended = Holdfast(folder, bare.environment).run("calls", "list")

    assert_one_line(ended, 2)
    assert "HOLDFAST_LOG_LEVEL" in ended.complaint


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--help",), 0),
        (("call", "--help"), 0),
        (("calls", "--help"), 0),
        ((), 2),
        (("calls",), 2),
    ],
)
def test_help_says_what_there_is(arguments: tuple[str, ...], code: int, bare: Holdfast) -> None:
    ended = bare.run(*arguments)

    assert ended.code == code
    assert "Usage: holdfast" in ended.out
    assert ended.complaint == ""


def test_drawing_needs_nothing(bare: Holdfast) -> None:
    ended = bare.run("graph")

    assert (ended.code, ended.complaint) == (0, "")
    for node in ("identity", "account", "confirm", "act", "say"):
        assert node in ended.out


def test_nothing_of_this_makes_a_home(bare: Holdfast) -> None:
    """Help, mistakes and drawings leave no trace on the machine."""
    bare.run("call", "--nonsense")
    bare.run("graph")

    assert list(bare.folder.iterdir()) == []


def all_of(holdfast: Holdfast, calls: list[tuple[str, ...]]) -> list[Ended]:
    """Several at a time."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda arguments: holdfast.run(*arguments), calls))


def assert_one_line(ended: Ended, code: int) -> None:
    assert (ended.code, ended.out) == (code, ""), ended
    (line,) = ended.complaint.splitlines()
    assert line.startswith("holdfast: ")
    assert len(line) < 200
