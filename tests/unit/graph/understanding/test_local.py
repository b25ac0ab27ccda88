"""Whole utterances without network or model server: requests, what comes with them, and what is no request at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.understanding import commands as c
from graph.understanding.local import LocalUnderstander

COUNTRIES: dict[c.Language, str] = {"en": "US", "es": "ES", "fr": "FR"}
NOW = "2026-11-23T10:00:00-08:00"

#: The open question, the words, and the commands they mean, in order.
READ: dict[c.Language, list[tuple[c.Asks | None, str, tuple[str, ...]]]] = {
    "en": [
        (None, "oh sorry wrong number bye", ("goodbye",)),
        (None, "hello", ("greet",)),
        (
            None,
            "i need to update my address and also ask about returns",
            ("update_address", "ask_faq"),
        ),
        ("callback.phone", "use my other number", ("unclear",)),
        ("closing.more", "yeah and how long is the warranty", ("affirm", "ask_faq")),
        ("closing.more", "no thanks bye", ("goodbye",)),
        ("closing.more", "yes and can you change my address", ("affirm", "update_address")),
        ("closing.more", "and uh ten four eight two again please", ("order_status",)),
        ("closing.more", "it doesn't work", ("unclear",)),
        ("closing.more", "can i still cancel order h f one oh four eight two", ("ask_faq",)),
        (
            "resume.continue",
            "no i have another question do you sell gift cards",
            ("deny", "ask_faq"),
        ),
        ("callback.phone", "yes this number", ("affirm",)),
        ("callback.topic", "at this number", ("affirm",)),
        ("callback.time", "to this number please", ("affirm",)),
        ("callback.topic", "no forget about the callback", ("callback",)),
        ("account.confirm", "yes and what are your opening hours", ("affirm", "ask_faq")),
        ("account.confirm", "i do not think so", ("deny",)),
        ("account.confirm", "it is not what i said", ("deny",)),
        ("callback.confirm", "i would not say that is right", ("deny",)),
        ("callback.confirm", "i'm not sure that's right", ("unclear",)),
        ("account.confirm", "i doubt that's correct", ("unclear",)),
        ("account.confirm", "yes more or less", ("unclear",)),
        ("account.confirm", "yes sure that's right", ("affirm",)),
        ("identity.fact", "nueve siete tres cero uno", ("answer",)),
    ],
    "es": [
        (
            None,
            "hola quería cambiar la dirección y también el teléfono",
            ("update_address", "update_phone"),
        ),
        ("closing.more", "vale pues nada más gracias", ("deny",)),
        ("callback.phone", "no a otro número", ("deny",)),
        ("identity.account", "no tengo el número", ("unclear",)),
        ("resume.continue", "no me has entendido", ("correct",)),
        ("account.confirm", "bueno más o menos", ("unclear",)),
        ("account.confirm", "sí claro está bien", ("affirm",)),
    ],
    "fr": [
        (None, "salut", ("greet",)),
        (
            None,
            "rappelez-moi au zéro six douze trente-quatre cinquante-six soixante-dix-huit",
            ("callback", "answer"),
        ),
        (None, "vous pouvez me rappeler mercredi à midi", ("callback", "answer")),
        ("closing.more", "bon ben merci", ("thank",)),
        ("account.confirm", "mouais bof pas convaincu", ("unclear",)),
        ("account.confirm", "oui enfin non", ("unclear",)),
        ("account.confirm", "oui mais pas le numéro", ("unclear",)),
        ("callback.confirm", "oui pas de souci", ("affirm",)),
    ],
}
CASES = [(language, *case) for language, cases in READ.items() for case in cases]


@pytest.fixture(scope="module")
def understander(model_home: Path) -> LocalUnderstander:
    return LocalUnderstander(model_home / "cache")


def read(
    understander: LocalUnderstander, language: c.Language, asks: c.Asks | None, text: str
) -> c.Understanding:
    pending = c.Pending(asks=asks, language=language, country=COUNTRIES[language], now=NOW)
    return understander.understand(text, pending)


@pytest.mark.parametrize(("language", "asks", "text", "commands"), CASES)
def test_an_utterance_is_read(
    understander: LocalUnderstander,
    language: c.Language,
    asks: c.Asks | None,
    text: str,
    commands: tuple[str, ...],
) -> None:
    found = read(understander, language, asks, text)
    assert tuple(one.command for one in found.commands) == commands


@pytest.mark.parametrize(
    ("language", "text"),
    [("es", "y por qué no"), ("fr", "lundi après-midi"), ("en", "not working")],
)
def test_nobody_is_sent_away_on_a_guess(
    understander: LocalUnderstander, language: c.Language, text: str
) -> None:
    found = read(understander, language, "closing.more", text)
    assert not {one.command for one in found.commands} & {"deny", "goodbye"}


def test_a_number_said_in_another_language_is_read_and_shows_the_language(
    understander: LocalUnderstander,
) -> None:
    found = read(understander, "en", "identity.fact", "nueve siete tres cero uno")
    assert found.commands == (c.Answer(slot="postal_code", value="97301"),)
    assert (found.language, found.language_sure) == ("es", True)


def test_the_knowledge_base_is_asked_the_question_without_what_leads_up_to_it(
    understander: LocalUnderstander,
) -> None:
    found = read(understander, "en", None, "sorry i'm here i wanna know if you're open on saturday")
    assert found.commands == (c.AskFaq(question="you're open on saturday"),)
