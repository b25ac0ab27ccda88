"""What the database says of a call, read past everything under test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg.rows import dict_row

from conversation import Conversation
from tests.faults.server import Server


@dataclass(frozen=True)
class Rows:
    """One call's; one-time codes left out."""

    turns: int
    state: str
    effects: tuple[str, ...]
    notices: tuple[str, ...]


def rows_of(server: Server, name: str, call: Conversation) -> Rows:
    """The call's rows in the database of that name."""
    call_id = call.record.call_id
    (record,) = query(server, name, "SELECT turns, state FROM calls WHERE call_id = %s", call_id)
    effects = query(
        server,
        name,
        "SELECT effect FROM effects WHERE call_id = %s AND status = 'done' AND effect <> 'send_code'",
        call_id,
    )
    notices = query(
        server,
        name,
        "SELECT kind FROM company.notices WHERE call_id = %s AND kind <> 'code'",
        call_id,
    )
    return Rows(
        turns=record["turns"],
        state=record["state"],
        effects=tuple(row["effect"] for row in effects),
        notices=tuple(row["kind"] for row in notices),
    )


def phone_of(server: Server, name: str, customer_id: str) -> str:
    """The phone number on file."""
    (row,) = query(
        server, name, "SELECT phone FROM company.customers WHERE customer_id = %s", customer_id
    )
    return str(row["phone"])


def query(server: Server, name: str, words: LiteralString, *values: object) -> list[dict[str, Any]]:
    """Rows of that database, for its superuser."""
    with server.admin(name) as connection:
        return connection.cursor(row_factory=dict_row).execute(words, values).fetchall()
