"""What is done to the process at each boundary, and how the caller's call goes on after it."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from psycopg.conninfo import make_conninfo

import conversation
import services
from checkpoints import database, turn_saver
from tests.crash.boundaries import Boundaries
from tests.crash.forks import Child, forked
from tests.crash.invariants import CHECKS, Check, Run
from tests.crash.journal import Entry, Journal
from tests.crash.line import Phone, Process
from tests.crash.scripts import Caller
from tests.crash.tables import Evidence, Tables
from tests.crash.wire import Fault, Wire, proxied
from tools import confirmation

SOMEWHERE = 150  # boundaries of a resumed call that the second kill is spread over
SOON = timedelta(seconds=5)  #: the caller rings again
LEASE_OVER = timedelta(seconds=31)  #: a frozen worker's lease has run out (checkpoints.calls.LEASE)


#: A tenth of checkpoints.database's own server settings.
SHORT = "-c statement_timeout=500 -c lock_timeout=300 -c idle_in_transaction_session_timeout=500"


@dataclass(frozen=True)
class Scene:
    """One script on a database of its own."""

    process: Process
    tables: Tables
    clean: tuple[Entry, ...] = ()

    def reset(self) -> None:
        self.tables.reset(staff=self.process.script.staff)


@dataclass
class Tally:
    """What was found in one script."""

    boundaries: int = 0
    violations: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)


#: Strikes one run at the n-th boundary. None: the run came to its end before that.
Strike = Callable[[Scene, int], Run | None]


@dataclass(frozen=True)
class Loop:
    """A fault, and what must hold whenever it happens."""

    strike: Strike
    checks: Mapping[str, Check] = field(default_factory=lambda: CHECKS)
    naive: bool = False  #: on a line that performs its writes without key and log

    def violations(self, run: Run) -> Iterator[tuple[str, str]]:
        for name, check in self.checks.items():
            for sentence in check(run):
                yield name, sentence


def explored(loop: Loop, scene: Scene, points: Iterable[int]) -> Tally:
    """Strike at these boundaries, until a run comes through unharmed."""
    tally = Tally()
    for at in points:
        if (run := loop.strike(scene, at)) is None:
            break
        tally.boundaries += 1
        for name, sentence in loop.violations(run):
            tally.violations[name] += 1
            where = f"{run.script.name} at {at} ({run.boundary})"
            tally.examples.append(f"{name}: {where}: {sentence}")
    return tally


def rehearsed(scene: Scene, loop: Loop) -> tuple[Entry, ...]:
    """What is heard in a run nothing happens to, which must be without fault."""
    scene.reset()
    with forked(lambda journal: scene.process.run(journal, Caller())) as only:
        only.wait()
    run = _run(scene, only)
    faults = list(loop.violations(run))
    assert not faults, f"{run.script.name} does not even work when nothing happens: {faults}"
    return run.first


def killed(scene: Scene, at: int) -> Run | None:
    """SIGKILL at the boundary; a fresh process takes the caller's next call."""
    scene.reset()
    with _struck(scene.process, Caller(), at, _die) as first:
        first.wait()
    if first.unharmed:
        return None
    scene.tables.quiet()
    strike = scene.tables.evidence()
    with _next_call(scene, first, SOON) as second:
        second.wait()
    return _run(scene, first, second, strike=strike)


def killed_twice(scene: Scene, at: int) -> Run | None:
    """The process that takes the next call is killed, too, somewhere else; a third one takes the call after that."""
    scene.reset()
    with _struck(scene.process, Caller(), at, _die) as first:
        first.wait()
    if first.unharmed:
        return None
    scene.tables.quiet()
    strike = scene.tables.evidence()
    somewhere = 1 + at * 7 % SOMEWHERE
    with _struck(_later(scene, SOON), _knowing(first), somewhere, _die) as second:
        second.wait()
    scene.tables.quiet()
    heard = second if any(entry.kind == "heard" for entry in second.entries) else first
    with _next_call(scene, heard, 2 * SOON) as third:
        third.wait()
    run = _run(scene, first, third, strike=strike)
    return replace(
        run, second=(*second.entries, *third.entries), trouble=run.trouble or second.trouble
    )


def cancelled(scene: Scene, at: int) -> Run | None:
    """The turn is cancelled at the boundary and the line dropped; the same process takes the next call."""
    scene.reset()
    with _struck(scene.process, Caller(), at, _cut_off) as first:
        first.wait()
    return None if first.unharmed else _run(scene, first)


def cut_in_on(scene: Scene, at: int) -> Run | None:
    """The turn is cancelled at the boundary, and the caller goes on speaking in the same call."""
    scene.reset()
    with _struck(replace(scene.process, cuts_in=True), Caller(), at, _cut_off) as first:
        first.wait()
    return None if first.unharmed else _run(scene, first)


def frozen(scene: Scene, at: int) -> Run | None:
    """SIGSTOP at the boundary; another worker takes the call over; then the frozen one goes on."""
    scene.reset()
    process = replace(scene.process, rings_again=False)
    with _struck(process, Caller(), at, _freeze) as first:
        first.wait(stopped=True)
        if first.unharmed:
            return None
        seen = first.entries
        scene.tables.settled()
        strike = scene.tables.evidence()
        if not strike.calls:
            first.kill()  # it has not picked up yet: there is nothing to take over
        with _next_call(scene, first, LEASE_OVER) as second:
            second.wait()
        scene.tables.settled()
        before = scene.tables.dump()
        if strike.calls:
            first.wake()
            first.wait()
    scene.tables.quiet()
    run = _run(scene, first, second, strike=strike)
    return replace(run, first=seen, frozen=(before, scene.tables.dump()))


def wired(fault: Fault) -> Strike:
    """The line to the database breaks at the n-th message; the worker lives on, and the call goes on."""

    def strike(scene: Scene, at: int) -> Run | None:
        scene.reset()
        with forked(lambda journal: _on_a_bad_line(scene.process, journal, fault, at)) as first:
            first.wait()
        scene.tables.quiet()
        return None if first.unharmed else _run(scene, first)

    return strike


async def _on_a_bad_line(process: Process, journal: Journal, fault: Fault, at: int) -> None:
    """What is waited for is short here, by us and by the server, so that a stalled line costs a second or two."""
    conversation.DURABLE_SECONDS = turn_saver.WRITE_SECONDS = 0.5
    conversation.SETTLE_SECONDS = services.NOTICE_SECONDS = 0.3
    confirmation.WRITE_SECONDS = database.SILENT_SECONDS = database.Connection.patience = 0.5
    wire = Wire(fault, at, lambda what: journal.write(Entry(kind="struck", boundary=what)))

    def arm(_: Phone) -> None:
        wire.armed = True

    async with proxied(make_conninfo(process.dsn, options=SHORT), wire) as dsn:
        process = replace(process, dsn=dsn, lookup_seconds=0.3)
        await process.run(journal, Caller(), arm)


def _die(_: Phone) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _freeze(_: Phone) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _cut_off(phone: Phone) -> None:
    if phone.acting is not None:
        phone.acting.cancel()


def _struck(
    process: Process, caller: Caller, at: int, hit: Callable[[Phone], None]
) -> AbstractContextManager[Child]:
    """A process that is struck at the boundary."""

    async def work(journal: Journal) -> None:
        phones: list[Phone] = []

        def reached(boundary: str) -> None:
            journal.write(Entry(kind="struck", boundary=boundary))
            hit(phones[0])

        def arm(phone: Phone) -> None:
            phones.append(phone)
            boundaries.armed = True

        boundaries = Boundaries(at, reached)
        boundaries.install()
        await process.run(journal, caller, arm)

    return forked(work)


def _next_call(scene: Scene, first: Child, later: timedelta) -> AbstractContextManager[Child]:
    """A fresh process, and the caller who rings again knowing what was heard so far."""
    process, caller = _later(scene, later), _knowing(first)
    return forked(lambda journal: process.run(journal, caller))


def _later(scene: Scene, by: timedelta) -> Process:
    return replace(scene.process, late=by)


def _knowing(child: Child) -> Caller:
    """The caller, after what was heard from this process."""
    heard = [entry for entry in child.entries if entry.kind == "heard"]
    return Caller(told=heard[-1].told, code=heard[-1].code) if heard else Caller()


def _run(
    scene: Scene, first: Child, second: Child | None = None, *, strike: Evidence | None = None
) -> Run:
    return Run(
        script=scene.process.script,
        boundary=next((one.boundary or "" for one in first.entries if one.boundary), "nowhere"),
        first=first.entries,
        second=second.entries if second is not None else (),
        clean=scene.clean,
        strike=strike,
        end=scene.tables.evidence(),
        trouble=first.trouble or (second.trouble if second is not None else None),
        log=first.log,
    )


LOOPS: dict[str, Loop] = {
    "kill": Loop(killed),
    "kill twice": Loop(killed_twice),
    "cancel": Loop(cancelled),
    "cut in": Loop(cut_in_on),
    "freeze": Loop(frozen),
    "cut": Loop(wired("cut")),
    "stall": Loop(wired("stall")),
    "swallow": Loop(wired("swallow")),
    "control": Loop(
        killed, {name: CHECKS[name] for name in ("lost", "doubled")}, naive=True
    ),  # its log is empty, so there is nothing that could agree
}
