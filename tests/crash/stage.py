"""Where runs happen: everything loaded once, a Postgres with the test company, and a process for each script."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from pydantic import BaseModel, ConfigDict

from checkpoints.embedded import embedded_server
from graph.understanding.local import LocalUnderstander
from tests.company import fill_template
from tests.crash.forks import GLANCE, die_with
from tests.crash.journal import Journal
from tests.crash.line import Process
from tests.crash.loops import LOOPS, Scene, explored, rehearsed
from tests.crash.scripts import Caller, Script, all_scripts
from tests.crash.tables import scenario_database


class PartFailed(Exception):
    """A script could not be played to the end; the reason stands above on standard error."""


class Wanted(BaseModel):
    """What to explore."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    loop: str
    scripts: tuple[str, ...] = ()  #: all, when none is named
    every: int = 1  #: strike at every so-many-th boundary; each script begins at another one
    at: tuple[int, ...] = ()  #: only at these

    def points(self, number: int) -> Iterable[int]:
        """The boundaries to strike at in the so-many-th script."""
        return self.at or itertools.count(1 + number % self.every, self.every)


class Found(BaseModel):
    """What a loop came to."""

    loop: str
    scripts: int = 0
    boundaries: int = 0
    violations: dict[str, int] = {}
    examples: list[str] = []
    seconds: float = 0.0

    def __add__(self, other: Found) -> Found:
        return Found(
            loop=self.loop,
            scripts=self.scripts + other.scripts,
            boundaries=self.boundaries + other.boundaries,
            violations=dict(Counter(self.violations) + Counter(other.violations)),
            examples=[*self.examples, *other.examples],
            seconds=self.seconds + other.seconds,
        )


@dataclass(frozen=True)
class Stage:
    """A server with a template, and the models loaded."""

    server: str
    template: str
    home: Path
    understander: LocalUnderstander
    warm: set[str] = field(default_factory=set)  #: scripts that have loaded what they need

    def explore(self, wanted: Wanted, jobs: int = 1) -> Found:
        """One process for each script, so many at a time."""
        scripts = [one for one in all_scripts() if not wanted.scripts or one.name in wanted.scripts]
        self._warm_up(scripts)
        parts = [partial(self._explored, wanted, script, at) for at, script in enumerate(scripts)]
        found = Found(loop=wanted.loop)
        for text in side_by_side(parts, jobs):
            found += Found.model_validate_json(text)
        return found

    def _warm_up(self, scripts: Sequence[Script]) -> None:
        """Whatever is loaded at first use is loaded before the forks: one call of each script, on nobody's record."""
        cold = [script for script in scripts if script.name not in self.warm]
        self.warm.update(script.name for script in cold)
        if not cold:
            return
        with scenario_database(self.server, self.template) as (dsn, tables):
            for script in cold:
                tables.reset(staff=script.staff)
                process = Process(dsn, self.home, self.understander, script)
                with tempfile.TemporaryFile() as notes:
                    asyncio.run(process.run(Journal(notes), Caller()))
        gc.collect()
        gc.freeze()  # a collection in a child would copy every page

    def _explored(self, wanted: Wanted, script: Script, number: int) -> str:
        loop = LOOPS[wanted.loop]
        started = time.perf_counter()
        with scenario_database(self.server, self.template) as (dsn, tables):
            process = Process(dsn, self.home, self.understander, script, naive=loop.naive)
            scene = Scene(process, tables)
            scene = replace(scene, clean=rehearsed(scene, loop))
            tally = explored(loop, scene, wanted.points(number))
        return Found(
            loop=wanted.loop,
            scripts=1,
            boundaries=tally.boundaries,
            violations=dict(tally.violations),
            examples=tally.examples,
            seconds=time.perf_counter() - started,
        ).model_dump_json()


@contextmanager
def fast_server(folder: Path) -> Iterator[str]:
    """An embedded server that need not survive the machine."""
    folder.chmod(0o755)  # run by root, the server is another user's
    with embedded_server(folder) as dsn:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("ALTER SYSTEM SET synchronous_commit = off")
            connection.execute("SELECT pg_reload_conf()")
        yield dsn


@contextmanager
def open_stage(server: str, home: Path) -> Iterator[Stage]:
    """Everything loaded, and a template made; it is gone at the end."""
    understander = LocalUnderstander(home / "cache")
    understander.warm_up()
    template = f"crash_{uuid4().hex}"
    name = sql.Identifier(template)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            asyncio.run(fill_template(make_conninfo(server, dbname=template), home))
            yield Stage(server, template, home, understander)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def side_by_side(parts: Sequence[Callable[[], str]], jobs: int) -> Iterator[str]:
    """What each part returns, from a process of its own, in the order they end."""
    waiting, running = list(parts), dict[int, BinaryIO]()
    with ExitStack() as stack:
        stack.callback(_ended, running)
        while waiting or running:
            while waiting and len(running) < jobs:
                file = stack.enter_context(tempfile.TemporaryFile())
                running[_forked(waiting.pop(0), file)] = file
            for pid in list(running):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    answer = running.pop(pid)
                    if status:
                        raise PartFailed
                    answer.seek(0)
                    yield answer.read().decode()
            time.sleep(GLANCE)


def _forked(part: Callable[[], str], answer: BinaryIO) -> int:
    sys.stdout.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    failed = 1
    try:
        die_with(parent)
        answer.write(part().encode())
        answer.flush()
        failed = 0
    except BaseException:  # noqa: BLE001 - the child's end, whatever it was
        traceback.print_exc()
    finally:
        os._exit(failed)


def _ended(running: Iterable[int]) -> None:
    for pid in running:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
