"""Processes of a run: forked from one that has everything loaded, watched, and gone when the run is."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from tests.crash.journal import Entry, Journal

PATIENCE = 120.0  # seconds; a child that needs more hangs
GLANCE = 0.001  # seconds between two looks at a child
PR_SET_PDEATHSIG = 1  # prctl(2)
Work = Callable[[Journal], Coroutine[Any, Any, None]]


class Child:
    """A forked process. Its journal and its log are here when it is gone."""

    def __init__(self, pid: int, journal: Journal, log: BinaryIO) -> None:
        self.pid = pid
        self.entries: tuple[Entry, ...] = ()
        self.log = ""
        self._journal = journal
        self._log = log
        self._status: int | None = None
        self._hung = False

    def wait(self, *, stopped: bool = False) -> None:
        """Wait until it has ended or, when asked, was stopped."""
        options = os.WNOHANG | (os.WUNTRACED if stopped else 0)
        until = time.monotonic() + PATIENCE
        while self._status is None:
            pid, status = os.waitpid(self.pid, options)
            if pid and os.WIFSTOPPED(status):
                break
            if pid:
                self._status = status
            elif time.monotonic() > until:
                self._hung = True
                self.kill()
            else:
                time.sleep(GLANCE)
        self._read()

    def wake(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            _, self._status = os.waitpid(self.pid, 0)
        self._read()

    @property
    def struck(self) -> bool:
        """Did the fault reach it?"""
        return any(entry.kind == "struck" for entry in self.entries)

    @property
    def unharmed(self) -> bool:
        """Did it come to its end before the fault?"""
        return self._status == 0 and not self.struck

    @property
    def trouble(self) -> str | None:
        """It hung, or ended with an error: what it said last."""
        if self._hung:
            return "a process hung"
        if self._status is None or os.WIFSIGNALED(self._status) or self._status == 0:
            return None
        return f"a process failed: {self.log.strip().splitlines()[-1:]}"

    def _read(self) -> None:
        self.entries = self._journal.read()
        size = os.fstat(self._log.fileno()).st_size
        self.log = os.pread(self._log.fileno(), size, 0).decode(errors="replace")


@contextmanager
def forked(work: Work) -> Iterator[Child]:
    """A child that does this work in an event loop of its own; gone at the end, whatever happens."""
    if sys.platform == "linux":
        assert len(list(Path("/proc/self/task").iterdir())) == 1, "fork before there are threads"
    with tempfile.TemporaryFile() as notes, tempfile.TemporaryFile() as log:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _as_child(parent, work, Journal(notes), log)
        child = Child(pid, Journal(notes), log)
        try:
            yield child
        finally:
            child.kill()


def _as_child(parent: int, work: Work, journal: Journal, log: BinaryIO) -> NoReturn:
    """Cleans nothing up: what is open belongs to the parent."""
    failed = 1
    try:
        die_with(parent)
        os.dup2(log.fileno(), 2)
        asyncio.run(work(journal))
        failed = 0
    except BaseException:  # noqa: BLE001 - the child's end, whatever it was
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(failed)


def die_with(parent: int) -> None:
    """A parent that is killed leaves nobody behind, not even a stopped child."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
