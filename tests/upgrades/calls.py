"""Calls cut off at every kind of question, and their rows as a file: what a release leaves behind for the next one.

python -m tests.upgrades.calls        writes the folder of the present STATE_VERSION; commit it with the release
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from checkpoints.database import Database
from checkpoints.embedded import embedded_server
from graph.state import CallerTurn, Case, Lang, Said
from graph.upgrades import STATE_VERSION
from services import Services
from tests.company import company_services, fill_template

FOLDER = Path(__file__).parent
TABLES = ("calls", "effects", "key_check", "checkpoints", "checkpoint_blobs", "checkpoint_writes")
Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Cut:
    """A call up to the question it is cut off at, from a number of its own."""

    number: str
    language: Lang
    says: tuple[str, ...]


CUTS = (
    Cut("+15035550127", "en", ("i moved and need to change my address", "97205", "{code}", "fifty main street")),
    Cut("+15035550188", "en", ("i need to change my address", "97301", "{code}", "50 main street portland 97205")),
    Cut("+15035550199", "en", ("i have a new phone number", "97401")),
    Cut("+34600000012", "es", ("dónde está mi pedido", "veintiocho cero trece")),
    Cut("+34910000045", "es", ("quiero que me llamen", "una mesa rota", "sí")),
    Cut("+33639981204", "fr", ("rappelez-moi s'il vous plaît", "une facture", "oui", "demain à dix heures")),
    Cut("+33199001234", "fr", ("je voudrais parler à quelqu'un",)),
)  # fmt: skip


async def cut_off(services: Services, cut: Cut) -> dict[str, Any]:
    """Play it, drop it, and say where it stood."""
    call = await services.answer(cut.number, cut.language)
    reply, code = await call.begin(), ""
    for line in cut.says:
        for notice in await services.sent_notices(call):
            code = "".join(re.findall(r"\b\d{6}\b", notice.body)) or code
        reply = await call.hear(line.replace("{code}", code))
    await call.drop()
    return {
        "number": cut.number,
        "call": str(call.record.call_id),
        "language": reply.language,
        "asks": reply.asks,
        "flow": reply.flow,
        "given": given_in(await stored_case(services, str(call.record.call_id))),
    }


async def stored_case(services: Services, call_id: str) -> Case:
    snapshot = await services.graph.aget_state({"configurable": {"thread_id": call_id}})
    case = snapshot.values["case"]
    assert isinstance(case, Case)
    return case


def given_in(case: Case) -> list[dict[str, Any]]:
    """What the caller has given to the open flows: plain values, whatever the classes are called."""
    return [flow.model_dump(mode="json", exclude_defaults=True) for flow in case.stack]


# Rows as a file ----------------------------------------------------------------------------------------------


async def rows_as_json(database: Database) -> Rows:
    async with database.connection() as connection:
        found: Rows = {}
        for table in TABLES:
            cursor = await connection.execute(
                sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))
            )
            found[table] = [
                {key: _written(value) for key, value in row.items()}
                for row in await cursor.fetchall()
            ]
    return found


async def load_rows(database: Database, rows: Rows) -> None:
    """Into tables this release has migrated: a column that is new since takes its default."""
    async with database.transaction() as connection:
        for table in TABLES:
            await connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            for row in rows[table]:
                query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    sql.Identifier(table),
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join(sql.Placeholder() * len(row)),
                )
                await connection.execute(query, [_read(value) for value in row.values()])


def _written(value: object) -> object:
    if isinstance(value, bytes | memoryview):
        return {"bytes": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, dict):
        return {"json": value}
    return value if value is None or isinstance(value, bool | int | list) else str(value)


def _read(value: object) -> object:
    if isinstance(value, dict):
        kept = cast("dict[str, Any]", value)
        return base64.b64decode(kept["bytes"]) if "bytes" in kept else Jsonb(kept["json"])
    return value


# The shape of the state --------------------------------------------------------------------------------------


def fields_of_state() -> list[str]:
    """Every field a checkpoint may hold, as `Model.field`, through all the models inside."""
    found: dict[str, type[BaseModel]] = {}
    waiting: list[type[BaseModel]] = [CallerTurn, Case, Said]
    while waiting:
        model = waiting.pop()
        if model.__name__ not in found:
            found[model.__name__] = model
            for field in model.model_fields.values():
                waiting += _models_in(field.annotation)
    return sorted(
        f"{name}.{field}" for name, model in found.items() for field in model.model_fields
    )


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


# Recording ---------------------------------------------------------------------------------------------------


async def _record(dsn: str, home: Path) -> None:
    await fill_template(dsn, home)
    async with company_services(dsn, home) as services:
        cuts = [await cut_off(services, cut) for cut in CUTS]
        rows = await rows_as_json(services.database)
    folder = FOLDER / f"v{STATE_VERSION}"
    folder.mkdir(exist_ok=True)
    _write(folder / "calls.json", cuts)
    _write(folder / "rows.json", rows)
    _write(folder / "fields.json", fields_of_state())


def _write(file: Path, data: object) -> None:
    file.write_text(json.dumps(data, indent=1, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, embedded_server(Path(folder)) as dsn:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("CREATE DATABASE golden")
        asyncio.run(_record(make_conninfo(dsn, dbname="golden"), Path(folder)))


if __name__ == "__main__":
    main()
