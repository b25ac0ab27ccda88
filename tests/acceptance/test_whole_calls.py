"""Whole calls over a real phone line, in three languages: what callers heard, and what is in the books afterwards."""

from __future__ import annotations

import pytest

from settings import VoiceSettings
from tests.acceptance.books import Books, open_day
from tests.acceptance.line import Line
from tests.acceptance.spoken_as import Voiced, voices

pytestmark = pytest.mark.together
VOICES = VoiceSettings().voices


async def test_caller_changes_the_address_by_voice_and_keypad(line: Line) -> None:
    async with line.caller("+15035550188") as caller:
        assert "Juniper and Oak" in await caller.hears_out()
        books = await Books.of(line, caller)
        await caller.says("hi i moved and i need to change my address")
        await caller.hears_out()
        await books.asks("identity.fact")
        await caller.says("nine seven three oh one")
        await caller.hears_out()
        await books.asks("identity.code")
        await caller.presses(await books.code())
        await caller.hears_out()
        await books.asks("account.address")
        await caller.says("fifty main street apartment four b")
        await caller.hears_out()
        await caller.says("portland")
        await caller.hears_out()
        await caller.says("the zip is nine seven two oh five")
        read_back = await caller.hears_out()
        await books.asks("account.confirm")
        assert "Main Street" in read_back
        await books.has_begun(0)
        await caller.says("yes that's right")
        await caller.hears_out()
        await books.asks("closing.more")
        await caller.says("no that's all thanks")
        await caller.hears_out()
        await caller.presses("5#")
        await caller.sees("disconnected")
    entry = await books.has(state="closed")
    assert (entry["outcome"], entry["satisfaction"]) == ("solved", 5)
    assert await books.effects() == ["update_address"]
    assert [notice.kind for notice in await books.notices()] == ["code", "address_changed"]


async def test_spanish_caller_changes_the_phone_number(line: Line) -> None:
    async with line.caller("+34600000012", language="es") as caller:
        said = [await caller.hears_out()]
        books = await Books.of(line, caller)
        await caller.says("he cambiado de número de teléfono y quería actualizarlo")
        said.append(await caller.hears_out())
        await books.asks("identity.fact")
        await caller.says("el veintiocho cero trece")
        said.append(await caller.hears_out())
        await books.asks("identity.code")
        await caller.presses(await books.code())
        said.append(await caller.hears_out())
        await books.asks("account.phone")
        await caller.says("es el seiscientos cero cero cero cero treinta y cuatro")
        said.append(await caller.hears_out())
        await books.asks("account.confirm")
        await books.has_begun(0)
        await caller.says("eso es")
        said.append(await caller.hears_out())
        await books.asks("closing.more")
        await caller.hangs_up()
    entry = await books.has(state="closed")
    assert (entry["language"], entry["outcome"]) == ("es", "solved")
    assert await books.effects() == ["update_phone"]
    assert [notice.kind for notice in await books.notices()] == ["code", "phone_changed"]
    (customer,) = await line.rows("SELECT phone FROM company.customers WHERE customer_id = 'C-200'")
    assert customer["phone"] == "+34600000034"
    assert await voices(line.vendors, said) == {Voiced("es", VOICES["es"])}


async def test_french_caller_books_a_callback(line: Line) -> None:
    async with line.caller("+33639981204", language="fr") as caller:
        said = [await caller.hears_out()]
        books = await Books.of(line, caller)
        day = await open_day(line, "FR", "fr")
        await caller.says(f"est-ce que quelqu'un pourrait me rappeler {day} à dix heures")
        said.append(await caller.hears_out())
        await books.asks("callback.topic")
        await caller.says("c'est pour une facture")
        said.append(await caller.hears_out())
        await books.asks("callback.phone")
        await caller.says("oui à ce numéro")
        said.append(await caller.hears_out())
        await books.asks("callback.confirm")
        await books.has_begun(0)
        await caller.says("oui parfait")
        said.append(await caller.hears_out())
        await books.asks("closing.more")
        await caller.says("non merci")
        said.append(await caller.hears_out())
        await caller.presses("4")
        await caller.sees("disconnected")
    entry = await books.has(state="closed")
    assert (entry["language"], entry["satisfaction"]) == ("fr", 4)
    assert await books.effects() == ["book_callback"]
    (booked,) = await line.rows(
        "SELECT phone, language, topic FROM company.callbacks WHERE call_id = %s", books.call_id
    )
    assert booked == {"phone": "+33639981204", "language": "fr", "topic": "une facture"}
    assert await voices(line.vendors, said) == {Voiced("fr", VOICES["fr"])}


async def test_caller_asks_for_spanish_in_the_middle_and_is_understood_and_answered_in_it(
    line: Line,
) -> None:
    async with line.caller("+15035550127") as caller:
        english = [await caller.hears_out()]
        books = await Books.of(line, caller)
        await caller.says("where is my order")
        english.append(await caller.hears_out())
        await books.asks("identity.fact")
        await caller.says("can we speak spanish")
        spanish = [await caller.hears_out()]
        await books.has(language="es", asks="identity.fact")
        await caller.says("nueve siete siete cero uno", language="es")
        spanish.append(await caller.hears_out())
        await books.has(language="es", verified=1)
        await caller.hangs_up()
    entry = await books.has(state="closed")
    assert entry["language"] == "es"
    await books.has_begun(0)
    assert await voices(line.vendors, english) == {Voiced("en", VOICES["en"])}
    assert await voices(line.vendors, spanish) == {Voiced("es", VOICES["es"])}
