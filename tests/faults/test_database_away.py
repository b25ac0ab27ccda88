"""The database fails in the middle of calls: the callers go on talking, nothing is lost, and nothing is done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from graph.wording.line import line
from graph.wording.speak import FluentWording
from tests.faults.conftest import filled_template
from tests.faults.episodes import NEW_PHONE, Episode, play
from tests.faults.faults import FAULTS, STALLED, Fault
from tests.faults.network import Network
from tests.faults.pooler import NO_POOLER, PROGRAM
from tests.faults.server import Server, own_server
from tests.faults.times import BACK_SECONDS, PICKED_UP_SECONDS, REPLY_SECONDS

CLAIMS = {
    FluentWording().speak([line(message)], "en", variant=variant)
    for message in ("done-address", "done-phone", "already-done")
    for variant in range(4)
}


@pytest.fixture(scope="module")
def half_a_minute(model_home: Path) -> Iterator[Future[Episode]]:
    """The longest fault, on a server of its own, played while the others are."""

    def played() -> Episode:
        template = filled_template(server, model_home)
        return asyncio.run(play(STALLED, server, server.new_database(template), model_home))

    with own_server(Network()) as server, ThreadPoolExecutor(1) as elsewhere:
        yield elsewhere.submit(played)


@pytest.fixture(scope="module", params=FAULTS, ids=str)
def episode(
    request: pytest.FixtureRequest,
    server: Server,
    template: str,
    model_home: Path,
    half_a_minute: Future[Episode],
) -> Iterator[Episode]:
    """Played once for each fault; the tests look at what happened."""
    fault: Fault = request.param
    if fault is STALLED:
        yield half_a_minute.result()
        return
    if fault.drops_packets and not server.network.drops_packets:
        pytest.skip(
            "packets can only be dropped by root, with ip and nft: `make test` installs them"
        )
    if fault.through_pooler and PROGRAM is None:
        pytest.skip(NO_POOLER)
    yield asyncio.run(play(fault, server, server.new_database(template), model_home))


def test_every_reply_is_said_in_time(episode: Episode) -> None:
    slow = [str(one) for one in episode.meanwhile if one.seconds > REPLY_SECONDS]
    assert not slow
    assert episode.rang.seconds < PICKED_UP_SECONDS


def test_every_turn_has_a_reply(episode: Episode) -> None:
    silent = [str(one) for one in episode.meanwhile if not one.said and one is not episode.rang]
    assert not silent


def test_address_is_taken_from_memory_part_by_part(episode: Episode) -> None:
    assert [one.asks for one in episode.slots] == ["account.address"] * 4, episode.slots
    held, repeated = episode.slots[1:3]
    assert held.said
    assert episode.slots[0].said in repeated.said


def test_lookup_that_fails_is_said_and_a_person_is_offered(episode: Episode) -> None:
    asks = "account.address" if episode.fault.can_read else "escalation.choice"
    assert episode.asked.asks == asks, episode.asked


def test_turns_said_meanwhile_are_on_record_when_it_is_back(episode: Episode) -> None:
    assert episode.on_record["case"] == episode.in_memory["case"]
    assert episode.on_record["turn"] == episode.in_memory["turn"]
    assert episode.omar_meanwhile.turns == episode.in_memory["turn"]
    assert episode.durable_after < BACK_SECONDS


def test_parts_given_meanwhile_are_used_when_it_is_back(episode: Episode) -> None:
    assert episode.omar_last.did == ("update_address",), episode.omar_last
    assert episode.omar_rows.effects == ("update_address",)
    assert episode.omar_rows.notices == ("address_changed",)


def test_no_change_is_claimed_before_it_is_made(episode: Episode) -> None:
    """What is said to be done is what the log says was done, once."""
    claims = [one for one in episode.ann if any(claim in one.said for claim in CLAIMS)]
    assert len(claims) == 1, episode.ann
    assert episode.ann_rows.effects == ("update_phone",)
    assert episode.ann_phone == NEW_PHONE
    if episode.agreed not in claims:
        assert episode.agreed.asks == "escalation.choice", episode.agreed


def test_no_change_is_made_twice(episode: Episode) -> None:
    did = [effect for one in episode.ann for effect in one.did]
    assert did.count("update_phone") <= 1
    assert episode.ann_rows.notices == ("phone_changed",)


def test_line_that_dropped_meanwhile_is_resumed_at_its_question(episode: Episode) -> None:
    assert episode.jane_dropped
    asked = [one.asks for one in episode.jane_again]
    assert asked == ["resume.continue", "identity.fact", "identity.code", "account.address"]
    assert episode.jane_flow.parts.line1 == "9 Elm Street"


def test_new_caller_hears_that_the_line_is_unavailable(episode: Episode) -> None:
    assert episode.rang.error.startswith("StorageDown")
    assert "Juniper and Oak" in episode.apology


def test_line_works_again_without_a_restart(episode: Episode) -> None:
    assert episode.answered_again.asks == "account.address", episode.answered_again
    assert "Juniper and Oak" in episode.rang_again.said, episode.rang_again
