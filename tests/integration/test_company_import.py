"""A company's own CSV files: all of it is loaded or nothing, and every bad row is named without being quoted."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from checkpoints.database import Database
from tests.company import Clock
from tools.errors import BackendDown
from tools.postgres import ImportFailed, Loaded, PostgresCompany, Problem, import_company
from tools.postgres.imports import CUSTOMER_COLUMNS, ORDER_COLUMNS
from tools.records import Address, Customer, Order, OrderItem

Row = dict[str, str]
CUSTOMER: Row = {
    "customer_id": "K-1",
    "full_name": "Lucía Fernández",
    "email": "Lucia@Example.org",
    "phone": "600 000 012",
    "language": "es",
    "line1": "Calle Mayor 8",
    "line2": "3 B",
    "city": "Madrid",
    "region": "Madrid",
    "postal_code": "28013",
    "country": "es",
}
ORDER: Row = {
    "order_id": "HF-1",
    "customer_id": "K-1",
    "status": "shipped",
    "placed_at": "2026-11-19T09:00:00+01:00",
    "total": "129.50",
    "currency": "eur",
    "items": "2 x Taburete de roble; 1 × Lámpara",
    "carrier": "SEUR",
    "tracking_number": "ES1",
    "shipped_at": "2026-11-20",
    "delivered_at": "",
    "estimated_delivery": "2026-11-25",
}


@pytest.fixture
def company(database: Database, clock: Clock) -> PostgresCompany:
    return PostgresCompany(database, clock, sealer=None)  # type: ignore[arg-type] - nothing is sealed here


async def test_good_rows_are_loaded_as_they_say(
    database: Database, company: PostgresCompany, tmp_path: Path
) -> None:
    loaded = await imported(database, tmp_path, [CUSTOMER], [ORDER])

    assert loaded == Loaded(customers=1, orders=1)
    assert await company.customers.get("K-1") == Customer(
        customer_id="K-1",
        full_name="Lucía Fernández",
        email="lucia@example.org",
        phone="+34600000012",
        language="es",
        address=Address(
            line1="Calle Mayor 8",
            line2="3 B",
            city="Madrid",
            region="Madrid",
            postal_code="28013",
            country="ES",
        ),
    )
    assert await company.orders.find("K-1", "HF-1") == Order(
        order_id="HF-1",
        customer_id="K-1",
        status="shipped",
        placed_at=datetime(2026, 11, 19, 8, tzinfo=UTC),
        total_cents=12950,
        currency="EUR",
        items=(
            OrderItem(quantity=2, name="Taburete de roble"),
            OrderItem(quantity=1, name="Lámpara"),
        ),
        carrier="SEUR",
        tracking_number="ES1",
        shipped_at=datetime(2026, 11, 20, tzinfo=UTC),
        delivered_at=None,
        estimated_delivery=date(2026, 11, 25),
    )


@pytest.mark.parametrize(
    ("text", "cents"), [("129", 12900), ("129,5", 12950), ("129.05", 12905), ("0", 0)]
)
async def test_amounts_are_read_with_point_or_comma(
    text: str, cents: int, database: Database, company: PostgresCompany, tmp_path: Path
) -> None:
    await imported(database, tmp_path, [CUSTOMER], [{**ORDER, "total": text}])

    assert (await company.orders.find("K-1", "HF-1")).total_cents == cents


async def test_file_as_excel_writes_it_is_read(
    database: Database, company: PostgresCompany, tmp_path: Path
) -> None:
    """Byte order mark, semicolons, CRLF, a line break inside a value, capital letters and another order of columns."""
    names = list(reversed(CUSTOMER_COLUMNS))
    file = tmp_path / "excel.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, delimiter=";")
        writer.writerow([name.upper() for name in names])
        writer.writerow([{**CUSTOMER, "line2": "3 B\nsegunda"}[name] for name in names])
        writer.writerow([""] * len(names))

    assert await import_company(database, file, None) == Loaded(customers=1, orders=0)
    assert (await company.customers.get("K-1")).address.line2 == "3 B\nsegunda"


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("customer_id", "", "customer_id: must not be empty"),
        ("full_name", "", "full_name: must not be empty"),
        ("line1", " ", "line1: must not be empty"),
        ("city", "", "city: must not be empty"),
        ("postal_code", "", "postal_code: must not be empty"),
        ("full_name", "Quimble" * 100, "full_name: longer than 500 characters"),
        ("email", "quimble.example.org", "email: not an e-mail address"),
        ("email", "", "email: not an e-mail address"),
        ("phone", "Quimble", "phone: not a phone number"),
        ("phone", "12", "phone: not a phone number"),
        ("phone", "", "phone: not a phone number"),
        ("language", "quimblish", "language: use en, es or fr"),
        ("country", "Quimble", "country: not a two-letter"),
        ("country", "", "country: not a two-letter"),
    ],
)
async def test_bad_customer_is_named_and_nothing_loaded(
    column: str, value: str, reason: str, database: Database, tmp_path: Path
) -> None:
    rows = [CUSTOMER, {**CUSTOMER, "customer_id": "K-2", column: value}]

    (problem,) = await problems(database, tmp_path, rows, [ORDER])

    assert (problem.file, problem.line) == ("customers.csv", 3)
    assert problem.reason.startswith(reason)
    assert "uimbl" not in problem.reason


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("order_id", "", "order_id: must have letters or digits"),
        ("order_id", "-- //", "order_id: must have letters or digits"),
        ("customer_id", "K-999", "customer_id: no such customer"),
        ("customer_id", "", "customer_id: no such customer"),
        ("status", "sent", "status: use one of placed, "),
        ("placed_at", "", "placed_at: must not be empty"),
        ("placed_at", "19/11/2026", "placed_at: not an ISO 8601"),
        ("placed_at", "2026-02-30", "placed_at: not an ISO 8601"),
        ("placed_at", "0001-01-01T00:00:00+05:00", "placed_at: not an ISO 8601"),
        ("shipped_at", "soon", "shipped_at: not an ISO 8601"),
        ("delivered_at", "9999-12-31T23:59:59-05:00", "delivered_at: not an ISO 8601"),
        ("estimated_delivery", "2026-13-01", "estimated_delivery: not an ISO 8601"),
        ("total", "", "total: not an amount"),
        ("total", "-5.00", "total: not an amount"),
        ("total", "1,290", "total: not an amount"),
        ("total", "1.290,00", "total: not an amount"),
        ("total", "NaN", "total: not an amount"),
        ("total", "1e30", "total: not an amount"),
        ("total", "9" * 40, "total: not an amount"),
        ("currency", "euros", "currency: not a three-letter"),
        ("items", "", "items: must not be empty"),
        ("items", "Taburete", "items: write them like"),
        ("items", "0 x Taburete", "items: write them like"),
        ("items", "1 x Taburete; 2 x", "items: write them like"),
        ("items", "1 x " + "y" * 6000, "items: longer than 5000 characters"),
    ],
)
async def test_bad_order_is_named_and_nothing_loaded(
    column: str, value: str, reason: str, database: Database, tmp_path: Path
) -> None:
    rows = [ORDER, {**ORDER, "order_id": "HF-2", column: value}]

    (problem,) = await problems(database, tmp_path, [CUSTOMER], rows)

    assert (problem.file, problem.line) == ("orders.csv", 3)
    assert problem.reason.startswith(reason)


async def test_every_bad_row_of_both_files_is_named(database: Database, tmp_path: Path) -> None:
    """By the line it begins in, counted as an editor counts."""
    found = await problems(
        database,
        tmp_path,
        [
            {**CUSTOMER, "line2": "one\ntwo\nthree"},
            {**CUSTOMER, "customer_id": "K-2", "email": "none"},
            {**CUSTOMER, "customer_id": "K-1", "email": "again@example.org"},
        ],
        [{**ORDER, "status": "gone"}, {**ORDER, "order_id": "HF-2"}, {**ORDER, "order_id": "HF-2"}],
    )

    assert [(one.file, one.line, one.reason.partition(":")[0]) for one in found] == [
        ("customers.csv", 5, "email"),
        ("customers.csv", 6, "customer_id"),
        ("orders.csv", 2, "status"),
        ("orders.csv", 4, "order_id"),
    ]
    assert found[1].reason == "customer_id: the same as in line 2"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"customer_id,full_name\nK-1,Lucia\n", "columns are missing: email, phone, language"),
        (",".join((*CUSTOMER_COLUMNS, "shoe_size")).encode(), "unknown columns: shoe_size"),
        (",".join((*CUSTOMER_COLUMNS, "email")).encode(), "columns are there twice: email"),
        (",".join(CUSTOMER.values()).encode(), "columns are missing"),
        (",".join(CUSTOMER.values()).encode("latin-1"), "the file is not UTF-8"),
        (",".join(CUSTOMER_COLUMNS).encode("utf-16"), "the file is not UTF-8"),
        (",".join(CUSTOMER_COLUMNS).encode("utf-16-le"), "the file is not text"),
        (b'"' + b"x" * 200_000, "a value has no end"),
    ],
    ids=["empty", "missing", "unknown", "twice", "headless", "latin1", "utf16", "nul", "endless"],
)
async def test_file_that_is_no_table_of_ours_is_refused(
    content: bytes, reason: str, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "customers.csv"
    file.write_bytes(content)

    with pytest.raises(ImportFailed) as failed:
        await import_company(database, file, None)

    (problem,) = failed.value.problems
    assert problem.line == 1
    assert problem.reason.startswith(reason)


async def test_file_that_cannot_be_read_is_refused(database: Database, tmp_path: Path) -> None:
    for file in (tmp_path, tmp_path / "nowhere.csv"):
        with pytest.raises(ImportFailed) as failed:
            await import_company(database, file, None)
        assert [one.reason for one in failed.value.problems] == ["the file cannot be read"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("K-2,too,few", "has 3 values for 11 columns"),
        (",".join(["x"] * 12), "has 12 values for 11 columns"),
        ('K-2,"' + "x" * 200_000 + '"', "a value has no end"),
        ('K-2,"never closed', "has 2 values for 11 columns"),
    ],
    ids=["short", "long", "huge_field", "open_quote"],
)
async def test_row_that_is_no_row_is_named(
    row: str, reason: str, database: Database, tmp_path: Path
) -> None:
    file = written(tmp_path / "customers.csv", CUSTOMER_COLUMNS, [CUSTOMER])
    file.write_text(file.read_text("utf-8") + row + "\n", "utf-8")

    with pytest.raises(ImportFailed) as failed:
        await import_company(database, file, None)

    (problem,) = failed.value.problems
    assert problem.line == 3
    assert problem.reason.startswith(reason)


async def test_own_company_replaces_the_demo_and_later_files_add_and_update(
    database: Database, company: PostgresCompany, tmp_path: Path
) -> None:
    await company.settle(demo=True)
    assert len(await company.callers()) == 81

    await imported(database, tmp_path, [CUSTOMER], [ORDER])
    assert len(await company.callers()) == 1

    await imported(
        database,
        tmp_path,
        [{**CUSTOMER, "city": "Toledo"}, {**CUSTOMER, "customer_id": "K-2"}],
        [{**ORDER, "status": "delivered"}, {**ORDER, "order_id": "HF-2", "customer_id": "K-2"}],
    )
    assert (await company.customers.get("K-1")).address.city == "Toledo"
    assert (await company.orders.find("K-1", "HF-1")).status == "delivered"
    assert len(await company.callers()) == 2


async def test_orders_alone_belong_to_customers_loaded_before(
    database: Database, company: PostgresCompany, tmp_path: Path
) -> None:
    await imported(database, tmp_path, [CUSTOMER], None)
    assert await imported(database, tmp_path, None, [ORDER]) == Loaded(customers=0, orders=1)


async def test_demo_customers_are_nobody_to_own_orders(
    database: Database, company: PostgresCompany, tmp_path: Path
) -> None:
    """They go with the import."""
    await company.settle(demo=True)

    (problem,) = await problems(database, tmp_path, None, [{**ORDER, "customer_id": "US-1001"}])

    assert problem.reason.startswith("customer_id: no such customer")
    assert len(await company.callers()) == 81


async def test_database_that_refuses_the_orders_keeps_no_customers(
    database: Database, company: PostgresCompany, tmp_path: Path
) -> None:
    async with database.connection() as connection:
        await connection.execute("ALTER TABLE company.orders ADD CHECK (total_cents < 100)")

    with pytest.raises(BackendDown):
        await imported(database, tmp_path, [CUSTOMER], [ORDER])

    assert await company.callers() == []


async def imported(
    database: Database,
    folder: Path,
    customers: Sequence[Row] | None,
    orders: Sequence[Row] | None,
) -> Loaded:
    """The rows as files, imported."""
    return await import_company(
        database,
        None
        if customers is None
        else written(folder / "customers.csv", CUSTOMER_COLUMNS, customers),
        None if orders is None else written(folder / "orders.csv", ORDER_COLUMNS, orders),
    )


async def problems(
    database: Database,
    folder: Path,
    customers: Sequence[Row] | None,
    orders: Sequence[Row] | None,
) -> tuple[Problem, ...]:
    """Why the rows are refused; checks that the database is as it was."""
    before = await rows_of(database)
    with pytest.raises(ImportFailed) as failed:
        await imported(database, folder, customers, orders)
    assert await rows_of(database) == before
    return failed.value.problems


async def rows_of(database: Database) -> list[dict[str, Any]]:
    async with database.connection() as connection:
        cursor = await connection.execute(
            "SELECT customer_id, order_id FROM company.customers LEFT JOIN company.orders "
            "USING (customer_id) ORDER BY 1, 2"
        )
        return await cursor.fetchall()


def written(file: Path, columns: Sequence[str], rows: Sequence[Row]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return file
