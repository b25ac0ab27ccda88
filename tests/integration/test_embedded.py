"""The Postgres inside the wheel: there when needed, shared, and gone with the last who used it."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import fasteners
import psutil
import psycopg
import pytest

from checkpoints.embedded import data_folder, embedded_server
from checkpoints.errors import StorageError, StorageUnusable

USER = "holdfast-tester"
SECONDS = 60  # at most, for anything a process here is waited for
#: Opens the server, says so, keeps it until told to go, and leaves a row behind.
CLIENT = """
import os, sys
from pathlib import Path
import psycopg
from checkpoints.embedded import embedded_server

with embedded_server(Path(sys.argv[1])) as dsn:
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(1)")  # one visitor after the other
        connection.execute("CREATE TABLE IF NOT EXISTS visits (pid integer, uid integer)")
        connection.execute("INSERT INTO visits VALUES (%s, %s)", (os.getpid(), os.getuid()))
        visits = connection.execute("SELECT count(*) FROM visits").fetchone()[0]
    print(visits, flush=True)
    sys.stdin.readline()
"""


class Client:
    """A process that uses the server under a folder."""

    def __init__(self, home: Path, prefix: tuple[str, ...] = ()) -> None:
        root = str(Path(__file__).parents[2])
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-c", CLIENT, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PATH": os.defpath, "HOME": str(home.parent), "PYTHONPATH": root},
        )

    def opened(self) -> int:
        """Waits until it is connected; how many were before it, itself included."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate(timeout=SECONDS)[1]
        return int(line)

    def go(self) -> str:
        """Waits until it is gone; what it complained about."""
        _, complaint = self.process.communicate("\n", timeout=SECONDS)
        assert self.process.returncode == 0, complaint
        return complaint

    def die(self) -> None:
        """Without a chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=SECONDS)


@pytest.fixture
def folder(server_folder: Path) -> Iterator[Path]:
    """Where homes are made; what a failed test left running there is ended."""
    yield server_folder
    for process in servers_of(data_folder(server_folder / "home")):
        process.kill()
        process.wait(SECONDS)


def test_two_processes_share_one_server_that_goes_with_the_last(folder: Path) -> None:
    home = folder / "home"
    first = Client(home)
    assert first.opened() == 1
    second = Client(home)
    assert second.opened() == 2
    assert len(servers_of(data_folder(home))) == 1

    first.go()
    assert len(servers_of(data_folder(home))) == 1

    second.go()
    assert_nothing_left(home)


def test_processes_that_start_at_once_agree_on_one_server(folder: Path) -> None:
    home = folder / "home"
    clients = [Client(home) for _ in range(3)]

    assert sorted(client.opened() for client in clients) == [1, 2, 3]
    assert len(servers_of(data_folder(home))) == 1

    for client in clients:
        client.go()
    assert_nothing_left(home)


def test_process_that_was_killed_leaves_a_server_the_next_one_stops(folder: Path) -> None:
    home = folder / "home"
    killed = Client(home)
    killed.opened()
    killed.die()
    assert servers_of(data_folder(home)), "nobody was there to stop it"

    next_one = Client(home)
    assert next_one.opened() == 2, "with what the killed one had written"
    assert next_one.go() == ""

    assert_nothing_left(home)


def test_server_that_was_killed_is_started_again(folder: Path) -> None:
    home = folder / "home"
    killed = Client(home)
    killed.opened()
    (server,) = servers_of(data_folder(home))
    server.kill()
    killed.die()

    next_one = Client(home)
    assert next_one.opened() == 2
    next_one.go()
    assert_nothing_left(home)


def test_pid_of_a_server_that_now_is_something_elses_is_not_believed(folder: Path) -> None:
    """A container that was killed and started again hands out the same small numbers."""
    home = folder / "home"
    killed = Client(home)
    killed.opened()
    (server,) = servers_of(data_folder(home))
    pid_file = data_folder(home) / "postmaster.pid"
    left = pid_file.read_text()
    killed.go()
    assert server.pid == int(left.split()[0])
    pid_file.write_text(left.replace(str(server.pid), str(os.getpid()), 1))

    next_one = Client(home)
    assert next_one.opened() == 2
    next_one.go()
    assert_nothing_left(home)


@pytest.mark.parametrize("name", ["it's; two $(words) & more", "été/" * 30])
def test_home_may_be_called_anything(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a shell reads as more than a name, and what is too long for a socket (107 bytes)."""
    monkeypatch.setenv("HOME", str(folder))
    home = folder / name

    with embedded_server(home) as dsn, psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)

    assert data_folder(home).is_relative_to(folder)
    assert_nothing_left(home)


def test_home_nobody_can_write_into_is_refused(folder: Path) -> None:
    (folder / "file").write_text("")
    for home in (folder / "file", folder / "file" / "below", Path("/proc/holdfast")):
        with pytest.raises(StorageUnusable, match="set HOLDFAST_HOME"), embedded_server(home):
            pass


def test_data_of_another_postgres_is_refused_with_the_place_of_the_log(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checkpoints.embedded.START_ATTEMPTS", 1)
    data = folder / "home" / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("12")

    with (
        pytest.raises(StorageError, match=f"does not start: see {data / 'log'}"),
        embedded_server(folder / "home"),
    ):
        pass


def test_ordinary_user_has_a_server_of_their_own(folder: Path) -> None:
    """Also on a machine where root was first: nothing of a run is in the way of other users."""
    with ExitStack() as stack:
        prefix = stack.enter_context(ordinary_user())
        mine, theirs = folder / "home", folder / "theirs"
        theirs.mkdir()
        shutil.chown(theirs, USER)
        first = Client(mine)
        first.opened()

        second = Client(theirs / "home", prefix)
        assert second.opened() == 1
        (server,) = servers_of(data_folder(theirs / "home"))
        assert server.username() == USER
        assert second.go() == ""
        first.go()

        assert_nothing_left(theirs / "home")
        assert_nothing_left(mine)


@contextmanager
def ordinary_user() -> Iterator[tuple[str, ...]]:
    """A user without rights, as the words before a command that runs as them."""
    if os.geteuid() != 0 or not shutil.which("useradd") or not shutil.which("setpriv"):
        pytest.skip("only root can run something as another user")
    known = {entry.pw_name for entry in pwd.getpwall()}
    if USER not in known:
        subprocess.run(["useradd", "--no-create-home", USER], check=True, capture_output=True)
    try:
        plain = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups")
        # Root's own Python may lie where nobody else can look: reading, and nothing else, is let through.
        reading = (*plain, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
        for prefix in (plain, reading):
            asked = [*prefix, sys.executable, "-c", "import psycopg, checkpoints"]
            if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
                yield prefix
                return
        pytest.skip("no other user can run this Python")
    finally:
        if USER not in known:
            subprocess.run(["userdel", USER], check=True, capture_output=True)


def assert_nothing_left(home: Path) -> None:
    """No process, no lock that somebody holds, nobody on the list."""
    data = data_folder(home)
    assert servers_of(data) == []
    assert not (data / "postmaster.pid").exists()
    assert json.loads((data / ".handle_pids.json").read_text()) == []
    for file in data.parent.glob("*.lock"):
        lock = fasteners.InterProcessLock(file)
        assert lock.acquire(blocking=False), file
        lock.release()


def servers_of(data: Path) -> list[psutil.Process]:
    """The server process itself, not its helpers."""
    return [process for process in psutil.process_iter() if _is_server_of(process, data)]


def _is_server_of(process: psutil.Process, data: Path) -> bool:
    try:
        words = process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return bool(words) and words[0].endswith("/postgres") and str(data) in words
