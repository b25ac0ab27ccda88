"""Where the server stands: behind a network that can drop every packet, or on this machine's loopback."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import psutil

TABLE = "holdfast_faults"
PREFIX = "holdfast-faults-"  #: of namespaces, before the pid of the run they belong to
PORT = 54329  #: inside a namespace of its own nobody else has it


class Network:
    """Loopback: nothing can be dropped."""

    drops_packets = False

    def __init__(self) -> None:
        self.port = free_port()
        self.address = "127.0.0.1"

    def popen(
        self, command: Sequence[str], *, stdout: IO[bytes], stderr: IO[bytes], user: str | None
    ) -> subprocess.Popen[bytes]:
        """Start a process there. The process is the command itself, whatever stands around it."""
        return subprocess.Popen(command, stdout=stdout, stderr=stderr, user=user, cwd="/")

    def drop_packets(self) -> None:
        raise NotImplementedError

    def let_packets_through(self) -> None:
        """Nothing was dropped."""


class Namespace(Network):
    """A network namespace with one cable to this machine; the rules in it vanish with it."""

    drops_packets = True

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.port = PORT
        self.address = f"198.18.{number}.2"  # a network for tests: RFC 2544
        self._number = number

    def popen(
        self, command: Sequence[str], *, stdout: IO[bytes], stderr: IO[bytes], user: str | None
    ) -> subprocess.Popen[bytes]:
        there = ["ip", "netns", "exec", self.name]
        as_user = ["setpriv", f"--reuid={user}", "--regid=nogroup", "--clear-groups"]
        return subprocess.Popen([*there, *as_user, *command], stdout=stdout, stderr=stderr, cwd="/")

    def made(self) -> bool:
        """False where this machine has no namespaces for us."""
        near, far, name = f"hff{self._number}", f"hffi{self._number}", self.name
        steps = (
            f"netns add {name}",
            f"link add {near} type veth peer name {far} netns {name}",
            f"addr add 198.18.{self._number}.1/30 dev {near}",
            f"link set {near} up",
            f"-n {name} addr add {self.address}/30 dev {far}",
            f"-n {name} link set {far} up",
            f"-n {name} link set lo up",
        )
        return all(_succeeds("ip", *step.split()) for step in steps)

    def remove(self) -> None:
        """Rules and addresses go with the namespace, the cable with either end."""
        _succeeds("ip", "link", "del", f"hff{self._number}")
        _succeeds("ip", "netns", "del", self.name)

    def drop_packets(self) -> None:
        """From now on every packet to and from the server is lost, and nobody is told."""
        rules = "".join(
            f"add chain inet {TABLE} {hook} {{ type filter hook {hook} priority 0; policy drop; }}\n"
            for hook in ("input", "output")
        )
        assert self._nft(f"add table inet {TABLE}\n{rules}")

    def let_packets_through(self) -> None:
        self._nft(f"delete table inet {TABLE}")

    def _nft(self, rules: str) -> bool:
        return _succeeds("ip", "netns", "exec", self.name, "nft", rules)


@contextmanager
def own_network() -> Iterator[Network]:
    """A namespace where this user may make one, else loopback."""
    tools = all(shutil.which(name) for name in ("ip", "nft", "setpriv"))
    if os.geteuid() != 0 or not tools:
        yield Network()
        return
    _sweep()
    pid = os.getpid()
    there = Namespace(f"{PREFIX}{pid}", pid % 250 + 1)
    try:
        yield there if there.made() else Network()
    finally:
        there.remove()


def _sweep() -> None:
    """Of runs that were killed."""
    listed = subprocess.run(["ip", "netns", "list"], check=False, capture_output=True, text=True)
    for name in re.findall(rf"^{PREFIX}(\d+)", listed.stdout, re.MULTILINE):
        if not psutil.pid_exists(int(name)):
            Namespace(f"{PREFIX}{name}", int(name) % 250 + 1).remove()


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
