"""A company's own customers and orders from CSV: every row checked first, then all loaded or none."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar, get_args

import phonenumbers
from babel import Locale
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict

from tools.errors import DeskError
from tools.postgres.connections import Connection, Connections, port_method
from tools.postgres.orders import plain_id
from tools.records import Address, Customer, Order, OrderItem, OrderStatusWord

CUSTOMER_COLUMNS = (
    "customer_id", "full_name", "email", "phone", "language", "line1", "line2", "city", "region", "postal_code",
    "country",
)  # fmt: skip
ORDER_COLUMNS = (
    "order_id", "customer_id", "status", "placed_at", "total", "currency", "items", "carrier", "tracking_number",
    "shipped_at", "delivered_at", "estimated_delivery",
)  # fmt: skip
LONGEST = 500  # characters of a value: what is longer does not fit an index
LONGEST_ITEMS = 5000
YEARS = range(1970, 2200)
_ENDLESS = "a value has no end: is a quote not closed?"
_ITEM = re.compile(r"\s*([0-9]{1,4})\s*[xX×]\s*(\S.*?)\s*")
#: "1,290" is a thousand to some and one to others: refused, not guessed.
_AMOUNT = re.compile(r"([0-9]{1,12})(?:[.,]([0-9]{1,2}))?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
T = TypeVar("T")


class Problem(BaseModel):
    """Why a row cannot be loaded. Names the column, never the value: it may be personal."""

    model_config = ConfigDict(frozen=True)

    file: str
    line: int
    reason: str


class ImportFailed(DeskError):
    """The files are not all good; nothing was loaded."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"nothing was loaded: {len(problems)} problems")
        self.problems = problems


class Loaded(BaseModel):
    model_config = ConfigDict(frozen=True)

    customers: int
    orders: int


class _BadRow(ValueError):
    """The reason, for the Problem."""


@dataclass(frozen=True)
class _Row:
    line: int
    cells: dict[str, str]
    fault: str | None


@port_method
async def import_company(
    connections: Connections, customers: Path | None, orders: Path | None
) -> Loaded:
    """Check both files whole, then replace the demo company and add or update these rows.

    Raises:
        ImportFailed: with every problem found.
        BackendDown: the database did not take them; nothing was loaded.
    """
    problems: list[Problem] = []
    people = _checked(customers, CUSTOMER_COLUMNS, _customer, "customer_id", problems)
    bought = _checked(orders, ORDER_COLUMNS, _order, "order_id", problems)
    async with connections.transaction() as connection:
        # Half a million rows take us longer to prepare than a call may leave a transaction idle.
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        known = {one.customer_id for _, one in people}
        cursor = await connection.execute(
            "SELECT customer_id FROM company.customers WHERE NOT demo"
        )
        known |= {row["customer_id"] for row in await cursor.fetchall()}
        for row, one in bought:
            if one.customer_id not in known:
                reason = "customer_id: no such customer in the file or the database"
                problems.append(Problem(file=_name(orders), line=row.line, reason=reason))
        if problems:
            raise ImportFailed(tuple(problems))
        await connection.execute("DELETE FROM company.customers WHERE demo")
        await write_customers(connection, [one for _, one in people], demo=False)
        await write_orders(connection, [one for _, one in bought], demo=False)
    return Loaded(customers=len(people), orders=len(bought))


async def write_customers(connection: Connection, customers: list[Customer], *, demo: bool) -> None:
    """Add or update."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO company.customers (customer_id, full_name, email, phone, language, line1, line2, "
            "city, region, postal_code, country, demo) VALUES (%(customer_id)s, %(full_name)s, %(email)s, "
            "%(phone)s, %(language)s, %(line1)s, %(line2)s, %(city)s, %(region)s, %(postal_code)s, "
            "%(country)s, %(demo)s) ON CONFLICT (customer_id) DO UPDATE SET full_name = excluded.full_name, "
            "email = excluded.email, phone = excluded.phone, language = excluded.language, "
            "line1 = excluded.line1, line2 = excluded.line2, city = excluded.city, "
            "region = excluded.region, postal_code = excluded.postal_code, "
            "country = excluded.country, demo = excluded.demo",
            [
                {
                    **one.model_dump(exclude={"address"}),
                    **one.address.model_dump(),
                    "demo": demo,
                }
                for one in customers
            ],
        )


async def write_orders(connection: Connection, orders: list[Order], *, demo: bool) -> None:
    """Add or update."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO company.orders (order_id, plain_id, digits, customer_id, status, placed_at, "
            "total_cents, currency, items, carrier, tracking_number, shipped_at, delivered_at, "
            "estimated_delivery, demo) VALUES (%(order_id)s, %(plain_id)s, %(digits)s, %(customer_id)s, "
            "%(status)s, %(placed_at)s, %(total_cents)s, %(currency)s, %(items)s, %(carrier)s, "
            "%(tracking_number)s, %(shipped_at)s, %(delivered_at)s, %(estimated_delivery)s, %(demo)s) "
            "ON CONFLICT (order_id) DO UPDATE SET plain_id = excluded.plain_id, "
            "digits = excluded.digits, customer_id = excluded.customer_id, status = excluded.status, "
            "placed_at = excluded.placed_at, total_cents = excluded.total_cents, "
            "currency = excluded.currency, items = excluded.items, carrier = excluded.carrier, "
            "tracking_number = excluded.tracking_number, shipped_at = excluded.shipped_at, "
            "delivered_at = excluded.delivered_at, "
            "estimated_delivery = excluded.estimated_delivery, demo = excluded.demo",
            [
                {
                    **one.model_dump(exclude={"items"}),
                    "items": Jsonb([item.model_dump() for item in one.items]),
                    "plain_id": plain_id(one.order_id),
                    "digits": re.sub(r"\D", "", one.order_id),
                    "demo": demo,
                }
                for one in orders
            ],
        )


# Reading --------------------------------------------------------------------------------------------------


def _checked(
    file: Path | None,
    columns: tuple[str, ...],
    parse: Callable[[dict[str, str]], T],
    key: str,
    problems: list[Problem],
) -> list[tuple[_Row, T]]:
    """Every good row as a record; every bad one as a problem."""
    if file is None:
        return []
    good: list[tuple[_Row, T]] = []
    seen: dict[str, int] = {}
    try:
        for row in _rows(file, columns):
            try:
                _check_row(row, key, seen)
                good.append((row, parse(row.cells)))
            except _BadRow as bad:
                problems.append(Problem(file=_name(file), line=row.line, reason=str(bad)))
    except _BadRow as bad:
        problems.append(Problem(file=_name(file), line=1, reason=str(bad)))
    return good


def _check_row(row: _Row, key: str, seen: dict[str, int]) -> None:
    """Whole, and not there before."""
    if row.fault:
        raise _BadRow(row.fault)
    for name, cell in row.cells.items():
        longest = LONGEST_ITEMS if name == "items" else LONGEST
        if len(cell) > longest:
            msg = f"{name}: longer than {longest} characters"
            raise _BadRow(msg)
    first = seen.setdefault(row.cells[key], row.line)
    if first != row.line:
        msg = f"{key}: the same as in line {first}"
        raise _BadRow(msg)


def _rows(file: Path, columns: tuple[str, ...]) -> Iterator[_Row]:
    try:
        text = file.read_text("utf-8-sig")
        if "\0" in text:
            msg = "the file is not text: save it as CSV UTF-8"
            raise _BadRow(msg)
    except UnicodeDecodeError:
        msg = "the file is not UTF-8: save it as CSV UTF-8"
        raise _BadRow(msg) from None
    except OSError:
        msg = "the file cannot be read"
        raise _BadRow(msg) from None
    head = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if head.count(";") > head.count(",") else ","
    )
    try:
        header = [name.strip().lower() for name in next(reader)]
    except StopIteration:
        msg = f"the file is empty: its first line names the columns {', '.join(columns)}"
        raise _BadRow(msg) from None
    except csv.Error:
        raise _BadRow(_ENDLESS) from None
    _check_header(header, columns)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:  # where the next row begins is anybody's guess
            yield _Row(line, {}, _ENDLESS)
            return
        if not any(cell.strip() for cell in cells):
            continue
        fault = None
        if len(cells) != len(header):
            fault = f"has {len(cells)} values for {len(header)} columns"
        values = [*(cell.strip() for cell in cells), *[""] * len(header)]
        yield _Row(line, dict(zip(header, values, strict=False)), fault)


def _check_header(header: list[str], columns: tuple[str, ...]) -> None:
    twice = [name for name in columns if header.count(name) > 1]
    if twice:
        msg = f"columns are there twice: {', '.join(twice)}"
        raise _BadRow(msg)
    missing = [name for name in columns if name not in header]
    unknown = [name for name in header if name not in columns]
    if missing:
        msg = f"columns are missing: {', '.join(missing)}"
        raise _BadRow(msg)
    if unknown:
        msg = f"unknown columns: {', '.join(unknown)}"
        raise _BadRow(msg)


def _customer(cells: dict[str, str]) -> Customer:
    country = cells["country"].upper()
    if country not in Locale("en").territories or len(country) != 2:
        msg = "country: not a two-letter ISO 3166 code"
        raise _BadRow(msg)
    for name in ("customer_id", "full_name", "line1", "city", "postal_code"):
        if not cells[name]:
            msg = f"{name}: must not be empty"
            raise _BadRow(msg)
    if cells["language"] not in ("en", "es", "fr"):
        msg = "language: use en, es or fr"
        raise _BadRow(msg)
    if not _EMAIL.fullmatch(cells["email"]):
        msg = "email: not an e-mail address"
        raise _BadRow(msg)
    address = Address(
        **{name: cells[name] for name in ("line1", "line2", "city", "region", "postal_code")},
        country=country,
    )
    return Customer.model_validate(
        {
            **{name: cells[name] for name in ("customer_id", "full_name", "language")},
            "email": cells["email"].lower(),
            "phone": _phone(cells["phone"], country),
            "address": address,
        }
    )


def _phone(text: str, country: str) -> str:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        msg = "phone: not a phone number of the row's country, nor an international one"
        raise _BadRow(msg)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _order(cells: dict[str, str]) -> Order:
    if not plain_id(cells["order_id"]):
        msg = "order_id: must have letters or digits"
        raise _BadRow(msg)
    if cells["status"] not in get_args(OrderStatusWord):
        msg = f"status: use one of {', '.join(get_args(OrderStatusWord))}"
        raise _BadRow(msg)
    currency = cells["currency"].upper()
    if not re.fullmatch(r"[A-Z]{3}", currency):
        msg = "currency: not a three-letter ISO 4217 code"
        raise _BadRow(msg)
    placed = _moment(cells["placed_at"], "placed_at")
    if placed is None:
        msg = "placed_at: must not be empty"
        raise _BadRow(msg)
    return Order.model_validate(
        {
            "order_id": cells["order_id"],
            "customer_id": cells["customer_id"],
            "status": cells["status"],
            "placed_at": placed,
            "total_cents": _cents(cells["total"]),
            "currency": currency,
            "items": _items(cells["items"]),
            "carrier": cells["carrier"] or None,
            "tracking_number": cells["tracking_number"] or None,
            "shipped_at": _moment(cells["shipped_at"], "shipped_at"),
            "delivered_at": _moment(cells["delivered_at"], "delivered_at"),
            "estimated_delivery": _day(cells["estimated_delivery"]),
        }
    )


def _moment(text: str, column: str) -> datetime | None:
    """ISO 8601; without an offset it is UTC."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.year not in YEARS:
        msg = f"{column}: not an ISO 8601 date or time"
        raise _BadRow(msg)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _day(text: str) -> date | None:
    moment = _moment(text, "estimated_delivery")
    return moment.date() if moment else None


def _cents(text: str) -> int:
    amount = _AMOUNT.fullmatch(text)
    if amount is None:
        msg = "total: not an amount like 129.00"
        raise _BadRow(msg)
    return int(amount[1]) * 100 + int((amount[2] or "").ljust(2, "0"))


def _items(text: str) -> tuple[OrderItem, ...]:
    items = []
    for part in filter(str.strip, text.split(";")):
        found = _ITEM.fullmatch(part)
        if found is None or int(found[1]) == 0:
            msg = "items: write them like 2 x Oak stool; 1 x Lamp"
            raise _BadRow(msg)
        items.append(OrderItem(quantity=int(found[1]), name=found[2]))
    if not items:
        msg = "items: must not be empty"
        raise _BadRow(msg)
    return tuple(items)


def _name(file: Path | None) -> str:
    return file.name if file else ""
