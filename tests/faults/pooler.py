"""PgBouncer in transaction mode in front of the server, as many databases are rented."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.network import free_port
from tests.faults.server import ROLE, Server, give_away, user

PROGRAM = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")
NO_POOLER = "needs pgbouncer: `make test` installs it when run by root"
PLACES = 4  #: server connections, fewer than there are clients


@contextmanager
def pooler_before(server: Server) -> Iterator[int]:
    """The port of a running PgBouncer."""
    assert PROGRAM is not None
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="holdfast-pooler-", dir="/tmp"))
    settings = folder / "pgbouncer.ini"
    users = folder / "users.txt"
    users.write_text(f'"{ROLE}" ""\n')
    settings.write_text(
        f"""
[databases]
* = host={server.network.address} port={server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = {PLACES}
logfile = {folder / "pgbouncer.log"}
server_login_retry = 1
"""
    )
    give_away(folder)
    process = subprocess.Popen(
        [PROGRAM, "-q", str(settings)],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=user(),
    )
    try:
        _wait(port)
        yield port
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)
