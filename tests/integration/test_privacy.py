"""Personal data stays where it belongs: a whole call is played, and then every column of every table is searched.

The names, numbers and words in it are canaries: unlike anything else in the database.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from psycopg import sql
from pydantic import SecretStr

from checkpoints.calls import CallRecord
from checkpoints.database import Database
from checkpoints.errors import StorageError
from conversation import Conversation, Reply
from logs import configure_logs
from services import Services, open_services
from settings import Settings
from tests.company import KEY, Clock
from tools.accounts import update_address
from tools.errors import BackendDown
from tools.postgres import ImportFailed
from tools.records import Address, Level

CUSTOMERS = (
    "customer_id,full_name,email,phone,language,line1,line2,city,region,postal_code,country\n"
    "C-900,Zebulon Quimble,zeb.quimble@example.org,+15035550142,en,7 Xylophone Lane,Unit 88,Wallaroo,OR,97439,US\n"
)
ORDERS = (
    "order_id,customer_id,status,placed_at,total,currency,items,carrier,tracking_number,shipped_at,delivered_at,"
    "estimated_delivery\n"
    "HF-77031,C-900,shipped,2026-11-19T15:00:00Z,129.00,USD,1 x Zirconium teapot,UPS,1Z770319,"
    "2026-11-20T12:00:00Z,,2026-11-25\n"
)
#: What is on file or said, in the forms it is written in. The one-time codes and the replies come on top.
CANARIES = (
    "Zebulon", "Quimble", "zeb.quimble", "5035550142", "Xylophone", "Unit 88", "Wallaroo", "97439",  # on file
    "77031", "1Z770319", "Zirconium",  # the order
    "50 Quokka", "Quokka", "Bandicoot", "97301", "5035550177", "marzipan", "pumpernickel",  # said
)  # fmt: skip
SHORT = 8  # digits
#: The only places, each with its reason.
ALLOWED = {
    "company.customers": "the company's own record of its customer; the call changes it",
    "company.orders": "the company's own record of the order",
    "company.callbacks": "whoever rings back needs the number and the topic",
    "company.handovers": "whoever takes the call over needs what was asked and the last thing said",
}


@dataclass(frozen=True)
class PlayedCall:
    """What a whole call left, and what must be nowhere else."""

    services: Services
    record: CallRecord
    said: tuple[str, ...]  #: by the line
    codes: tuple[str, ...]
    did: tuple[str, ...]
    logged: str

    @property
    def canaries(self) -> tuple[str, ...]:
        return (*CANARIES, *self.codes, *(line for line in self.said if len(line) > 12))


@pytest.fixture
async def played(
    database_dsn: str, model_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[PlayedCall]:
    """Everything a call can do, in two legs, at log level debug."""
    (tmp_path / "customers.csv").write_text(CUSTOMERS)
    (tmp_path / "orders.csv").write_text(ORDERS)
    settings = Settings(
        home=model_home,
        database_url=SecretStr(database_dsn),
        encryption_key=SecretStr(KEY),
        log_level="debug",
    )
    with root_logger_kept():
        async with open_services(settings, clock=Clock(), demo=False) as services:
            await services.import_company(tmp_path / "customers.csv", tmp_path / "orders.csv")
            line = Line(services)
            await line.ring()
            await line.say("hello, pumpernickel speaking, where is my order")
            await line.say("97439")
            await line.say("i need to change my address")
            await line.say("{code}")
            await line.say("fifty quokka street bandicoot court")
            await line.call.drop()
            await line.ring()
            await line.say("yes please")
            await line.say("97439")
            await line.say("{code}")
            await line.say("salem")
            await line.say("97301")
            await line.say("yes")
            await line.say("i want to change my phone number")
            await line.say("five oh three five five five oh one seven seven")
            await line.say("yes")
            await line.say("what are your opening hours")
            await line.say("please call me back")
            await line.say("the marzipan delivery")
            await line.say("yes")
            await line.say("tomorrow at ten")
            await line.say("yes")
            await services.company.set_staff_available(True)
            await line.say("i want to speak to a person")
            yield PlayedCall(
                services=services,
                record=await services.register.get(str(line.call.record.call_id)),
                said=tuple(line.said),
                codes=tuple(line.codes),
                did=tuple(line.did),
                logged=capsys.readouterr().err,
            )


class Line:
    """A caller on the real line."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.call: Conversation
        self.said: list[str] = []
        self.codes: list[str] = []
        self.did: list[str] = []

    async def ring(self) -> None:
        self.call = await self.services.answer("+15035550142", None)
        await self._heard(await self.call.begin())

    async def say(self, words: str) -> None:
        code = self.codes[-1] if self.codes else ""
        await self._heard(await self.call.hear(words.format(code=code)))

    async def _heard(self, reply: Reply) -> None:
        self.said.append(reply.say)
        self.did += reply.did
        for notice in await self.services.sent_notices(self.call):
            self.codes += re.findall(r"\b\d{6}\b", notice.body)


async def test_nothing_personal_is_readable_outside_the_companys_own_records(
    played: PlayedCall,
) -> None:
    assert played.did == ("update_address", "update_phone", "book_callback", "hand_over")
    assert len(played.codes) == 2

    found = await found_in(played.services.database, played.canaries)

    assert {table: hits for table, hits in found.items() if table not in ALLOWED} == {}
    assert set(found) == set(ALLOWED), "a place that holds nothing personal needs no permission"


async def test_checkpoints_hold_the_call_and_only_the_key_opens_them(played: PlayedCall) -> None:
    """Without this, the search above would also pass on checkpoints that hold nothing."""
    opened = ""
    async with played.services.database.connection() as connection:
        cursor = await connection.execute(
            "SELECT type, blob FROM checkpoint_blobs WHERE thread_id = %s",
            (str(played.record.call_id),),
        )
        for row in await cursor.fetchall():
            _, _, ciphername = row["type"].partition("+")
            if ciphername:
                plain = played.services.cipher.decrypt(ciphername, bytes(row["blob"]))
                opened += plain.decode("utf-8", "ignore")
    for canary in ("pumpernickel", "quokka", "97439", "teapot"):
        assert canary in opened.lower()


async def test_one_time_codes_are_hashed_and_sent_notices_wiped(played: PlayedCall) -> None:
    async with played.services.database.connection() as connection:
        cursor = await connection.execute("SELECT code_id, code_hash FROM company.one_time_codes")
        codes = await cursor.fetchall()
        cursor = await connection.execute("SELECT sealed, sent_at FROM company.notices")
        notices = await cursor.fetchall()

    assert len(codes) == len(played.codes)
    assert all(re.fullmatch(r"[0-9a-f]{64}", row["code_hash"]) for row in codes)
    hashes = {
        played.services.cipher.keyed_hash(f"{row['code_id']}:{code}")
        for row in codes
        for code in played.codes
    }
    assert {row["code_hash"] for row in codes} <= hashes
    assert len(notices) == 4
    assert all(row["sealed"] is None and row["sent_at"] is not None for row in notices)


async def test_unsent_notices_are_sealed(played: PlayedCall) -> None:
    notices = played.services.company.notices
    call_id = uuid4()
    customer = await played.services.company.customers.get("C-900")
    await update_address(
        played.services.company.customers,
        notices.of_call(call_id),
        customer_id="C-900",
        level=Level.CODE,
        address=customer.address,
        company="Pumpernickel",
    )

    hits = await found_in(played.services.database, (*CANARIES, "address on your account"))

    assert "company.notices" not in hits
    (waiting,) = await notices.take(call_id)
    assert "Pumpernickel" in waiting.notice.body


async def test_caller_is_known_by_a_keyed_hash(played: PlayedCall) -> None:
    assert played.record.caller_hash == played.services.cipher.keyed_hash("+15035550142")
    assert re.fullmatch(r"[0-9a-f]{64}", played.record.caller_hash)


async def test_logs_of_a_call_carry_nothing_personal(played: PlayedCall) -> None:
    lines = [json.loads(line) for line in played.logged.splitlines()]
    events = {line["event"] for line in lines}
    assert {"turn.answered", "effect.committed", "call.dropped"} <= events

    assert hits_in(played.logged, played.canaries) == set()


async def test_libraries_and_exceptions_are_logged_without_their_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with root_logger_kept():
        configure_logs("debug")
        log = structlog.get_logger("test")
        try:
            int("Quokka in the exception")
        except ValueError:
            log.exception("thing.failed", call_id="c", address="50 Quokka Street")
            logging.getLogger("some.library").exception("about Quokka: %s", "Quokka")
        logging.getLogger("some.library").debug("Quokka", stack_info=True)
        lines = capsys.readouterr().err.splitlines()

    assert not [line for line in lines if "quokka" in line.lower()]
    records = [json.loads(line) for line in lines]
    assert records[0]["event"] == "thing.failed"
    assert records[0]["error_type"] == "ValueError"
    assert records[0]["call_id"] == "c"
    assert [record["logger"] for record in records[1:]] == ["some.library", "some.library"]


async def test_exceptions_carry_nothing_personal(
    services: Services, tmp_path: Path, model_home: Path
) -> None:
    """The database quotes the row it refuses; nobody passes that on."""
    async with services.database.connection() as connection:
        await connection.execute(
            "CREATE FUNCTION quote() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'refused: %', NEW::text; END $$"
        )
        for table in ("company.customers", "checkpoint_blobs", "calls"):
            trigger = (
                f"quote BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION quote()"
            )
            await connection.execute(f"CREATE TRIGGER {trigger}".encode())
    (tmp_path / "good.csv").write_text(CUSTOMERS)
    (tmp_path / "bad.csv").write_text(CUSTOMERS.replace("+15035550142", "5550142 Quokka"))
    address = Address(
        line1="50 Quokka Street", city="Salem", region="OR", postal_code="97301", country="US"
    )
    texts = [
        await text_of(BackendDown, services.company.customers.update_address("C-100", address)),
        await text_of(
            BackendDown, services.company.customers.update_phone("C-100", "+15035550142")
        ),
        await text_of(BackendDown, services.import_company(tmp_path / "good.csv", None)),
        await text_of(ImportFailed, services.import_company(tmp_path / "bad.csv", None)),
        await text_of(StorageError, services.register.begin("Quokka", "en")),
    ]
    assert all(len(text) > 20 for text in texts)
    assert hits_in("\n".join(texts), CANARIES) == set()


async def text_of(kind: type[Exception], work: Awaitable[object]) -> str:
    """The exception as a traceback would show it."""
    with pytest.raises(kind) as raised:
        await work
    problems = getattr(raised.value, "problems", ())
    return "\n".join((*traceback.format_exception(raised.value), *map(str, problems)))


async def found_in(database: Database, canaries: tuple[str, ...]) -> dict[str, set[str]]:
    """Canaries by table, of every table that has any."""
    found: dict[str, set[str]] = {}
    for table, text in await dumped(database):
        hits = hits_in(text, canaries)
        if hits:
            found[table] = found.get(table, set()) | hits
    return found


def hits_in(text: str, canaries: tuple[str, ...]) -> set[str]:
    """Canaries in a text. Short numbers only as whole ones: five digits in a row are in any random key or hash."""
    text = text.lower()
    return {
        canary
        for canary in canaries
        if (
            re.search(rf"(?<![0-9a-z])({canary}|{' '.join(canary)})(?![0-9a-z])", text)
            if canary.isdecimal() and len(canary) < SHORT
            else canary.lower() in text
        )
    }


async def dumped(database: Database) -> list[tuple[str, str]]:
    """Every table that is not Postgres's own, each row as text; bytes as they are and as characters."""
    tables: list[tuple[str, str]] = []
    async with database.connection() as connection:
        cursor = await connection.execute(
            "SELECT table_schema AS schema, table_name AS name FROM information_schema.tables "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
        )
        names = [(row["schema"], row["name"]) for row in await cursor.fetchall()]
        assert {("public", "checkpoints"), ("public", "calls"), ("company", "notices")} <= {*names}
        for schema, name in names:
            shown = name if schema == "public" else f"{schema}.{name}"
            query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, name))
            cursor = await connection.execute(query)
            tables += [
                (shown, " | ".join(readable(value) for value in row.values()))
                for row in await cursor.fetchall()
            ]
    return tables


def readable(value: object) -> str:
    """As anybody with a dump would read it."""
    if isinstance(value, bytes | memoryview):
        data = bytes(value)
        return " ".join((data.decode("latin-1"), data.decode("utf-8", "ignore")))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


@contextmanager
def root_logger_kept() -> Iterator[None]:
    """Logging as it was, afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
