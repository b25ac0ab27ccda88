"""A scenario's database from outside: put back between runs, waited for, and read for evidence."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row

PATIENCE = 30.0  # seconds for backends of a dead process to notice
#: Every table a call writes to. What is in the others came with the template.
CHANGED: tuple[LiteralString, ...] = (
    "calls",
    "effects",
    "audit",
    "checkpoints",
    "checkpoint_blobs",
    "checkpoint_writes",
    "company.callbacks",
    "company.handovers",
    "company.notices",
    "company.identity_failures",
    "company.one_time_codes",
    "company.code_checks",
)
#: Tables a call changes rows of that came with the template.
EDITED: tuple[LiteralString, ...] = ("company.customers", "company.staff")
Dump = dict[str, list[str]]


@dataclass(frozen=True)
class Evidence:
    """What is on record, as rows."""

    calls: list[DictRow]
    effects: list[DictRow]
    audit: list[DictRow]
    checkpoints: list[DictRow]  #: oldest first, with their readable channels
    customers: dict[str, dict[str, str]]  #: only what differs from the template
    callbacks: list[DictRow]
    handovers: list[DictRow]
    notices: list[DictRow]


class Tables:
    """One scenario's database."""

    def __init__(self, connection: psycopg.Connection[DictRow]) -> None:
        self._connection = connection
        for table in EDITED:
            self._do("CREATE TABLE {} AS SELECT * FROM {}", _kept(table), _named(table))

    def reset(self, *, staff: bool) -> None:
        """As it was before the first call."""
        self.quiet()
        with self._connection.transaction():
            self._connection.execute("SET LOCAL session_replication_role = replica")
            for table in CHANGED:
                self._do("DELETE FROM {}", _named(table))
            for table in EDITED:
                self._do("DELETE FROM {}", _named(table))
                self._do("INSERT INTO {} SELECT * FROM {}", _named(table), _kept(table))
            self._connection.execute(
                "INSERT INTO company.staff (name, languages, available) VALUES ('desk', '{en,es,fr}', %s)",
                (staff,),
            )

    def quiet(self) -> None:
        """Wait until the database has noticed that everybody else is gone."""
        self._until("SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE {mine}) AS yes")

    def settled(self) -> None:
        """Nobody works any more: a frozen process's open transaction is ended, as the server does by itself.

        (idle_in_transaction_session_timeout: five seconds that nobody needs to wait for here. In the middle of a
        pipeline it does not count, so such a transaction stays open.)
        """
        self._until(
            "SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity "
            "WHERE {mine} AND state = 'active' AND wait_event IS DISTINCT FROM 'ClientRead') AS yes"
        )
        self._rows(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE {mine} AND state LIKE 'idle in transaction%'"
        )

    def _until(self, question: LiteralString) -> None:
        until = time.monotonic() + PATIENCE
        while not self._rows(question)[0]["yes"]:
            assert time.monotonic() < until, self._rows(
                "SELECT state, wait_event, query FROM pg_stat_activity WHERE {mine}"
            )
            time.sleep(0.001)

    def dump(self) -> Dump:
        """Every row of every table a call may write to."""
        return {
            table: [
                str(row["row"])
                for row in self._connection.execute(
                    sql.SQL("SELECT t::text AS row FROM {} t ORDER BY 1").format(_named(table))
                )
            ]
            for table in (*CHANGED, *EDITED)
        }

    def evidence(self) -> Evidence:
        return Evidence(
            calls=self._rows("SELECT * FROM calls ORDER BY started_at, call_id"),
            effects=self._rows("SELECT * FROM effects ORDER BY begun_at"),
            audit=self._rows("SELECT * FROM audit ORDER BY number"),
            checkpoints=self._rows(
                "SELECT thread_id, checkpoint_id, parent_checkpoint_id AS parent, "
                "checkpoint -> 'channel_values' AS values FROM checkpoints ORDER BY checkpoint_id"
            ),
            customers=self._changed_customers(),
            callbacks=self._rows("SELECT * FROM company.callbacks ORDER BY starts_at"),
            handovers=self._rows("SELECT * FROM company.handovers ORDER BY number"),
            notices=self._rows("SELECT * FROM company.notices ORDER BY number"),
        )

    def _changed_customers(self) -> dict[str, dict[str, str]]:
        before, now = (
            {row["customer_id"]: row for row in self._rows(query)}
            for query in (
                "SELECT * FROM kept_company_customers",
                "SELECT * FROM company.customers",
            )
        )
        assert before.keys() == now.keys()
        changed = {
            key: {name: value for name, value in row.items() if value != before[key][name]}
            for key, row in now.items()
        }
        return {key: columns for key, columns in changed.items() if columns}

    def _rows(self, query: LiteralString) -> list[DictRow]:
        mine = (
            "datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
        return self._connection.execute(query.replace("{mine}", mine)).fetchall()

    def _do(self, query: LiteralString, *names: sql.Identifier) -> None:
        self._connection.execute(sql.SQL(query).format(*names))


def _named(table: LiteralString) -> sql.Identifier:
    return sql.Identifier(*table.split("."))


def _kept(table: LiteralString) -> sql.Identifier:
    return sql.Identifier("kept_" + table.replace(".", "_"))


@contextmanager
def scenario_database(server: str, template: str) -> Iterator[tuple[str, Tables]]:
    """A database of a scenario's own, copied from a template; dropped at the end."""
    name = f"crash_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        dsn = make_conninfo(server, dbname=name)
        own: Any = psycopg.connect(dsn, autocommit=True, row_factory=dict_row)
        try:
            with own:
                yield dsn, Tables(own)
        finally:
            own.close()
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )
