"""Calls that every earlier release left open are taken up by this one, at the same question."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from checkpoints.errors import StateUnreadable
from checkpoints.serializer import StateShape, StrictSerializer
from graph.state import AddressFlow, Case
from graph.upgrades import STATE_VERSION, UPGRADES
from tests.company import Clock, company_services
from tests.upgrades.calls import FOLDER, fields_of_state, given_in, load_rows, stored_case

RELEASES = sorted(folder.name for folder in FOLDER.glob("v*"))
#: From the question the call was cut off at to what is asked before it: who is calling is proven again.
PRIVATE = ("identity.", "order.", "account.")


def recorded(release: str, name: str) -> Any:
    return json.loads((FOLDER / release / name).read_text("utf-8"))


def test_every_version_of_the_state_has_calls_and_a_way_to_here() -> None:
    assert [f"v{number}" for number in range(1, STATE_VERSION + 1)] == RELEASES
    assert set(UPGRADES) == set(range(1, STATE_VERSION))


def test_no_field_of_the_state_was_renamed_or_removed_without_a_new_version() -> None:
    """A field that is gone loses what callers gave: raise STATE_VERSION and write the step (graph/upgrades.py)."""
    gone = set(recorded(f"v{STATE_VERSION}", "fields.json")) - set(fields_of_state())
    assert not gone


@pytest.mark.parametrize("release", RELEASES)
async def test_calls_of_an_earlier_release_go_on_at_the_same_question(
    release: str, database_copy: str, model_home: Path
) -> None:
    async with company_services(database_copy, model_home) as services:
        await load_rows(services.database, recorded(release, "rows.json"))
    async with company_services(database_copy, model_home, Clock()) as services:
        for cut in recorded(release, "calls.json"):
            case = await stored_case(services, cut["call"])
            assert given_in(case) == cut["given"], cut["number"]
            call = await services.answer(cut["number"], None)
            assert str(call.record.call_id) == cut["call"]
            reply = await call.begin()
            assert (reply.asks, reply.flow, reply.language) == (
                "resume.continue",
                cut["flow"],
                cut["language"],
            )
            reply = await call.hear({"en": "yes", "es": "sí", "fr": "oui"}[reply.language])
            private = str(cut["asks"]).startswith(PRIVATE)
            assert reply.asks == ("identity.fact" if private else cut["asks"]), cut["number"]
            await call.drop()


def test_a_field_renamed_with_its_step_keeps_what_was_given() -> None:
    """The mechanism itself: a state whose `stack` was once called `flows`."""
    case = Case(stack=(AddressFlow(begun=True),))
    fields = json.loads(case.model_dump_json())
    fields["flows"] = fields.pop("stack")

    def renamed(name: str, data: dict[str, Any]) -> dict[str, Any]:
        assert name == "Case"
        data["stack"] = data.pop("flows")
        return data

    now = StrictSerializer(StateShape((Case,), version=2, upgrades={1: renamed}))
    assert now.loads_typed(("Case.1", json.dumps(fields).encode())) == case


def test_a_state_this_release_does_not_understand_is_refused_not_bent() -> None:
    serializer = StrictSerializer(StateShape((Case,)))
    kind, data = serializer.dumps_typed(Case())
    assert serializer.loads_typed((kind, data)) == Case()
    with pytest.raises(StateUnreadable):
        serializer.loads_typed((kind, data.replace(b'"history"', b'"histories"')))
    with pytest.raises(StateUnreadable):
        serializer.loads_typed(("Case.2", data))
