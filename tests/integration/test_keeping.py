"""Keeping and forgetting: a customer erased is nowhere any more, old calls go, a new key opens everything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from checkpoints.cipher import load_cipher
from checkpoints.database import Database
from checkpoints.errors import LeaseLost, WrongKey
from conversation import Conversation
from keeping import erase_customer, prune, rotate_key
from services import Services, open_services
from tests.company import KEY, Clock, company_services, settings_for
from tests.integration.dumps import rows_of
from tools.errors import NotFound

OMAR = "+15035550188"
HIS = (
    "Omar Ruiz", "omar.ruiz@example.org", OMAR, "5035550188", "3 Pine Street", "97301", "HF-20001", "HF20001",
    "1Z9992001", "Walnut desk", "C-101", "pine street", "nine seven three oh one", "50 Main Street",
    "fifty main street", "a broken desk", "503, 5 5 5", "5 0 3, 5 5 5, 0 1 8 8",
)  # fmt: skip


async def omars_calls(services: Services) -> Conversation:
    """He changes his address, books a callback, asks for a person, and is cut off in the middle of a fourth call."""
    for words in (
        ("i need to change my address", "97301", "{code}", "fifty main street", "portland", "97205", "yes"),
        ("call me back please", "about a broken desk", "yes", "tomorrow at ten", "yes"),
        ("can i talk to a real person", "yes", "a broken desk", "yes", "tomorrow at eleven", "yes"),
        ("where is my order",),
    ):  # fmt: skip
        call = await services.answer(OMAR, "en")
        await call.begin()
        code = ""
        for line in words:
            for notice in await services.sent_notices(call):
                code = "".join(re.findall(r"\b\d{6}\b", notice.body)) or code
            await call.hear(line.replace("{code}", code))
        if call.over:
            continue
        if words[0].startswith("where"):
            return call
        await call.hear("no that is all")
        await call.hear("five")
        await call.hang_up()
    raise AssertionError


def texts_of(rows: dict[str, list[Any]], services: Services) -> Iterator[tuple[str, str]]:
    """Every value of every column as text, and what is sealed also opened."""
    for table, found in rows.items():
        for row in found:
            for column, value in row.items():
                yield f"{table}.{column}", str(value)
                if isinstance(value, bytes | memoryview):
                    yield f"{table}.{column} opened", _opened(services, row, bytes(value))


def _opened(services: Services, row: dict[str, Any], value: bytes) -> str:
    _, plus, name = str(row.get("type", "")).partition("+")
    try:
        plain = services.cipher.decrypt(name, value) if plus else services.cipher.open(value)
    except WrongKey:
        return ""
    return plain.decode("utf-8", "replace")


def found_in(rows: dict[str, list[Any]], services: Services) -> set[tuple[str, str]]:
    places = set()
    for place, text in texts_of(rows, services):
        places |= {(place, one) for one in HIS if one.lower() in text.lower()}
    return places


# Erasure ---------------------------------------------------------------------------------------------------------


async def test_erased_customer_is_found_nowhere_not_even_decrypted(
    services: Services, clock: Clock
) -> None:
    call = await omars_calls(services)
    await call.drop()
    before = await rows_of(services.database)
    assert len({table.split(".")[1] for table, _ in found_in(before, services)}) >= 6
    counts = await erase_customer(services, "C-101")
    assert counts["customers"] == 1
    assert counts["orders"] == 1
    assert counts["calls"] == 4
    after = await rows_of(services.database)
    assert found_in(after, services) == set()


async def test_erasure_touches_nobody_else(services: Services) -> None:
    other = await services.answer("+15035550127", "en")
    await other.begin()
    await other.hear("where is my order")
    await other.drop()
    await (await omars_calls(services)).drop()
    before = await rows_of(services.database)
    await erase_customer(services, "C-101")
    after = await rows_of(services.database)
    mine = str(other.record.call_id)
    for table in ("checkpoints", "checkpoint_blobs"):
        kept = [row for row in before[f"public.{table}"] if row["thread_id"] == mine]
        assert kept
        assert [row for row in after[f"public.{table}"] if row["thread_id"] == mine] == kept
    others = [row for row in before["company.customers"] if row["customer_id"] != "C-101"]
    assert after["company.customers"] == others


async def test_erasure_takes_a_live_call_from_its_worker(services: Services) -> None:
    call = await omars_calls(services)
    await erase_customer(services, "C-101")
    with pytest.raises(LeaseLost):
        await heard_and_written(call, "hello")
    assert found_in(await rows_of(services.database), services) == set()


async def heard_and_written(call: Conversation, words: str) -> None:
    await call.hear(words)
    await call.memory.durable(30)


async def test_erasing_somebody_unknown_is_refused(services: Services) -> None:
    with pytest.raises(NotFound, match="C-999"):
        await erase_customer(services, "C-999")


async def test_erasure_and_pruning_are_audited_and_the_audit_cannot_be_changed(
    services: Services, clock: Clock
) -> None:
    await (await omars_calls(services)).drop()
    await erase_customer(services, "C-101")
    await prune(services, timedelta(days=30))
    async with services.database.connection() as connection:
        cursor = await connection.execute(
            "SELECT * FROM audit WHERE call_id IS NULL ORDER BY number"
        )
        rows = await cursor.fetchall()
        assert [row["action"] for row in rows] == ["erase_customer", "prune"]
        assert rows[0]["subject"] == services.cipher.keyed_hash("C-101")
        assert rows[0]["counts"]["customers"] == 1
        for statement in ("DELETE FROM audit", "UPDATE audit SET action = ''", "TRUNCATE audit"):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                await connection.execute(statement.encode())


async def test_every_effect_has_its_line_in_the_audit(services: Services) -> None:
    await (await omars_calls(services)).drop()
    rows = await rows_of(services.database)
    performed = {row["key"] for row in rows["public.effects"]}
    audited = [row["effect_key"] for row in rows["public.audit"]]
    assert len(audited) == len(set(audited))
    assert set(audited) == performed


# Age -------------------------------------------------------------------------------------------------------------


async def test_prune_deletes_old_calls_and_keeps_young_and_live_ones(
    services: Services, clock: Clock
) -> None:
    old = await services.answer("+15035550127", "en")
    await old.begin()
    await old.hear("where is my order")
    await old.drop()
    clock.move("2h")
    live = await services.answer(OMAR, "en")
    await live.begin()
    clock.move("2h")
    young = await services.answer("+15035550199", "en")
    await young.begin()
    await young.drop()
    counts = await prune(services, timedelta(hours=1))
    assert counts["calls"] == 1
    rows = await rows_of(services.database)
    left = {row["thread_id"] for row in rows["public.checkpoints"]}
    assert left == {str(live.record.call_id), str(young.record.call_id)}
    assert (await live.hear("hello")).turn == 2


# Keys ------------------------------------------------------------------------------------------------------------


async def test_after_rotation_the_new_key_alone_opens_every_call(
    database_copy: str, model_home: Path, clock: Clock
) -> None:
    async with company_services(database_copy, model_home, clock) as services:
        call = await omars_calls(services)
        await call.drop()
    settings = settings_for(database_copy, model_home)
    both = settings.model_copy(
        update={"encryption_key": SecretStr(f"another key for tests only,{KEY}")}
    )
    async with open_services(both, clock=clock, demo=False) as services:
        key_id, counts = await rotate_key(services)
        assert counts["checkpoint_blobs"] > 10
        assert counts["effects"] > 2
        assert (await rotate_key(services))[1]["checkpoint_blobs"] == 0
        rows = await rows_of(services.database)
        assert all(row["type"].endswith(key_id) for row in rows["public.checkpoint_blobs"])
    new = settings.model_copy(update={"encryption_key": SecretStr("another key for tests only")})
    async with open_services(new, clock=clock, demo=False) as services:
        again = await services.answer(OMAR, "en")
        assert again.record.call_id == call.record.call_id
        assert (await again.begin()).asks == "resume.continue"
        await again.drop()
    with pytest.raises(WrongKey):
        async with open_services(settings, clock=clock, demo=False):
            pass


async def test_call_in_progress_goes_on_while_the_key_file_is_rotated(
    database_copy: str, tmp_path: Path, clock: Clock
) -> None:
    async with Database(database_copy) as database, database.connection() as connection:
        await connection.execute("DELETE FROM key_check")
    settings = settings_for(database_copy, tmp_path).model_copy(update={"encryption_key": None})
    async with (
        open_services(settings, clock=clock, demo=False) as worker,
        open_services(settings, clock=clock, demo=False) as other,
    ):
        call = await worker.answer(OMAR, "en")
        await call.begin()
        await call.hear("where is my order")
        await rotate_key(other)
        assert (await call.hear("what are your opening hours")).turn == 3
        await call.drop()
        key_id, counts = await rotate_key(other)
        assert counts["checkpoint_blobs"] > 3
        again = await worker.answer(OMAR, "en")
        assert (await again.begin()).asks == "resume.continue"
        assert worker.cipher.key_ids[0] == key_id
        await again.drop()
    assert load_cipher(tmp_path, None).key_ids[0] == key_id
