"""How many calls a worker takes at once."""

from __future__ import annotations

import pytest

from voice.load import THRESHOLD, load


@pytest.mark.parametrize("most", [1, 2, 3, 7, 8, 50])
def test_worker_takes_as_many_calls_as_it_may_and_no_more(most: int) -> None:
    taken = 0
    while load(taken, most) < THRESHOLD:
        taken += 1
    assert taken == most
