"""Each way of leaving, and what it means for the call."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.voice.hand_timer import HandTimer
from tests.unit.voice.rooms import JOINED, FakeRoom, Reason
from voice.connection import Connection
from voice.presence import DEAD, HEARS_WITHIN, LEFT, PUT_DOWN, RECONNECT_SECONDS

BLIP = 20.0
BLIPS = sorted(set(Reason.values()) - LEFT - PUT_DOWN - DEAD)


class Line:
    """A caller on the line, and what the call was told."""

    def __init__(self, *people: str) -> None:
        self.room = FakeRoom(*(people or ("caller", "somebody")))
        self.timer = HandTimer()
        self.told: list[str] = []
        self.connection = Connection(
            self.room,
            "caller",
            self,
            blip=BLIP,
            later=self.timer,
            back=lambda: self.told.append("back"),
        )

    async def hang_up(self) -> bool:
        self.told.append("hang_up")
        return True

    async def drop(self) -> bool:
        self.told.append("drop")
        return True

    async def settled(self) -> list[str]:
        for _ in range(3):
            await asyncio.sleep(0)
        return self.told


@pytest.mark.parametrize("reason", sorted(PUT_DOWN))
async def test_phone_put_down_is_a_hang_up(reason: Reason.ValueType) -> None:
    line = Line()
    line.room.leave("caller", reason)
    assert await line.connection.over() == "hung_up"
    assert line.told == ["hang_up"]


async def test_caller_who_leaves_has_hung_up_unless_their_client_connects_afresh() -> None:
    line = Line()
    line.room.leave("caller", Reason.CLIENT_INITIATED)
    line.timer.pass_(RECONNECT_SECONDS - 0.5)
    line.room.join("caller")
    assert await line.settled() == ["back"]
    line.room.leave("caller", Reason.CLIENT_INITIATED)
    line.timer.pass_(RECONNECT_SECONDS)
    assert await line.connection.over() == "hung_up"
    assert line.told == ["back", "hang_up"]


@pytest.mark.parametrize("reason", sorted(DEAD))
async def test_line_nobody_comes_back_to_is_dropped_at_once(reason: Reason.ValueType) -> None:
    line = Line()
    line.room.leave("caller", reason)
    assert await line.connection.over() == "dropped"
    assert line.told == ["drop"]


@pytest.mark.parametrize("reason", [*BLIPS, None])
async def test_network_that_went_away_is_waited_for(reason: Reason.ValueType | None) -> None:
    line = Line()
    line.room.leave("caller", reason)  # type: ignore[arg-type]
    line.timer.pass_(BLIP - 0.5)
    assert await line.settled() == []
    line.timer.pass_(0.5)
    assert await line.connection.over() == "dropped"
    assert line.told == ["drop"]


async def test_caller_back_in_time_goes_on() -> None:
    line = Line()
    line.room.leave("caller", Reason.CONNECTION_TIMEOUT)
    line.timer.pass_(BLIP - 0.5)
    line.room.join("caller")
    line.timer.pass_(BLIP)
    assert await line.settled() == ["back"]
    assert line.timer.running == 0


async def test_caller_is_back_when_they_can_hear() -> None:
    line = Line()
    line.room.leave("caller", Reason.CONNECTION_TIMEOUT)
    line.room.join("caller", JOINED)
    line.timer.pass_(HEARS_WITHIN - 0.5)
    assert await line.settled() == []
    line.room.connect("somebody")
    assert await line.settled() == []
    line.room.connect("caller")
    line.timer.pass_(HEARS_WITHIN)
    assert await line.settled() == ["back"]
    assert line.timer.running == 0


async def test_caller_of_whom_nobody_says_that_they_hear_is_taken_to() -> None:
    line = Line()
    line.room.leave("caller", Reason.CONNECTION_TIMEOUT)
    line.room.join("caller", JOINED)
    line.timer.pass_(HEARS_WITHIN)
    line.room.connect("caller")
    assert await line.settled() == ["back"]


async def test_caller_who_leaves_again_before_they_hear_is_not_back() -> None:
    line = Line()
    line.room.leave("caller", Reason.CONNECTION_TIMEOUT)
    line.room.join("caller", JOINED)
    line.room.leave("caller", Reason.CONNECTION_TIMEOUT)
    line.timer.pass_(BLIP)
    assert await line.connection.over() == "dropped"
    assert line.told == ["drop"]


async def test_every_blip_has_all_of_its_time() -> None:
    line = Line()
    for _ in range(3):
        line.room.leave("caller", Reason.SIGNAL_CLOSE)
        line.timer.pass_(BLIP - 1)
        line.room.join("caller")
    assert await line.settled() == ["back"] * 3


async def test_same_caller_in_again_before_the_old_one_is_out_has_not_left() -> None:
    line = Line()
    old = line.room.remote_participants["caller"]
    line.room.join("caller")
    old.disconnect_reason = Reason.DUPLICATE_IDENTITY
    line.room.emit("participant_disconnected", old)
    assert await line.settled() == []
    assert line.timer.running == 0


async def test_somebody_elses_coming_and_going_means_nothing() -> None:
    line = Line()
    line.room.leave("somebody", Reason.CLIENT_INITIATED)
    line.room.join("somebody")
    assert await line.settled() == []


async def test_caller_gone_before_anybody_looked_is_waited_for() -> None:
    line = Line("somebody")
    line.timer.pass_(BLIP)
    assert await line.connection.over() == "dropped"


@pytest.mark.parametrize(
    ("reason", "ending"),
    [
        (Reason.ROOM_DELETED, "hung_up"),
        (Reason.SERVER_SHUTDOWN, "dropped"),
        (Reason.PARTICIPANT_REMOVED, "dropped"),
        (Reason.UNKNOWN_REASON, "dropped"),
    ],
)
async def test_when_we_are_out_of_the_room_the_call_ends(
    reason: Reason.ValueType, ending: str
) -> None:
    line = Line()
    line.room.emit("disconnected", reason)
    assert await line.connection.over() == ending


async def test_job_that_ends_leaves_a_call_to_be_resumed() -> None:
    line = Line()
    await line.connection.close()
    assert line.told == ["drop"]


async def test_job_that_ends_after_the_goodbye_changes_nothing() -> None:
    line = Line()
    line.connection.hang_up()
    await line.connection.close()
    assert line.told == ["hang_up"]


async def test_call_ends_once_whatever_comes_after() -> None:
    line = Line()
    line.room.leave("caller", Reason.SIGNAL_CLOSE)
    line.room.join("caller")
    line.room.leave("caller", Reason.CLIENT_INITIATED)
    line.connection.hang_up()
    line.room.emit("disconnected", Reason.SERVER_SHUTDOWN)
    line.timer.pass_(BLIP * 2)
    await line.connection.close()
    await line.connection.close()
    assert await line.connection.over() == "hung_up"
    assert line.told == ["back", "hang_up"]
    assert line.room.followed == 0


async def test_caller_who_leaves_for_the_colleague_has_hung_up() -> None:
    line = Line()

    async def transfer() -> bool:
        line.room.leave("caller", Reason.PARTICIPANT_REMOVED)
        return True

    assert await line.connection.during(transfer())
    assert await line.connection.over() == "hung_up"
    assert line.told == ["hang_up"]


async def test_caller_whose_line_dies_in_a_failed_transfer_is_dropped() -> None:
    line = Line()

    async def transfer() -> bool:
        line.room.leave("caller", Reason.MEDIA_FAILURE)
        return False

    assert not await line.connection.during(transfer())
    assert await line.connection.over() == "dropped"


async def test_call_goes_on_after_a_failed_transfer() -> None:
    line = Line()

    async def transfer() -> bool:
        line.room.leave("caller", Reason.SIGNAL_CLOSE)
        line.room.join("caller")
        return False

    assert not await line.connection.during(transfer())
    assert await line.settled() == []
    line.room.leave("caller", Reason.CLIENT_INITIATED)
    line.timer.pass_(RECONNECT_SECONDS)
    assert await line.connection.over() == "hung_up"


async def test_caller_who_was_away_when_a_transfer_failed_is_spoken_with_when_they_are_back() -> (
    None
):
    line = Line()

    async def transfer() -> bool:
        line.room.leave("caller", Reason.SIGNAL_CLOSE)
        return False

    assert not await line.connection.during(transfer())
    there = asyncio.create_task(line.connection.still_there())
    await line.settled()
    assert not there.done()
    line.room.join("caller", JOINED)
    await line.settled()
    assert not there.done(), "they do not hear yet"
    line.room.connect("caller")
    assert await there


async def test_caller_who_was_away_when_a_transfer_failed_may_be_gone() -> None:
    line = Line()

    async def transfer() -> bool:
        line.room.leave("caller", Reason.CLIENT_INITIATED)
        return False

    assert not await line.connection.during(transfer())
    line.timer.pass_(RECONNECT_SECONDS)
    assert not await line.connection.still_there()
    assert await line.connection.over() == "hung_up"


async def test_caller_who_left_in_a_transfer_that_was_cancelled_has_left() -> None:
    line = Line()
    transfer = asyncio.get_running_loop().create_future()
    during = asyncio.create_task(line.connection.during(transfer))
    await line.settled()
    line.room.leave("caller", Reason.CLIENT_INITIATED)
    during.cancel()
    await asyncio.wait({during})
    line.timer.pass_(RECONNECT_SECONDS)
    assert await line.connection.over() == "hung_up"
