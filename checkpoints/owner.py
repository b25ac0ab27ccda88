"""Who holds a call: a process of a host, named so that others on the host can tell whether it still lives."""

from __future__ import annotations

import os
import socket
from functools import cache
from hashlib import sha256
from uuid import uuid4

import psutil


@cache
def _host() -> str:
    """This host as others of the same deployment know it; hashed, because names of machines are nobody's business."""
    return sha256(socket.gethostname().encode()).hexdigest()[:12]


def this_process() -> str:
    """host:pid:start:nonce. The start time tells a process from a later one with the same pid."""
    pid = os.getpid()
    return f"{_host()}:{pid}:{_started(pid)}:{uuid4().hex[:8]}"


def owner_is_dead(owner: str) -> bool:
    """Was this a process of this host that is gone? Of other hosts nothing is known: their leases must run out."""
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
