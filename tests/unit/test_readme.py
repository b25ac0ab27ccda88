"""The README is true: its drawing is the graph's, its commands and settings exist."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from cli.app import app
from graph.drawing import mermaid
from settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def test_readme_shows_the_graph_as_it_is() -> None:
    shown = re.search(r"```mermaid\n(.*?)\n```", README, re.DOTALL)
    assert shown is not None
    assert shown[1] == mermaid()


def test_every_make_target_and_subcommand_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"\bmake ([a-z-]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    known = {command.name for command in app.registered_commands}
    known |= {command.callback.__name__ for command in app.registered_commands if command.callback}
    known |= {group.name for group in app.registered_groups}
    for subcommand in set(re.findall(r"\bholdfast ([a-z][a-z-]+)", README)):
        assert subcommand in known, subcommand


def test_every_setting_is_in_env_example_with_a_sentence() -> None:
    example = (ROOT / ".env.example").read_text("utf-8").splitlines()
    named = {line.partition("=")[0] for line in example if "=" in line and not line.startswith("#")}
    assert named == set(variables())
    for at, line in enumerate(example):
        if not line.startswith("#") and "=" in line:
            before = [one for one in example[max(0, at - 3) : at] if one.strip()]
            assert any(one.startswith("#") for one in before), line


def variables() -> list[str]:
    """Every environment variable the settings read."""
    found = []
    for name, field in Settings.model_fields.items():
        nested = getattr(field.annotation, "model_fields", None)
        if nested is None:
            found.append(Settings.own_names().get(name, f"HOLDFAST_{name}".upper()))
        else:
            found += [f"HOLDFAST_{name}__{one}".upper() for one in nested]
    return found


def test_help_of_every_subcommand_is_a_sentence() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    for command in app.registered_commands:
        assert command.callback is not None
        assert (command.callback.__doc__ or "").strip().endswith(".")
