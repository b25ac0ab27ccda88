"""Finding customers and orders the way they are named on the phone."""

from __future__ import annotations

from pathlib import Path

import pytest

from services import Services
from tests.company import COMPANY
from tools.errors import NotFound

HEADER = (COMPANY / "orders.csv").read_text("utf-8").splitlines()[0]


@pytest.mark.parametrize(
    "heard", ["HF-10482", "hf-10482", "HF10482", "hf 10 482", "10482", " h f 1 0 4 8 2 "]
)
async def test_own_order_is_found_however_it_is_said(heard: str, services: Services) -> None:
    assert (await services.company.orders.find("C-100", heard)).order_id == "HF-10482"


@pytest.mark.parametrize(
    "heard",
    [
        "HF-20001",  # somebody else's
        "20001",
        "99999",
        "1048",
        "104820",
        "XX10482",
        "",
        "-",
        "0",
        "HF",
        "%",
        "' OR '1'='1",
        "10482' OR 1=1 --",
        "٤",
    ],
)
async def test_nothing_else_is_found(heard: str, services: Services) -> None:
    with pytest.raises(NotFound):
        await services.company.orders.find("C-100", heard)


async def test_zeros_in_front_may_be_left_out_or_added(services: Services, tmp_path: Path) -> None:
    await with_orders(services, tmp_path, "A-0077", "ABC")

    for heard in ("77", "0077", "077", "00077", "a0077"):
        assert (await services.company.orders.find("C-101", heard)).order_id == "A-0077"
    for heard in ("0", "00", "7"):
        with pytest.raises(NotFound):
            await services.company.orders.find("C-101", heard)
    assert (await services.company.orders.find("C-101", "abc")).order_id == "ABC"


async def test_number_that_may_be_two_orders_is_neither(services: Services, tmp_path: Path) -> None:
    """The caller is asked which, instead of being told about the wrong one."""
    await with_orders(services, tmp_path, "A-100", "B-100", "C-0200", "D-200")

    with pytest.raises(NotFound):
        await services.company.orders.find("C-101", "100")
    assert (await services.company.orders.find("C-101", "b100")).order_id == "B-100"
    assert (await services.company.orders.find("C-101", "200")).order_id == "D-200"
    assert (await services.company.orders.find("C-101", "0200")).order_id == "C-0200"


async def test_recent_orders_are_the_customers_own_newest_first(services: Services) -> None:
    orders = services.company.orders

    assert [one.order_id for one in await orders.recent("C-100")] == ["HF-10482", "HF-10311"]
    assert [one.order_id for one in await orders.recent("C-100", limit=1)] == ["HF-10482"]
    assert await orders.recent("C-102") == ()
    assert await orders.recent("nobody") == ()


async def test_customers_are_found_by_number_address_or_order(services: Services) -> None:
    customers = services.company.customers

    async def ids(found: object) -> list[str]:
        return [one.customer_id for one in await found]  # type: ignore[attr-defined]

    assert await ids(customers.find_by_phone("+15035550127")) == ["C-100", "C-103"]
    assert await ids(customers.find_by_phone("5035550127")) == []
    assert await ids(customers.find_by_email("Jane.Doe@Example.com")) == ["C-100"]
    assert await ids(customers.find_by_email("%@example.com")) == []
    assert await ids(customers.find_by_order("hf20001")) == ["C-101"]
    assert await ids(customers.find_by_order("20001")) == ["C-101"]
    assert await ids(customers.find_by_order("")) == []
    with pytest.raises(NotFound):
        await customers.get("c-100")


async def with_orders(services: Services, folder: Path, *order_ids: str) -> None:
    """More orders of C-101."""
    rows = [
        f"{order_id},C-101,placed,2026-11-22T15:00:00Z,20.00,USD,1 x Tea towel,,,,,"
        for order_id in order_ids
    ]
    file = folder / "more.csv"
    file.write_text("\n".join((HEADER, *rows)), "utf-8")
    await services.import_company(None, file)
