"""A database that cannot be used: one sentence that says what to do, soon, and without the password."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Iterator
from time import perf_counter
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict

from checkpoints.cipher import Cipher, check_key
from checkpoints.database import Database
from checkpoints.errors import StorageDown, StorageUnusable, WrongKey

SOON = 6.0  # seconds; a connection is given three
SECRET = "s3cret"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize(
    ("dsn", "where"),
    [
        ("postgresql://user:s3cret@127.0.0.1:1/shop", "127.0.0.1:1/shop"),
        ("postgresql://user:s3cret@127.0.0.1:1", "127.0.0.1:1/user"),
        ("host=127.0.0.1 port=1 user=u password=s3cret dbname=shop", "127.0.0.1:1/shop"),
        ("host=127.0.0.1,127.0.0.1 port=1,2 password=s3cret dbname=x", "127.0.0.1,127.0.0.1:1,2/x"),
        ("postgresql://user:s3cret@no-such-host.invalid/shop", "no-such-host.invalid:5432/shop"),
        (f"postgresql://user:s3cret@{'a' * 80}.example/shop", f"{'a' * 80}.example:5432/shop"),
        ("postgresql://user:s3cret@127.0.0.1:99999/shop", "127.0.0.1:99999/shop"),
        ("postgresql://user:s3cret@127.0.0.1:1/shop?sslmode=maybe", "127.0.0.1:1/shop"),
        ("postgresql:///shop?host=/nowhere", "/nowhere:5432/shop"),
    ],
    ids=[
        "refused",
        "no_name",
        "words",
        "two_hosts",
        "unknown_host",
        "no_host",
        "no_port",
        "option",
        "socket",
    ],
)
async def test_database_that_is_not_there_is_named_without_the_password(
    dsn: str, where: str
) -> None:
    text = await refused(dsn, StorageDown)

    assert text.startswith(f"no database at {where}")
    assert "check DATABASE_URL" in text


async def test_server_that_says_nothing_is_given_up(silent_port: int) -> None:
    text = await refused(f"postgresql://user:s3cret@127.0.0.1:{silent_port}/shop", StorageDown)

    assert f"127.0.0.1:{silent_port}/shop" in text


@pytest.mark.parametrize(
    "dsn",
    [
        "s3cret",
        "mysql://user:s3cret@127.0.0.1:1/shop",
        "postgresql//user:s3cret@127.0.0.1/shop",
        "postgresql://user:s3cret@127.0.0.1:1/shop?colour=red",
        "host=127.0.0.1 password='s3cret",
        # What a password may hold that was not percent-encoded: libpq takes part of it for host, port or name.
        "postgresql://user:pa@s3cret@127.0.0.1:1/shop",
        "postgresql://user:s3cret/word@127.0.0.1:1/shop",
        "postgresql://user:12/s3cret@127.0.0.1:1/shop",
        "postgresql://user:12/word?s3cret@127.0.0.1:1/shop",
        "postgresql://user:/s3cret@127.0.0.1:1/shop",
        "postgresql://user:100%s3cret@127.0.0.1:1/shop",
    ],
)
async def test_what_is_no_connection_string_is_refused_without_showing_it(dsn: str) -> None:
    text = await refused(dsn, StorageUnusable)

    assert text.startswith("DATABASE_URL is not a connection string: write it like postgresql://")
    assert "127.0.0.1" not in text


async def test_password_with_every_special_character_works_percent_encoded() -> None:
    password = "s3cret@/:?#%&= "
    database = Database(f"postgresql://user:{quote(password, safe='')}@127.0.0.1:1/shop")

    assert conninfo_to_dict(database.dsn)["password"] == password
    assert password not in database._where


async def test_server_says_why_it_refuses(database_dsn: str) -> None:
    text = await refused(f"{database_dsn} dbname=no_such_database", StorageDown)

    assert '(database "no_such_database" does not exist)' in text


async def test_options_of_the_connection_string_are_kept_beside_ours(database_dsn: str) -> None:
    async with (
        Database(f"{database_dsn} options='-c search_path=elsewhere'") as database,
        database.connection() as connection,
    ):
        for name, value in (("search_path", "elsewhere"), ("statement_timeout", "5s")):
            cursor = await connection.execute(f"SHOW {name}".encode())
            assert await cursor.fetchone() == {name: value}


async def test_other_key_is_refused_and_the_right_one_still_fits(database: Database) -> None:
    right = Cipher({"k1": b"r" * 32})
    await check_key(database, right)

    with pytest.raises(WrongKey, match="set HOLDFAST_ENCRYPTION_KEY to that key"):
        await check_key(database, Cipher({"k1": b"w" * 32}))
    with pytest.raises(WrongKey):
        await check_key(database, Cipher({"k2": b"r" * 32}))

    await check_key(database, Cipher({"k2": b"n" * 32, "k1": b"r" * 32}))


async def refused(dsn: str, kind: type[Exception]) -> str:
    """The sentence; checks that it came soon, is one line, and that nothing about it holds the password."""
    started = perf_counter()
    with pytest.raises(kind) as raised:
        async with Database(dsn):
            pass
    assert perf_counter() - started < SOON
    text = str(raised.value)
    assert "\n" not in text
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    return text
