"""A server of the tests' own, with the test company in a template. Whoever breaks it mends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services import Services, open_services, running_clock
from tests.company import NOW, Clock, fill_template, settings_for
from tests.faults.network import Network, own_network
from tests.faults.proxy import Proxy, proxy_to
from tests.faults.server import Server, own_server


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    with own_network() as made:
        yield made


@pytest.fixture(scope="session")
def server(network: Network) -> Iterator[Server]:
    with own_server(network) as running:
        yield running


@pytest.fixture(scope="session")
def template(server: Server, model_home: Path) -> str:
    """Migrated, with the test company, and nobody connected."""
    return filled_template(server, model_home)


def filled_template(server: Server, home: Path) -> str:
    name = server.new_database()
    asyncio.run(fill_template(server.dsn(name), home))
    return name


@pytest.fixture
def company_database(server: Server, template: str) -> str:
    """Name of a database of the test's own."""
    return server.new_database(template)


@pytest.fixture
async def proxy(server: Server) -> AsyncIterator[Proxy]:
    """Between the calls and the server."""
    async with proxy_to(server.network.address, server.port) as running:
        yield running


@pytest.fixture
def proxied_dsn(server: Server, company_database: str, proxy: Proxy) -> str:
    """The test's own database, through the proxy."""
    return server.dsn(company_database, host="127.0.0.1", port=proxy.port)


@pytest.fixture
def clock() -> Clock:
    """The time of the test, which moves only when told to."""
    return Clock()


@pytest.fixture
async def services(proxied_dsn: str, model_home: Path, clock: Clock) -> AsyncIterator[Services]:
    """A process that takes calls, behind the proxy."""
    async with line_on(proxied_dsn, model_home, clock=clock) as opened:
        yield opened


@asynccontextmanager
async def line_on(
    dsn: str, home: Path, *, clock: Clock | None = None, pooler: bool = False
) -> AsyncIterator[Services]:
    """A process that takes calls. Without a clock of the test's its time begins at the test's and runs."""
    settings = settings_for(dsn, home)
    postgres = settings.postgres.model_copy(update={"pooler": pooler})
    settings = settings.model_copy(update={"postgres": postgres})
    now = clock or running_clock(NOW)
    async with open_services(settings, clock=now, demo=False) as services:
        yield services
