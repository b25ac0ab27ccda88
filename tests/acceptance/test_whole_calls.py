"""A caller's whole call over a real phone line: what they heard, and what is in the books afterwards."""

from __future__ import annotations

from tests.acceptance.line import Line


async def test_caller_changes_the_address_by_voice_and_keypad(line: Line) -> None:
    async with line.caller("+15035550188") as caller:
        assert "Juniper and Oak" in await caller.hears_out()
        await caller.says("hi i moved and i need to change my address")
        await caller.hears_out()
        await line.asks("identity.fact")
        await caller.says("nine seven three oh one")
        await caller.hears_out()
        await line.asks("identity.code")
        await caller.presses(await line.code())
        await caller.hears_out()
        await line.asks("account.address")
        await caller.says("fifty main street apartment four b")
        await caller.hears_out()
        await caller.says("portland")
        await caller.hears_out()
        await caller.says("the zip is nine seven two oh five")
        read_back = await caller.hears_out()
        await line.asks("account.confirm")
        assert "Main Street" in read_back
        assert await line.effects() == []
        await caller.says("yes that's right")
        await caller.hears_out()
        await line.asks("closing.more")
        await caller.says("no that's all thanks")
        await caller.hears_out()
        await caller.presses("5#")
        await caller.sees("disconnected")
    call = await line.call_is("closed")
    assert (call["outcome"], call["satisfaction"]) == ("solved", 5)
    assert await line.effects() == ["update_address"]
    assert [notice.kind for notice in await line.notices()] == ["code", "address_changed"]
