"""What holds for every call of a line, whatever became of the scenario it was played for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

from tests.acceptance.books import Books, PromiseBroken
from tests.acceptance.line import Line

NUMBER = re.compile(r"\+\d{9,15}\b")  #: a phone number, as the phone network gives it
TELLING = 12  #: characters from which on a sentence is more than a common word


async def audit(line: Line) -> None:
    """Nothing was done twice, no memory forked, and nothing a caller said or is stands in the worker's log.

    Raises:
        PromiseBroken: all that is wrong, a line each.
    """
    wrong = [*await _done_twice(line), *await _forked(line), *await _in_clear(line)]
    if wrong:
        raise PromiseBroken("\n".join(wrong))


async def _done_twice(line: Line) -> Iterable[str]:
    """By the log of effects, and by the company's own tables."""
    effects = await line.rows(
        "SELECT call_id, effect FROM effects WHERE effect <> 'send_code'"
        " GROUP BY call_id, effect HAVING count(*) > 1"
    )
    booked = await line.rows(
        "SELECT call_id, 'callback' AS effect FROM company.callbacks"
        " GROUP BY call_id HAVING count(*) > 1"
    )
    return [f"{row['effect']} twice in call {row['call_id']}" for row in (*effects, *booked)]


async def _forked(line: Line) -> Iterable[str]:
    wrong = []
    for row in await line.rows("SELECT DISTINCT thread_id FROM checkpoints"):
        try:
            await Books(line, UUID(str(row["thread_id"]))).is_one_chain()
        except AssertionError as error:
            wrong.append(f"the memory of call {row['thread_id']}: {error}")
    return wrong


async def _in_clear(line: Line) -> Iterable[str]:
    log = line.worker.log
    rows = await line.rows("SELECT full_name, email, line1 FROM company.customers")
    private = {str(value) for row in rows for value in row.values()}
    said = {text for text in line.vendors.sentences if len(text) > TELLING}
    found = {*NUMBER.findall(log), *(text for text in private | said if text in log)}
    return [f"in the worker's log: {text}" for text in sorted(found)]
