"""A real LiveKit server and everything around a call; what the machine lacks skips these tests, with its reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from settings import Settings
from tests.acceptance.clips import Clips
from tests.acceptance.exchange import Exchange
from tests.acceptance.line import Line, open_line
from tests.acceptance.vendors import Vendors, loopback_vendors
from voice.local_server import LiveKitUnavailable, LocalLiveKit, local_livekit
from voice.loopback.espeak import available


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def livekit_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalLiveKit]:
    """One for the run, on loopback; built in the user's cache when there is none yet."""
    folder = tmp_path_factory.mktemp("livekit")
    try:
        async with local_livekit(folder, cache=Settings().cache) as server:
            yield server
    except LiveKitUnavailable as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """What callers say, each sentence spoken once for the run."""
    if not available():
        pytest.skip("espeak-ng is not installed: callers have no voice")
    return Clips(tmp_path_factory.mktemp("clips"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def loopback(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Vendors]:
    """Stand-ins for Deepgram and Cartesia, one process for the run."""
    if not available():
        pytest.skip("espeak-ng is not installed: the line has no voice")
    async with loopback_vendors(tmp_path_factory.mktemp("vendors")) as vendors:
        yield vendors


@pytest.fixture
async def vendors(loopback: Vendors) -> AsyncIterator[Vendors]:
    """The same; whatever a test did to them is over afterwards."""
    yield loopback
    await loopback.recover()


@pytest.fixture
async def line(
    livekit_server: LocalLiveKit,
    vendors: Vendors,
    clips: Clips,
    database_copy: str,
    model_home: Path,
    tmp_path: Path,
) -> AsyncIterator[Line]:
    """A worker of the test's own, on a database of its own with the test company in it."""
    async with open_line(
        livekit_server, vendors, clips, database_copy, model_home, tmp_path
    ) as opened:
        yield opened


@pytest.fixture
def exchange(livekit_server: LocalLiveKit, clips: Clips, tmp_path: Path) -> Exchange:
    """Callers of rooms that nobody answers."""

    async def nobody(_: str, __: str) -> None: ...

    return Exchange(livekit_server, clips, tmp_path, nobody)


@pytest.fixture
def room() -> str:
    """A name of the test's own."""
    return f"call-{uuid4()}"
