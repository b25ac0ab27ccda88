"""`holdfast import`: a company's own customers and orders, from CSV files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.running import FAILED, USAGE, fail, with_services

if TYPE_CHECKING:
    from services import Services


def import_company(
    customers: Annotated[Path | None, typer.Option(metavar="FILE", help="customers CSV")] = None,
    orders: Annotated[Path | None, typer.Option(metavar="FILE", help="orders CSV")] = None,
) -> None:
    """Load customers and orders. Bad rows are named by line and reason; nothing is loaded unless all are good."""
    if customers is None and orders is None:
        fail("give --customers FILE.csv, --orders FILE.csv, or both", USAGE)

    async def work(services: Services) -> None:
        from tools.postgres import ImportFailed

        try:
            loaded = await services.import_company(customers, orders)
        except ImportFailed as failed:
            for problem in failed.problems:
                print(f"{problem.file}:{problem.line}: {problem.reason}", file=sys.stderr)
            fail(f"nothing was loaded: {len(failed.problems)} problems", FAILED)
        print(f"loaded {loaded.customers} customers and {loaded.orders} orders")

    with_services(work)
