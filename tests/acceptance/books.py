"""One call among several on a line: what the register, the effect log and its own memory have of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from graph.state import HISTORY_KEPT, Case
from services import SentNotice
from tests.acceptance.caller import Caller
from tests.acceptance.line import WRITTEN_WITHIN, Line, Row
from voice.worker import CALL

KEYS = re.compile(r"[0-9*#]+")
CODE = re.compile(r"\b\d{6}\b")
SETTLED = 0.5  #: seconds without another turn
SAID_AGAIN = 6  #: times, at most, while one question is on its way to the next
TRIES = 3  #: of words that may be lost
ANSWERED_WITHIN = 10.0  #: seconds after the answer was heard, when the words may have been lost
DAYS = {
    "en": ("monday", "tuesday", "wednesday", "thursday", "friday"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi"),
}


async def open_day(line: Line, country: str, language: str) -> str:
    """The name of one of the next days on which somebody rings callers back."""
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    for ahead in range(2, 7):
        day = noon + timedelta(days=ahead)
        if day.weekday() < len(DAYS[language]) and await line.services.company.callbacks.is_free(
            day, country
        ):
            return DAYS[language][day.weekday()]
    raise AssertionError("closed all week")


def opening(words: str) -> dict[str, str]:
    """Answers for `until_asked`: what a caller says who has said nothing yet, or was not understood."""
    return dict.fromkeys(("", "closing.more", "clarify"), words)


def not_said(understood: Iterable[str], said: str) -> list[str]:
    """Words that the line understood, and this caller never said."""
    return [word for word in " ".join(understood).split() if word not in said.split()]


def calls_shown(caller: Caller) -> list[UUID]:
    """Which calls the line made known to its caller, one after the other."""
    shown: list[Mapping[str, str]] = [
        one["attributes"] for one in caller.events if one["event"] in ("met", "changed")
    ]
    return [UUID(one[CALL]) for one in shown if CALL in one]


class PromiseBroken(Exception):
    """It must not happen once: a scenario that comes upon it is not played again."""


@dataclass
class Books:
    """Of one call; all of them wait a little for what is written after it was said."""

    line: Line
    call_id: UUID
    _notices: list[SentNotice] = field(default_factory=list)
    _codes_read: int = 0

    @classmethod
    async def of(cls, line: Line, caller: Caller) -> Books:
        """Of the call that the line makes known to its caller."""

        def known() -> UUID | None:
            return next(iter(calls_shown(caller)), None)

        return cls(line, await caller.until(known, "sees which call it is"))

    async def entry(self) -> Row:
        """The register's."""
        (row,) = await self.line.rows("SELECT * FROM calls WHERE call_id = %s", self.call_id)
        return row

    async def has(self, *, within: float = WRITTEN_WITHIN, **wanted: object) -> Row:
        """Wait until the register has this: `state="closed"`, `asks="callback.time"`."""

        row: Row = {}

        async def found() -> Row | None:
            row.update(await self.entry())
            return row if all(row[name] == value for name, value in wanted.items()) else None

        try:
            return await self.line.eventually(found, f"{wanted} in the register", within)
        except AssertionError as error:
            error.add_note(f"it has { {name: row[name] for name in wanted} }")
            raise

    async def process(self) -> int:
        """The pid of the worker's process that holds the call."""
        return int(str((await self.entry())["lease_owner"]).split(":")[1])

    async def asks(self, question: str | None) -> Row:
        return await self.has(asks=question)

    async def turns(self) -> int:
        return int(str((await self.entry())["turns"]))

    async def has_turned(self, since: int) -> None:
        """Wait for a turn after so many."""

        async def turned() -> bool:
            return await self.turns() > since

        await self.line.eventually(turned, f"more than {since} turns in the register")

    async def until_asked(
        self, caller: Caller, question: str, answers: Mapping[str, str]
    ) -> list[str]:
        """The caller answers whatever is asked, again and again, until the line asks this.

        Args:
            answers: to a question, such as "account.confirm", or to a part of it, such as
                "account.address.city"; to none, "". Words to say, or keys.

        Returns:
            What the line said meanwhile.
        """
        heard: list[str] = []
        for _ in range(SAID_AGAIN):
            asked = await self._asks_now()
            if question in asked:
                return heard
            answer = next((answers[one] for one in asked if one in answers), None)
            assert answer, f"{asked[0]} is asked on the way to {question}: no answer to that"
            await (caller.presses(answer) if KEYS.fullmatch(answer) else caller.says(answer))
            heard.append(await caller.hears_out())
        asked = await self._asks_now()
        assert question in asked, f"{asked[0]} is asked where {question} was to be: {heard}"
        return heard

    async def says_until(self, caller: Caller, words: str, **wanted: object) -> str:
        """Words that may be lost are said until the register has what comes of them; returns the last answer."""
        for left in reversed(range(TRIES)):
            await caller.says(words)
            heard = await caller.hears_out()
            try:
                await self.has(within=ANSWERED_WITHIN, **wanted)
            except AssertionError:
                if not left:
                    raise
            else:
                break
        return heard

    async def _asks_now(self) -> tuple[str, str]:
        """The part of the question that is open, and the question, when no turn is under way."""
        turns = await self.turns()
        await asyncio.sleep(SETTLED)
        while turns != (later := await self.turns()):
            turns = later
            await asyncio.sleep(SETTLED)
        asks = str((await self.entry())["asks"] or "")
        asked = (await self.case()).question
        return f"{asks}.{asked.slot if asked else None}", asks

    async def effects(self) -> list[str]:
        """What was done, each as often as it was done; codes sent left out."""
        rows = await self.line.rows(
            "SELECT effect FROM effects WHERE call_id = %s AND status = 'done'"
            " AND effect <> 'send_code' ORDER BY done_at",
            self.call_id,
        )
        return [str(row["effect"]) for row in rows]

    async def has_begun(self, number: int) -> None:
        """So many effects, done or not; codes sent left out.

        Raises:
            PromiseBroken: more.
        """
        rows = await self.line.rows(
            "SELECT 1 FROM effects WHERE call_id = %s AND effect <> 'send_code'", self.call_id
        )
        if len(rows) > number:
            raise PromiseBroken(f"{len(rows)} effects were begun where {number} may be")
        assert len(rows) == number

    async def notices(self) -> list[SentNotice]:
        """What the customer was sent so far: taken from the outbox, as a notifier does."""
        self._notices += await self.line.services.notices_of(self.call_id)
        return self._notices

    async def code(self) -> str:
        """Wait for a one-time code that was not read yet; the customer reads it."""

        async def unread() -> str | None:
            codes = [code for one in await self.notices() for code in CODE.findall(one.body)]
            return codes[-1] if len(codes) > self._codes_read else None

        code = await self.line.eventually(unread, "a one-time code")
        self._codes_read += 1
        return code

    async def case(self) -> Case:
        """As the newest checkpoint on record has it."""
        config = {"configurable": {"thread_id": str(self.call_id)}}
        snapshot = await self.line.services.graph.aget_state(config)
        case = snapshot.values["case"]
        assert isinstance(case, Case)
        return case

    async def words(self) -> list[str]:
        """What the caller said or typed, turn by turn; silence and keys left out."""
        return [turn.words for turn in (await self.case()).history if turn.words]

    async def is_one_chain(self) -> None:
        """Each checkpoint goes on from the one before it, and each turn is there once.

        Raises:
            AssertionError: speculation left a fork, or a turn was run twice.
        """
        rows = await self.line.rows(
            "SELECT checkpoint_id, parent_checkpoint_id FROM checkpoints"
            " WHERE thread_id = %s ORDER BY checkpoint_id",
            str(self.call_id),
        )
        ids = [row["checkpoint_id"] for row in rows]
        assert [row["parent_checkpoint_id"] for row in rows] == [None, *ids[:-1]]
        earliest = await self.turns()
        turns = [one.turn for one in (await self.case()).history]
        assert turns == list(range(turns[0], turns[0] + len(turns)))
        assert turns[0] == 1 or len(turns) == HISTORY_KEPT
        assert earliest <= turns[-1] <= await self.turns()
