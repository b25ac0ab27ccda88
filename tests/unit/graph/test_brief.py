"""What a colleague hears before a caller is joined."""

from __future__ import annotations

from typing import get_args
from uuid import uuid4

import pytest

from graph.brief import brief_of
from graph.state import HandOffReason, Lang
from graph.wording.speak import FluentWording
from tools.records import Handover

PRIVATE = ("C-100", "HF-10482", "Jane")


def handover(**given: object) -> Handover:
    return Handover.model_validate(
        {
            "call_id": uuid4(),
            "reason": "asked",
            "customer_id": "C-100",
            "level": 2,
            "language": "es",
            "asked": ("order_status", "HF-10482"),
            "done": ("update_phone",),
            "open": ("update_address",),
            "last_line": "Thank you, Jane.",
            **given,
        }
    )


@pytest.mark.parametrize("language", get_args(Lang))
def test_brief_says_what_it_is_about_and_nothing_private(language: Lang) -> None:
    said = FluentWording().speak(brief_of(handover()), language)
    assert not any(word in said for word in PRIVATE)
    kinds = [one.id for one in brief_of(handover())]
    assert kinds == ["brief-caller", "brief-identity", "brief-reason", "brief-open", "brief-take"]


@pytest.mark.parametrize("language", get_args(Lang))
@pytest.mark.parametrize("reason", get_args(HandOffReason))
@pytest.mark.parametrize("level", [0, 1, 2])
def test_brief_can_be_said_in_the_language_of_the_staff(
    language: Lang, reason: HandOffReason, level: int
) -> None:
    said = FluentWording().speak(brief_of(handover(reason=reason, level=level)), language)
    assert "{" not in said
    assert "brief" not in said
