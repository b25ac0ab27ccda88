"""Whole calls over a real phone line, in three languages: what callers heard, and what is in the books afterwards."""

from __future__ import annotations

import pytest

from settings import VoiceSettings
from tests.acceptance.books import Books, open_day, opening
from tests.acceptance.line import Line
from tests.acceptance.spoken_as import Voiced, voices

pytestmark = pytest.mark.together
VOICES = VoiceSettings().voices
NO_KEY = "2"  #: words such as "no, that's all, thanks" may become two turns
NEW_ADDRESS = {
    "account.address": "fifty main street apartment four b",
    "account.address.city": "portland",
    "account.address.postal_code": "the zip is nine seven two oh five",
}


async def test_caller_changes_the_address_by_voice_and_keypad(line: Line) -> None:
    async with line.caller("+15035550188") as caller:
        assert "Juniper and Oak" in await caller.hears_out()
        books = await Books.of(line, caller)
        wish = opening("hi i moved and i need to change my address")
        await books.until_asked(caller, "identity.fact", wish)
        fact = {"identity.fact": "nine seven three oh one"}
        await books.until_asked(caller, "identity.code", fact)
        await caller.presses(await books.code())
        await caller.hears_out()
        await books.asks("account.address")
        *_, read_back = await books.until_asked(caller, "account.confirm", NEW_ADDRESS)
        assert "Main Street" in read_back
        await books.has_begun(0)
        await books.until_asked(caller, "closing.more", {"account.confirm": "yes that's right"})
        await books.until_asked(caller, "closing.satisfaction", {"closing.more": NO_KEY})
        await caller.presses("5")
        await caller.sees("disconnected")
        entry = await books.has(state="closed")
        assert (entry["outcome"], entry["satisfaction"]) == ("solved", 5)
        assert await books.effects() == ["update_address"]
        assert [notice.kind for notice in await books.notices()] == ["code", "address_changed"]


async def test_spanish_caller_changes_the_phone_number(line: Line) -> None:
    async with line.caller("+34600000012", language="es") as caller:
        said = [await caller.hears_out()]
        books = await Books.of(line, caller)
        wish = opening("he cambiado de número de teléfono y quería actualizarlo")
        said += await books.until_asked(caller, "identity.fact", wish)
        fact = {"identity.fact": "el veintiocho cero trece"}
        said += await books.until_asked(caller, "identity.code", fact)
        await caller.presses(await books.code())
        said.append(await caller.hears_out())
        await books.asks("account.phone")
        number = {"account.phone": "es el seiscientos cero cero cero cero treinta y cuatro"}
        said += await books.until_asked(caller, "account.confirm", number)
        await books.has_begun(0)
        said += await books.until_asked(caller, "closing.more", {"account.confirm": "eso es"})
        await caller.hangs_up()
        entry = await books.has(state="closed")
        assert (entry["language"], entry["outcome"]) == ("es", "solved")
        assert await books.effects() == ["update_phone"]
        assert [notice.kind for notice in await books.notices()] == ["code", "phone_changed"]
        (customer,) = await line.rows(
            "SELECT phone FROM company.customers WHERE customer_id = 'C-200'"
        )
        assert customer["phone"] == "+34600000034"
        assert await voices(line.vendors, said) == {Voiced("es", VOICES["es"])}


async def test_french_caller_books_a_callback(line: Line) -> None:
    async with line.caller("+33639981204", language="fr") as caller:
        said = [await caller.hears_out()]
        books = await Books.of(line, caller)
        day = await open_day(line, "FR", "fr")
        wish = opening(f"est-ce que quelqu'un pourrait me rappeler {day} à dix heures")
        details = {
            "callback.topic": "c'est pour une facture",
            "callback.phone": "oui à ce numéro",
            "callback.time": f"{day} à dix heures",
        }
        said += await books.until_asked(caller, "callback.confirm", wish | details)
        await books.has_begun(0)
        said += await books.until_asked(caller, "closing.more", {"callback.confirm": "oui parfait"})
        more = {"closing.more": NO_KEY}
        said += await books.until_asked(caller, "closing.satisfaction", more)
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
    async with line.caller("+15035550180") as caller:
        english = [await caller.hears_out()]
        books = await Books.of(line, caller)
        wish = opening("where is my order")
        english += await books.until_asked(caller, "identity.account", wish)
        await caller.presses("50007#")
        english.append(await caller.hears_out())
        await books.asks("identity.fact")
        asked = {"language": "es", "asks": "identity.fact"}
        spanish = [await books.says_until(caller, "can we speak spanish", **asked)]
        caller.language = "es"
        fact = "nueve siete siete cero uno"
        spanish.append(await books.says_until(caller, fact, language="es", verified=1))
        await caller.hangs_up()
        await books.has(state="closed", language="es")
        await books.has_begun(0)
        assert await voices(line.vendors, english) == {Voiced("en", VOICES["en"])}
        assert await voices(line.vendors, spanish) == {Voiced("es", VOICES["es"])}
