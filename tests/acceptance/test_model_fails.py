"""The language model fails in the middle of a call and comes back: the caller is asked again, and then understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.books import Books
from tests.acceptance.line import OpenLine
from tests.acceptance.models import loopback_models

LOST = "my thingy is god knows where"
GUBBINS = "i dunno ring the old gal one of these days"

pytestmark = pytest.mark.slow


async def test_caller_is_asked_again_while_the_model_stalls_and_understood_when_it_is_back(
    open_own_line: OpenLine, tmp_path: Path
) -> None:
    async with (
        loopback_models(tmp_path) as models,
        open_own_line(HOLDFAST_LIMITS__MODEL_SECONDS="3", **models.environment) as line,
        line.caller("+15035550108") as caller,
    ):
        await models.learns(LOST, {"command": "order_status"})
        await models.learns(GUBBINS, {"command": "callback", "action": "book"})
        await caller.hears_out()
        books = await Books.of(line, caller)
        await caller.types(LOST)  # the model knows the whole sentence only
        await caller.hears_out()
        await books.has(asks="identity.account", open_flow="order_status")

        await models.fails("stall")
        await caller.types(GUBBINS)
        await caller.hears_out()
        await line.worker.says(rf'"{books.call_id}"[^\n]*"TimeoutError"')
        await books.has(asks="identity.account", open_flow="order_status")

        await models.recovers()
        await caller.types(GUBBINS)
        await caller.hears_out()
        await books.has(asks="callback.topic", open_flow="callback")

        assert (await models.asked())[-2:] == [GUBBINS, GUBBINS]
        log = line.worker.log
        assert '"provider.failed_over"' in log
        assert '"understanding"' in log
        assert "thingy" not in log
        assert "old gal" not in log
