"""Plays a conversation file against the real line, and compares the end state with what the file says."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from conversation import Conversation, Reply
from services import SentNotice, Services
from tests.company import Clock

CHECKS = ("asks", "flow", "language", "verified", "ended", "outcome", "node")
STEP_KEYS = {"say", "heard", "keys", "greet", "wait", "from", "did", "says", "never", *CHECKS}


class Played:
    """One file being played."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.notices: list[SentNotice] = []
        self.code = ""
        self.done: list[str] = []
        self.last_call: Conversation | None = None

    @property
    def clock(self) -> Clock:
        clock = self.services.clock
        assert isinstance(clock, Clock)
        return clock

    async def play(self, script: dict[str, Any]) -> None:
        if "now" in script:
            self.clock.now = datetime.fromisoformat(script["now"])
        await self.services.company.set_staff_available(bool(script.get("staff")))
        before = await self.snapshot()
        for steps in script["calls"]:
            await self._leg(script, steps)
        self.before = before

    async def _leg(self, script: dict[str, Any], steps: list[Any]) -> None:
        first = steps[0] if steps and isinstance(steps[0], dict) else {}
        number = first.get("from", script.get("from"))
        call = await self.services.answer(number, script.get("language"))
        self.last_call = call
        reply = await self._heard(call, await call.begin())
        for number, step in enumerate(steps, start=1):
            where = f"step {number}: {step!r}"
            if isinstance(step, dict):
                unknown = set(step) - STEP_KEYS
                assert not unknown, f"{where}: unknown keys {unknown}"
            reply = await self._step(call, step, reply)
            if isinstance(step, dict):
                check_reply(step, reply, where)
        await (call.hang_up() if call.over else call.drop())

    async def _step(self, call: Conversation, step: Any, reply: Reply) -> Reply:
        if step == "drop":
            await call.drop()
        elif step == "hangup":
            await call.hang_up()
        elif step == "silence":
            return await self._heard(call, await call.silence())
        elif "wait" in step:
            self.clock.move(step["wait"])
        elif "keys" in step:
            return await self._heard(
                call, await call.press(str(step["keys"]).replace("{code}", self.code))
            )
        elif "say" in step:
            words = str(step["say"]).replace("{code}", self.code)
            return await self._heard(call, await call.hear(words, step.get("heard")))
        return reply

    async def _heard(self, call: Conversation, reply: Reply) -> Reply:
        for notice in await self.services.sent_notices(call):
            self.notices.append(notice)
            code = re.search(r"\b(\d{6})\b", notice.body)
            self.code = code.group(1) if code else self.code
        self.done += reply.did
        return reply

    async def snapshot(self) -> dict[str, Any]:
        """What of the company's systems a call may change."""
        return await self.services.company.snapshot()

    async def check_end(self, ends: dict[str, Any]) -> None:
        """Whatever the file does not list must not have happened."""
        after = await self.snapshot()
        expected = {key: dict(row) for key, row in self.before["customers"].items()}
        for customer_id, changed in ends.get("customers", {}).items():
            expected[customer_id] |= changed
        assert after["customers"] == expected
        assert_rows(after["callbacks"], ends.get("callbacks", []), "callbacks")
        assert_rows(after["handovers"], ends.get("handovers", []), "handovers")
        assert self.done == ends.get("effects", [])
        assert self.last_call is not None
        record = await self.services.register.get(str(self.last_call.record.call_id))
        if "notices" in ends:
            assert [kind_of(notice) for notice in self.notices] == ends["notices"]
        for name in ("state", "outcome", "satisfaction", "language"):
            if name in ends:
                assert getattr(record, name) == ends[name], name
        if "topics" in ends:
            assert list(record.topics) == ends["topics"]


def check_reply(step: dict[str, Any], reply: Reply, where: str) -> None:
    """Every check the step names, with the whole reply in the message."""
    for name in CHECKS:
        if name in step:
            assert getattr(reply, name) == step[name], f"{where}: {name} in {reply}"
    if "did" in step:
        assert list(reply.did) == step["did"], f"{where}: {reply}"
    said = reply.say.lower()
    for words in step.get("says", []):
        assert str(words).lower() in said, f"{where}: {reply}"
    for words in step.get("never", []):
        assert str(words).lower() not in said, f"{where}: {reply}"


def assert_rows(rows: list[dict[str, Any]], expected: list[dict[str, Any]], name: str) -> None:
    """As many rows as expected, in order, each with at least the columns named."""
    assert len(rows) == len(expected), f"{name}: {rows}"
    for row, wanted in zip(rows, expected, strict=True):
        for column, value in wanted.items():
            assert comparable(row[column]) == comparable(value), f"{name}.{column}: {row}"


def comparable(value: Any) -> Any:
    """Times as instants, whatever their offset."""
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return datetime.fromisoformat(value)
    return value


def kind_of(notice: SentNotice) -> str:
    return notice.kind
