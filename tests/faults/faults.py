"""What can happen to a database in the middle of a call, each as a beginning and an end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.proxy import Proxy
from tests.faults.server import Server


@dataclass(frozen=True)
class Scene:
    """Where it happens: the server, and the proxy that calls go through when `Fault.through_proxy`."""

    server: Server
    proxy: Proxy


@dataclass(frozen=True)
class Fault:
    """One kind of trouble. `begins` and `ends` may block; they run in a thread."""

    name: str
    begins: Callable[[Scene], None]
    ends: Callable[[Scene], None]
    through_proxy: bool = False
    through_pooler: bool = False  #: PgBouncer, in transaction mode
    can_read: bool = False  #: look-ups go on, only writes fail
    drops_packets: bool = False
    lasts: float = 0.0  #: seconds, when longer than the callers talk meanwhile

    def __str__(self) -> str:
        return self.name


RESTARTED = Fault("restarted", lambda at: at.server.stop(), lambda at: at.server.start())
KILLED = Fault("killed", lambda at: at.server.kill(), lambda at: at.server.start())
STALLED = Fault("stalled", lambda at: at.server.stall(), lambda at: at.server.go_on(), lasts=24.0)
DROPPED = Fault(
    "packets_dropped",
    lambda at: at.server.network.drop_packets(),
    lambda at: at.server.network.let_packets_through(),
    drops_packets=True,
)
SWALLOWED = Fault(
    "swallowed_by_a_proxy",
    lambda at: at.proxy.swallow(),
    lambda at: at.proxy.pass_on(),
    through_proxy=True,
)
FULL = Fault("out_of_connections", lambda at: at.server.fill(), lambda at: at.server.empty())
READ_ONLY = Fault(
    "read_only",
    lambda at: at.server.read_only(True),
    lambda at: at.server.read_only(False),
    can_read=True,
)
BEHIND_POOLER = Fault(
    "restarted_behind_pgbouncer",
    lambda at: at.server.stop(),
    lambda at: at.server.start(),
    through_pooler=True,
)
FAULTS = (BEHIND_POOLER, RESTARTED, KILLED, DROPPED, SWALLOWED, FULL, READ_ONLY, STALLED)
