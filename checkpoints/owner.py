"""Who holds a call: a process of a host, named so that others can tell whether it still lives; and a witness that does.

On one host they look at its pid. Of another host's process they see whether it has a connection to the database: the
kernel of a killed one closes it at once, and a living one renews its leases through it every few seconds. Where a
pooler hides that, only the renewals tell.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from time import monotonic
from uuid import uuid4

import psutil
from psycopg import AsyncConnection
from psycopg.rows import DictRow

APPLICATION = "holdfast "  #: what our connections are called, with the owner's name behind it
MISSED = timedelta(seconds=4)  #: without connection and renewal: two beats of a process that lives
UNHEARD = timedelta(seconds=6)  #: without renewal, where nobody sees connections: three beats
#: After a restart all connections are new; the others come back in this time.
STEADY = timedelta(seconds=15)
_SESSIONS = """
SELECT substr(application_name, length(%(ours)s) + 1) AS owner, now() - min(backend_start) AS connected
FROM pg_stat_activity WHERE starts_with(application_name, %(ours)s) GROUP BY application_name
"""


@cache
def _host() -> str:
    """This host as others of the same deployment know it; hashed, because names of machines are nobody's business.

    Containers that share a host's name don't see each other's processes.
    """
    name = f"{socket.gethostname()} {_process_namespace()}"
    return sha256(name.encode()).hexdigest()[:12]


def _process_namespace() -> str:
    with suppress(OSError):  # Linux only
        return str(Path("/proc/self/ns/pid").readlink())
    return ""


def this_process() -> str:
    """host:pid:start:nonce. The start time tells a process from a later one with the same pid."""
    pid = os.getpid()
    return f"{_host()}:{pid}:{_started(pid)}:{uuid4().hex[:8]}"


def hidden(owner: str) -> str:
    """The name of one whose connections go through a pooler, so that nobody sees whether it has any."""
    return f"{owner}:hidden"


@dataclass(frozen=True)
class _Missing:
    since: float
    lease: datetime  #: until when its calls were held then


class Witness:
    """Watches the processes that hold calls.

    A database that was away has no connections at first, a network that was cut takes some with it. So one who is
    missing counts only to a witness that has been connected for longer than others take to come back, and only when it
    stays away and renews nothing. Durations are of the witness's own clock: those of other hosts may differ.
    """

    def __init__(self, own: str, seconds: Callable[[], float] = monotonic) -> None:
        """
        Args:
            own: the name that the watching process connects with.
        """
        self._own = own
        self._seconds = seconds
        self._looked = self._looks_since = float("-inf")  #: without a gap
        self._missing: dict[str, _Missing] = {}
        self._gone: set[str] = set()  #: as of the last look

    def is_gone(self, owner: str) -> bool:
        """Is this process dead, as far as anybody can tell? If not, its leases must run out."""
        return owner in self._gone or _died_here(owner)

    async def look(
        self, connection: AsyncConnection[DictRow], leases: Mapping[str, datetime]
    ) -> None:
        """Who is without a connection now, and since when.

        Args:
            leases: the holders of live calls, and until when they hold them.
        """
        cursor = await connection.execute(_SESSIONS, {"ours": APPLICATION})
        connected = {str(row["owner"]): row["connected"] for row in await cursor.fetchall()}
        if not self._is_steady(connected):
            leases = {}
        seen = {owner for owner in connected if not _is_hidden(owner)}
        self._missing = {
            owner: self._missed(owner, lease)
            for owner, lease in leases.items()
            if owner not in seen and self._can_judge(owner)
        }
        self._gone = {owner for owner, one in self._missing.items() if self._is_over(owner, one)}

    def _is_steady(self, connected: Mapping[str, timedelta]) -> bool:
        """Would this witness have noticed if the database had been away in the last seconds?"""
        now, before = self._seconds(), self._looked
        self._looked = now
        if not _is_hidden(self._own):
            return connected.get(self._own, timedelta()) >= STEADY
        if now - before > MISSED.total_seconds():
            self._looks_since = now
        return now - self._looks_since >= STEADY.total_seconds()

    def _can_judge(self, owner: str) -> bool:
        """Of one behind a pooler only who is behind it, too, knows that the pooler was not away."""
        return _is_hidden(self._own) or not _is_hidden(owner)

    def _missed(self, owner: str, lease: datetime) -> _Missing:
        before = self._missing.get(owner)
        return before if before and before.lease == lease else _Missing(self._seconds(), lease)

    def _is_over(self, owner: str, missing: _Missing) -> bool:
        patience = UNHEARD if _is_hidden(owner) else MISSED
        return self._seconds() - missing.since >= patience.total_seconds()


def _is_hidden(owner: str) -> bool:
    return owner.endswith(hidden(""))


def _died_here(owner: str) -> bool:
    """Was this a process of this host that is gone?"""
    host, _, rest = owner.partition(":")
    pid, _, rest = rest.partition(":")
    if host != _host() or not pid.isdecimal():
        return False
    try:
        return _started(int(pid)) != rest.partition(":")[0]
    except psutil.AccessDenied:
        return False


def _started(pid: int) -> str:
    """When the process began, in hundredths of a second; empty when there is none (or only its corpse)."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return ""
        return str(round(process.create_time() * 100))
    except psutil.NoSuchProcess:
        return ""
