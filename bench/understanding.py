"""How often the local understanding reads a blind set right (tests/understanding, written unseen of the examples).

A case is right when every command, slot and value is the expected one and in order. Prints a table by language.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from graph.understanding.commands import LANGUAGES, Command, Language, Pending
from graph.understanding.lexicon import plain
from graph.understanding.local import LocalUnderstander

BLIND = Path(__file__).parents[1] / "tests" / "understanding"
COUNTRY: dict[Language, str] = {"en": "US", "es": "ES", "fr": "FR"}
ZONE_OFFSET: dict[Language, str] = {"en": "-08:00", "es": "+01:00", "fr": "+01:00"}
WRITTEN = {"line1", "line2", "city"}  # compared without case and accents: an envelope, not a key


@dataclass(frozen=True)
class Case:
    """One utterance of the blind set."""

    text: str
    asks: str | None
    offered: tuple[str, ...]
    expected: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Score:
    """What came of one case."""

    case: Case
    got: tuple[dict[str, Any], ...]
    confidence: float

    @property
    def right(self) -> bool:
        return len(self.got) == len(self.case.expected) and all(
            _fits(wanted, found) for wanted, found in zip(self.case.expected, self.got, strict=True)
        )

    @property
    def first_right(self) -> bool:
        """Is the first command, by name, the expected one? What decides where the call goes."""
        return bool(self.got) and self.got[0]["command"] == self.case.expected[0]["command"]

    @property
    def admitted(self) -> bool:
        """Read as not understood: the caller is asked again instead of being misled."""
        return [one["command"] for one in self.got] == ["unclear"]


def _fits(wanted: dict[str, Any], found: dict[str, Any]) -> bool:
    return all(_same(wanted, key, value, found.get(key)) for key, value in wanted.items())


def _same(wanted: dict[str, Any], key: str, value: object, found: object) -> bool:
    if key == "value" and wanted.get("slot") in WRITTEN:
        return plain(str(value)) == plain(str(found))
    return value == found


def blind_cases(language: Language) -> tuple[Case, ...]:
    raw = yaml.safe_load((BLIND / f"{language}.yaml").read_text("utf-8"))["cases"]
    return tuple(
        Case(
            text=str(one["text"]),
            asks=one.get("asks"),
            offered=tuple(str(item) for item in one.get("offered", ())),
            expected=tuple(one["commands"]),
        )
        for one in raw
    )


def scored(language: Language, understander: LocalUnderstander) -> tuple[Score, ...]:
    """Every case of the language, read on Monday 2026-11-23 at ten in the morning."""
    return tuple(_scored(one, language, understander) for one in blind_cases(language))


def _scored(case: Case, language: Language, understander: LocalUnderstander) -> Score:
    pending = Pending.model_validate(
        {
            "asks": case.asks,
            "language": language,
            "country": COUNTRY[language],
            "now": f"2026-11-23T10:00:00{ZONE_OFFSET[language]}",
            "offered": case.offered,
        }
    )
    read = understander.understand(case.text, pending)
    commands: tuple[Command, ...] = read.commands
    return Score(
        case, tuple(one.model_dump(exclude_none=True) for one in commands), read.confidence
    )


def share(scores: Iterable[bool]) -> float:
    counted = list(scores)
    return sum(counted) / len(counted)


def main(
    wrong: Annotated[
        bool, typer.Option(help="show every case read otherwise than expected")
    ] = False,
) -> None:
    """Print, by language: all right, the first command right, admitted as not understood."""
    with tempfile.TemporaryDirectory() as cache:
        understander = LocalUnderstander(Path(cache))
        for language in LANGUAGES:
            scores = scored(language, understander)
            _print(language, scores)
            if wrong:
                _print_wrong(scores)


def _print(language: str, scores: tuple[Score, ...]) -> None:
    asked = [one for one in scores if one.case.asks]
    open_ = [one for one in scores if not one.case.asks]
    misled = [not one.right and not one.admitted for one in scores]
    print(
        f"{language}  {len(scores):4} cases   all right {share(one.right for one in scores):6.1%}   "
        f"first command {share(one.first_right for one in scores):6.1%}   "
        f"answers to questions {share(one.right for one in asked):6.1%}   "
        f"requests {share(one.right for one in open_):6.1%}   misread {share(misled):6.1%}"
    )


def _print_wrong(scores: tuple[Score, ...]) -> None:
    for one in scores:
        if not one.right:
            print(f"    {one.case.asks or '-':20} {one.case.text!r}")
            print(f"        wanted {one.case.expected}")
            print(f"        got    {one.got}  {one.confidence}")
    confused = Counter(
        (str(one.case.expected[0]["command"]), str(one.got[0]["command"]))
        for one in scores
        if not one.first_right
    )
    for (wanted, got), times in confused.most_common(25):
        print(f"    {times:3} {wanted} -> {got}")


if __name__ == "__main__":
    typer.run(main)
