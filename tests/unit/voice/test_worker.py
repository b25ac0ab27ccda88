"""The worker's side of LiveKit: what is wrong with its address or keys is said at once, in one line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from uuid import uuid4

import pytest
from livekit import api
from pydantic import SecretStr

from settings import LiveKitSettings
from tests.fakes.twirp import KEY, SECRET, TwirpServer, refused, twirp_server
from voice.errors import LiveKitAway, LiveKitRefuses
from voice.rescue import Rescued
from voice.worker import _stayed, ask

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
async def server() -> AsyncIterator[TwirpServer]:
    async with twirp_server() as server:
        yield server


def settings(url: str) -> LiveKitSettings:
    return LiveKitSettings(url=url, api_key=KEY, api_secret=SecretStr(SECRET))


async def test_livekit_that_takes_the_keys_is_as_it_should_be(server: TwirpServer) -> None:
    await ask(settings(server.url))
    assert server.asked_for(api.ListRoomsRequest)


async def test_keys_of_another_livekit_are_named(server: TwirpServer) -> None:
    server.answer("ListRooms", lambda _: refused("unauthenticated", 401))
    with pytest.raises(LiveKitRefuses, match="LIVEKIT_API_KEY and LIVEKIT_API_SECRET"):
        await ask(settings(server.url))


async def test_livekit_in_trouble_is_away_and_not_refusing(server: TwirpServer) -> None:
    server.answer("ListRooms", lambda _: refused("unavailable", 503))
    with pytest.raises(LiveKitAway, match="unavailable"):
        await ask(settings(server.url))


@pytest.mark.parametrize("url", [NOBODY, "nonsense"])
async def test_address_where_nobody_answers_is_named(url: str) -> None:
    with pytest.raises(LiveKitAway, match=f"LIVEKIT_URL={url}: nobody answers"):
        await ask(settings(url))


@pytest.mark.parametrize(
    ("call", "sid", "stayed"),
    [("lost", "PA_1", True), ("lost", "PA_2", False), ("another", "PA_1", False)],
)
def test_who_came_while_the_worker_started_has_not_stayed(
    call: str, sid: str, *, stayed: bool
) -> None:
    calls = {"lost": uuid4(), "another": uuid4()}
    lost = Rescued(call=calls["lost"], lease=1, stayed="PA_1")
    taken_up = SimpleNamespace(record=SimpleNamespace(call_id=calls[call]))
    assert _stayed(lost, taken_up, SimpleNamespace(sid=sid)) is stayed  # type: ignore[arg-type]
