"""A real LiveKit server and everything around a call; what the machine lacks skips these tests, with its reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from settings import Settings
from tests.acceptance.audit import audit
from tests.acceptance.clips import Clips
from tests.acceptance.exchange import Exchange
from tests.acceptance.line import Line, OpenLine, open_line
from tests.acceptance.together import MARK, Together
from tests.acceptance.vendors import Vendors, loopback_vendors
from tests.conftest import copied
from voice.local_server import LiveKitUnavailable, LocalLiveKit, local_livekit
from voice.loopback.espeak import available

FOLDER = Path(__file__).parent
#: The fixtures of lines whose scenarios run beside each other, and how many at once; some are of several callers.
AT_ONCE = {"line": 3, "failing": 1, "whole_line": 1, "office": 1}
BLIP = "3"  #: seconds; LiveKit itself notices a caller who is gone only after some twenty
TOGETHER = pytest.StashKey[Together]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "together: begins with the others of its line")
    config.stash[TOGETHER] = Together(AT_ONCE)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """All in one event loop; what runs together comes first: what follows disturbs nobody then."""
    config.stash[TOGETHER].arrange(items)
    for item in items:
        if item.path.parent == FOLDER and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            if item.get_closest_marker(MARK):
                config.stash[TOGETHER].add(item)


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


@pytest.fixture(scope="session")
def open_own_line(
    livekit_server: LocalLiveKit,
    loopback: Vendors,
    clips: Clips,
    server_dsn: str,
    company_template: str,
    model_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> OpenLine:
    """A worker of its own with settings of its own, on the database named, or on one with the test company.

    What it leaves is audited in the end, failed scenarios included.
    """

    @asynccontextmanager
    async def opened(
        dsn: str | None = None, host: str | None = None, **settings: str
    ) -> AsyncIterator[Line]:
        folder = tmp_path_factory.mktemp("line")
        with nullcontext(dsn) if dsn else copied(server_dsn, company_template) as database:
            async with open_line(
                livekit_server, loopback, clips, database, model_home, folder, host, **settings
            ) as line:
                yield line
                await audit(line)

    return opened


@pytest.fixture(scope="session")
def together(request: pytest.FixtureRequest) -> Together:
    return request.config.stash[TOGETHER]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def line(open_own_line: OpenLine, together: Together) -> AsyncIterator[Line]:
    """The one of all scenarios that disturb nobody; each is of callers of its own."""
    async with open_own_line(
        HOLDFAST_VOICE__BLIP=BLIP, HOLDFAST_VOICE__IDLE_PROCESSES=str(AT_ONCE["line"] + 2)
    ) as opened:
        yield opened
        await together.end()


@pytest.fixture
def exchange(livekit_server: LocalLiveKit, clips: Clips, tmp_path: Path) -> Exchange:
    """Callers of rooms that nobody answers."""

    async def nobody(_: str, __: str) -> None: ...

    return Exchange(livekit_server, clips, tmp_path, nobody)


@pytest.fixture
def room() -> str:
    """A name of the test's own."""
    return f"call-{uuid4()}"
