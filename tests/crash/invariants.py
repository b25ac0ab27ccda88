"""What must hold after every run, whatever was done to the process: each check yields a sentence per violation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import DictRow

from tests.crash.journal import Entry
from tests.crash.scripts import Script
from tests.crash.tables import Dump, Evidence

#: Lines that say nothing was done. No scripted caller gives up, so with the effect on record they are false.
DENIALS = frozenset({"dropped-open-things", "left-open", "cancelled", "write-refused"})
#: Lines after which a question is another one: a system failed, or a value was given up with a word.
TROUBLE = frozenset(
    {"lookup-failed", "write-failed", "nobody-reachable", "done-meanwhile", "done-after-all"}
)
ON_FILE = frozenset({"address-same", "phone-same"})
GIVEN_UP = frozenset(
    {"address-part-wrong", "phone-incomplete", "callback-time-taken", "callback-time-not-free"}
)
WORK = ("account.", "callback.", "escalation.")


@dataclass(frozen=True)
class Run:
    """One run and all that is known of it."""

    script: Script
    boundary: str
    first: tuple[Entry, ...]  #: of the process that was struck
    second: tuple[
        Entry, ...
    ]  #: of the one that took the caller's next call; none when the first lived on
    clean: tuple[Entry, ...]  #: of a run nothing happened to
    strike: Evidence | None  #: what was on record when the struck process was gone
    end: Evidence
    trouble: str | None = None  #: a process hung, or ended with an error
    frozen: tuple[Dump, Dump] | None = None  #: the rows before and after a frozen process went on
    log: str = ""  #: of the struck process

    @property
    def entries(self) -> tuple[Entry, ...]:
        return (*self.first, *self.second)


Check = Callable[[Run], Iterator[str]]


def lost(run: Run) -> Iterator[str]:
    """The effect is there in the end, and the caller was told so, and never told otherwise."""
    if run.trouble:
        yield run.trouble
    for what, missing in _missing(run).items():
        yield f"missing in the end: {missing} {what}"
    if not run.entries or not run.entries[-1].told:
        yield "the caller was not told that it is done"
    for entry in run.entries:
        denied = DENIALS.intersection(entry.lines)
        if denied and not _missing(run):
            yield f"{sorted(denied)} was said, and it was done"
    told = any(entry.told for entry in run.first)
    if told and run.strike is not None and not _happened(run.script, run.strike):
        yield "the caller was told that it is done, and it was not"


def doubled(run: Run) -> Iterator[str]:
    """Nothing in the company is there twice."""
    wanted, found = _wanted(run.script), _found(run.end)
    for what in found:
        if found[what] > wanted[what]:
            yield f"{found[what]} times {what}"


def question(run: Run) -> Iterator[str]:
    """A resumed call's first question after identity is the one that was open, and no reply it gave is forgotten."""
    heard_turn: dict[str, int] = {}
    was_open: dict[str, str] = {}
    for at, entry in enumerate(run.entries):
        if entry.kind == "heard" and entry.call_id:
            heard_turn[entry.call_id] = entry.standing.turn
        if entry.kind != "rang" or entry.legs < 2:
            continue
        if entry.question.startswith(WORK):
            was_open[entry.call_id or ""] = entry.question
        if entry.standing.turn < heard_turn.get(entry.call_id or "", 0):
            yield f"turn {heard_turn[entry.call_id or '']} was heard, turn {entry.standing.turn} remembered"
        expected = was_open.get(entry.call_id or "") or _first_of_all(run)
        yield from _goes_on(entry, expected, _leg(run.entries, at))


def _leg(entries: tuple[Entry, ...], rang: int) -> list[Entry]:
    """The replies of the call picked up at `rang`."""
    leg: list[Entry] = []
    for entry in entries[rang + 1 :]:
        if entry.kind == "rang":
            break
        if entry.kind == "heard":
            leg.append(entry)
    return leg


def _first_of_all(run: Run) -> str:
    """What a caller is asked when identity is proven and nothing was given yet."""
    return next((entry.question for entry in run.clean if entry.question.startswith(WORK)), "")


def _goes_on(rang: Entry, expected: str, leg: list[Entry]) -> Iterator[str]:
    said = {one for entry in leg for one in entry.lines}
    asked = next((entry.question for entry in leg if entry.question.startswith(WORK)), None)
    if rang.standing.flow is None or asked is None or not said.isdisjoint(TROUBLE):
        return
    if asked != expected:
        yield f"asked {asked}, and {expected} was open"


def asked_twice(run: Run) -> Iterator[str]:
    """Nothing the call's memory holds is asked for again."""
    held: frozenset[str] = frozenset()
    for entry in run.entries:
        given_up = not GIVEN_UP.isdisjoint(entry.lines)
        if entry.kind == "heard" and entry.question in held and not given_up:
            yield f"{entry.question} was asked again"
        if entry.kind == "rang" or given_up:
            held = entry.standing.filled
        elif entry.kind == "heard":
            held = held | entry.standing.filled if entry.standing.flow else frozenset()


def forked(run: Run) -> Iterator[str]:
    """Each call's checkpoints are one chain."""
    for evidence in (run.strike, run.end):
        for call_id, chain in _chains(evidence).items() if evidence else ():
            parents = [row["parent"] for row in chain]
            ids = [row["checkpoint_id"] for row in chain]
            if parents != [None, *ids[:-1]]:
                yield f"call {call_id}: {len(ids)} checkpoints, {len(set(parents))} different parents"


def agree(run: Run) -> Iterator[str]:
    """Effect log, register, newest checkpoint and the company's tables say the same."""
    for when, evidence in (("at the strike", run.strike), ("in the end", run.end)):
        if evidence is not None:
            yield from (f"{when}: {one}" for one in _disagreements(evidence))
    for call in run.end.calls:
        if call["state"] == "live" and call["turns"] > 0:  # else nobody has heard of it yet
            yield f"in the end: call {call['call_id']} is live, and nobody is on the line"
    served = {row["call_id"] for row in run.end.effects if row["effect"] == run.script.done}
    for call in run.end.calls:
        if call["call_id"] in served and call["outcome"] != run.script.ends.outcome:
            yield f"in the end: the call that served the caller is {call['state']}, {call['outcome']}"
    if any(not ON_FILE.isdisjoint(entry.lines) for entry in run.entries):
        return  # the change was found made, not remembered as its own
    by_call = {entry.call_id: entry for entry in run.entries if entry.kind == "heard"}
    for call_id, entry in by_call.items():
        logged = {
            row["key"]
            for row in run.end.effects
            if str(row["call_id"]) == call_id and row["effect"] != "send_code"
        }
        newest = _chains(run.end).get(call_id or "", [{"values": {}}])[-1]["values"].get("turn", 0)
        if newest == entry.standing.turn and logged != set(entry.standing.done):
            yield f"call {call_id}: it remembers {entry.standing.done}, the log {sorted(logged)}"


def _disagreements(evidence: Evidence) -> Iterator[str]:
    chains = _chains(evidence)
    for call in evidence.calls:
        chain = chains.get(str(call["call_id"]), [])
        values = chain[-1]["values"] if chain else {"turn": 0}
        yield from _register_differs(call, values)
    for row in evidence.effects:
        if row["status"] != "done":
            yield f"effect {row['key']} was left at {row['status']}"
    yield from _company_differs(evidence)


def _register_differs(call: DictRow, values: dict[str, object]) -> Iterator[str]:
    pairs = {"turns": "turn", "open_flow": "flow", "asks": "asks", "verified": "verified"}
    for column, channel in pairs.items():
        default = 0 if column in ("turns", "verified") else None
        if call[column] != values.get(channel, default):
            yield f"register {column} {call[column]}, checkpoint {values.get(channel)}"
    ended = bool(values.get("ended")) and values.get("outcome") is not None
    if call["state"] == "closed" and not ended:
        yield "the register says closed, the checkpoint does not"


def _company_differs(evidence: Evidence) -> Iterator[str]:
    logged = Counter(row["effect"] for row in evidence.effects)
    kinds = Counter(row["kind"] for row in evidence.notices)
    found = {
        "update_address": kinds["address_changed"],
        "update_phone": kinds["phone_changed"],
        "send_code": kinds["code"],
        "book_callback": len(evidence.callbacks),
        "hand_over": sum(row["way"] == "transfer" for row in evidence.handovers),
    }
    audited = Counter(row["action"] for row in evidence.audit)
    if audited != logged:
        yield f"the log has {dict(logged)}, the audit {dict(audited)}"
    for effect, rows in found.items():
        if logged[effect] != rows:
            yield f"{effect}: {logged[effect]} in the log, {rows} in the company"
    if len(evidence.customers) > logged["update_address"] + logged["update_phone"]:
        yield f"customers {sorted(evidence.customers)} changed, and the log does not say so"


def wrote_frozen(run: Run) -> Iterator[str]:
    """A frozen worker whose call was taken over writes nothing when it wakes, and notices that it lost the call."""
    if run.frozen is None:
        return
    before, after = run.frozen
    for table, rows in before.items():
        if rows != after[table]:
            yield f"the woken worker changed {table}"
    taken_over = any(entry.kind == "rang" and entry.legs > 1 for entry in run.second)
    newest = [row["values"] for row in run.strike.checkpoints][-1:] if run.strike else []
    had_more_to_write = not any(values.get("ended") for values in newest)
    events = run.log.count('"lease.lost"')
    if events != int(taken_over and had_more_to_write):
        yield f"{events} events lease.lost"


CHECKS: dict[str, Check] = {
    "lost": lost,
    "doubled": doubled,
    "question": question,
    "asked again": asked_twice,
    "forked": forked,
    "disagree": agree,
    "zombie writes": wrote_frozen,
}


def _chains(evidence: Evidence) -> dict[str, list[DictRow]]:
    chains: dict[str, list[DictRow]] = {}
    for row in evidence.checkpoints:
        chains.setdefault(row["thread_id"], []).append(row)
    return chains


def _happened(script: Script, evidence: Evidence) -> bool:
    return not _wanted(script) - _found(evidence)


def _missing(run: Run) -> Counter[str]:
    return _wanted(run.script) - _found(run.end)


def _wanted(script: Script) -> Counter[str]:
    ends = script.ends
    wanted = Counter(f"handover by {way}" for way in ends.handovers)
    wanted.update(_booked(**one) for one in ends.callbacks)
    wanted.update(
        f"{customer}.{column} = {value}"
        for customer, changed in ends.customers.items()
        for column, value in changed.items()
    )
    if ends.notice:
        wanted[f"notice {ends.notice}"] += 1
    return wanted


def _found(evidence: Evidence) -> Counter[str]:
    found = Counter(f"handover by {row['way']}" for row in evidence.handovers)
    found.update(
        _booked(row["phone"], row["starts_at"].isoformat(), row["status"])
        for row in evidence.callbacks
    )
    found.update(
        f"{customer}.{column} = {value}"
        for customer, changed in evidence.customers.items()
        for column, value in changed.items()
    )
    found.update(f"notice {row['kind']}" for row in evidence.notices if row["kind"] != "code")
    return found


def _booked(phone: str, starts_at: str, status: str) -> str:
    at = datetime.fromisoformat(starts_at).timestamp()
    return f"callback {status} to {phone} at {at:.0f}"
