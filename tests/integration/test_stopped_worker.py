"""What a worker that is stopped in the middle of something leaves to others, and what it may still do when it wakes."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import Any, NoReturn

import psycopg
import pytest

from checkpoints.errors import LeaseLost, StorageDown
from conversation import Conversation
from deadline import bounded
from services import Services
from tools.effects import EffectKey
from tools.notices import CodeSent

ANN, POSTAL_CODE = "+15035550199", "97401"


async def at_the_code(services: Services) -> tuple[Conversation, str]:
    """A call that waits for a one-time code, and the code."""
    call = await services.answer(ANN, None)
    await call.begin()
    await call.hear("i need to change the phone number on my account")
    assert (await call.hear(POSTAL_CODE)).asks == "identity.code"
    (notice,) = await services.sent_notices(call)
    found = re.search(r"\b\d{6}\b", notice.body)
    assert found is not None
    return call, found.group()


async def counted(services: Services, table: str) -> int:
    async with services.database.connection() as connection:
        cursor = await connection.execute(f"SELECT count(*) AS rows FROM {table}".encode())
        row = await cursor.fetchone()
    assert row is not None
    return int(row["rows"])


@pytest.mark.parametrize("right", [True, False])
async def test_worker_that_lost_the_call_neither_judges_a_code_nor_counts_a_failure(
    services: Services, right: bool
) -> None:
    call, code = await at_the_code(services)
    await services.register.take_over(call.record.call_id)
    with suppress(LeaseLost):
        await call.hear(code if right else "000000")
    await call.memory.close(5)
    assert call.memory.lost
    assert await counted(services, "company.code_checks") == 0
    assert await counted(services, "company.identity_failures") == 0


async def test_turn_is_written_without_a_pipeline_that_would_keep_its_locks(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: object) -> NoReturn:
        raise AssertionError

    monkeypatch.setattr(psycopg.AsyncConnection, "pipeline", refused)
    call, _ = await at_the_code(services)
    await call.memory.durable(5)
    assert await counted(services, "checkpoints") == 3


async def test_write_whose_answer_was_lost_is_asked_for_again_and_done_once(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, lost = services.effect_log.run_once, [True]

    async def answer_lost(*given: Any) -> Any:
        answer = await real(*given)
        if lost.pop():
            lost.append(False)
            raise StorageDown
        lost.append(False)
        return answer

    monkeypatch.setattr(services.effect_log, "run_once", answer_lost)
    await at_the_code(services)
    assert await counted(services, "effects") == 1
    assert await counted(services, "company.notices") == 1


async def test_write_that_is_given_up_in_the_middle_is_not_tried_again(services: Services) -> None:
    """Its step that waits for the database runs in a task of its own, and closes the connection under it."""
    call, _ = await at_the_code(services)
    tries: list[str] = []

    async def slow() -> CodeSent:
        tries.append("one")
        async with services.database.connection() as connection:
            await connection.execute("SELECT pg_sleep(4)")
        raise AssertionError

    async def perform() -> CodeSent:
        return await bounded(slow(), 5)

    key = EffectKey(call_id=call.record.call_id, turn=9, effect="send_code")
    writing = asyncio.create_task(
        call.context.desk.effects.run_once(key, call.record, perform, CodeSent)
    )
    await asyncio.wait({writing}, timeout=0.3)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert tries == ["one"]


async def test_caller_who_cuts_in_on_a_write_is_told_that_it_is_done(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn was confirmed and cancelled when its effect was committed: the next words find it done."""
    call, code = await at_the_code(services)
    await call.hear(code)
    assert (await call.hear("five oh three five five five oh one four four")).asks == (
        "account.confirm"
    )
    real = services.effect_log.run_once
    turn = call.start(call.spoken("yes that's right"))

    async def cut_off(*given: Any) -> Any:
        answer = await real(*given)
        await turn.discard()
        return answer

    monkeypatch.setattr(services.effect_log, "run_once", cut_off)
    turn.confirm()
    async for _ in turn.words():
        raise AssertionError
    monkeypatch.undo()
    reply = await call.hear("no wait")
    assert "did go through" in reply.say
    assert (reply.asks, reply.flow) == ("closing.more", None)
    assert await services.done_in(call.record.call_id) == ("update_phone",)
