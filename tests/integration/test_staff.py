"""Who can take a call over now: the table says so, or the setting whatever the table says."""

from __future__ import annotations

import pytest

from checkpoints.database import Database
from tests.company import Clock
from tools.postgres.staff import Availability, PostgresStaff


@pytest.mark.parametrize(
    ("availability", "on_duty", "available"),
    [
        ("table", False, False),
        ("table", True, True),
        ("always", False, True),
        ("never", True, False),
    ],
)
async def test_staff_are_available_as_the_setting_and_the_table_say(
    database: Database, clock: Clock, availability: Availability, on_duty: bool, available: bool
) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO company.staff (name, languages, available) VALUES ('ana', '{es,en}', %s)",
            (on_duty,),
        )
    staff = PostgresStaff(database, clock, availability)
    assert await staff.available("es") is available
    assert await staff.available("fr") is (available and availability == "always")
