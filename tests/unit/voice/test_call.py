"""What of a greeting can't be interrupted."""

from __future__ import annotations

from itertools import product

import pytest

from graph.state import CallerTurn, Lang
from graph.wording.line import Text, line
from graph.wording.speak import FluentWording
from voice.call import split_greeting

WORDING = FluentWording()
NOTICE: dict[Lang, str] = {
    "en": "This call is recorded.",
    "es": "Esta llamada se graba.",
    "fr": "Cet appel est enregistré.",
}
COMPANIES = ("Juniper and Oak", "E. Leclerc", "St. John's Home", "Yahoo! Store", "Acme Inc.")


def cut(id_: str, language: Lang, company: str, opening: CallerTurn) -> tuple[str, str]:
    words = WORDING.speak((line(id_, company=Text(value=company)),), language)
    recorded = id_.endswith(".recorded")
    return split_greeting(words, opening, company=company, recorded=recorded)


@pytest.mark.parametrize(("language", "company"), [*product(NOTICE, COMPANIES)])
def test_who_is_speaking_and_the_notice_can_not_be_interrupted(
    language: Lang, company: str
) -> None:
    for id_, opening in (
        ("greeting.recorded", CallerTurn(kind="begin")),
        ("welcome-back.recorded", CallerTurn(kind="resume")),
    ):
        first, rest = cut(id_, language, company, opening)
        assert company in first
        assert NOTICE[language] in first
        assert rest


@pytest.mark.parametrize(("language", "company"), [*product(NOTICE, COMPANIES)])
def test_caller_who_is_back_may_interrupt_what_follows(language: Lang, company: str) -> None:
    first, rest = cut("welcome-back", language, company, CallerTurn(kind="resume"))
    assert company in first
    assert len(rest.split()) > 3
