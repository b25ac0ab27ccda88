"""What the open question expects, in three languages: yes and no, corrections, parts named, and nothing on nonsense."""

from __future__ import annotations

import pytest

from graph.understanding import commands as c
from graph.understanding.expected import named_topic, read_expected
from graph.understanding.heard import heard

COUNTRIES: dict[c.Language, str] = {"en": "US", "es": "ES", "fr": "FR"}
OFFERED_TIMES = (
    "2026-11-24T10:00:00-08:00",
    "2026-11-24T10:30:00-08:00",
    "2026-11-24T11:00:00-08:00",
)

#: Written as `affirm`, `deny`, `slot=value` for an answer, `!slot=value` and `!slot` for a correction.
READ: dict[tuple[c.Language, c.Asks], dict[str, str]] = {
    ("en", "account.confirm"): {
        "yes": "affirm",
        "um yes": "affirm",
        "uh huh": "affirm",
        "yes thank you": "affirm",
        "thanks yes that's right": "affirm",
        "no": "deny",
        "no thanks": "deny",
        "right no": "deny",
        "yeah no": "deny",
        "no fifty main street": "!line1=50 Main Street",
        "no it's fifteen not fifty": "!line1=15",
        "no not fifty fifteen": "!line1=15",
        "no apartment five": "!line2=Apartment 5",
        "yes but the apartment is five": "!line2=Apartment 5",
        "yes and the zip is nine seven two oh six": "!postal_code=97206",
        "no the zip code is nine seven two oh six": "!postal_code=97206",
        "no salem": "!city=Salem",
        "no the city is bend": "!city=Bend",
        "no the street is wrong": "!line1",
        "no the zip code": "!postal_code",
        "no it's five oh three five five five oh one five five": "!phone=+15035550155",
        "yes no wait it's nineteen oak lane": "!line1=19 Oak Lane",
        "yes and where's my other order": "affirm",
        "what": "",
    },
    ("es", "account.confirm"): {
        "sí": "affirm",
        "pues sí gracias": "affirm",
        "que sí": "affirm",
        "no": "deny",
        "no gracias": "deny",
        "vale pues no": "deny",
        "no es el quince no el cinco": "!line1=15",
        "no calle luna catorce": "!line1=Calle Luna 14",
        "sí y el piso es el tercero b": "!line2=3 B",
        "no el código postal es veintiocho cero catorce": "!postal_code=28014",
        "sí pero el código postal está mal": "!postal_code",
        "no es en getafe": "!city=Getafe",
        "no entiendo": "",
        "no le oigo": "",
    },
    ("fr", "account.confirm"): {
        "oui": "affirm",
        "ben oui": "affirm",
        "oui c'est ça merci": "affirm",
        "non": "deny",
        "d'accord non": "deny",
        "non trois rue du bac": "!line1=3 Rue du Bac",
        "oui mais c'est au deuxième étage": "!line2=2e étage",
        "non c'est le quinze pas le cinq": "!line1=15",
        "non la ville c'est bron": "!city=Bron",
        "non le code postal c'est soixante-neuf cinq cents": "!postal_code=69500",
        "non la rue": "!line1",
    },
    ("en", "callback.confirm"): {
        "yes": "affirm",
        "no": "deny",
        "no at four": "!time=T16:00",
        "no make it thursday": "!time=2026-11-26",
        "oh and not tomorrow on wednesday": "!time=2026-11-25",
        "no the number is wrong": "!phone",
        "the number is wrong": "!phone",
        "yes at this number": "affirm",
        "at this number": "",
        "no the time": "!time",
        "no call me on five oh three five five five oh one four four": "!phone=+15035550144",
    },
    ("es", "callback.confirm"): {
        "no mejor a las cinco y media": "!time=T17:30",
        "no el martes no el miércoles": "!time=2026-11-24",
        "no la hora": "!time",
        "de acuerdo": "affirm",
    },
    ("fr", "callback.confirm"): {
        "ah non pas demain jeudi": "!time=2026-11-26",
        "non plutôt à quinze heures": "!time=T15:00",
        "oui parfait": "affirm",
    },
    ("en", "account.address"): {
        "yup": "affirm",
        "no it's fine it's all correct": "deny",
        "the street": "!line1",
        "the zip code": "!postal_code",
        "the city": "!city",
        "fifty": "line1=50",
        "fifty main street": "line1=50 Main Street",
        "what": "",
    },
    ("es", "account.address"): {
        "la calle": "!line1",
        "el código postal": "!postal_code",
        "sí": "affirm",
    },
    ("fr", "account.address"): {
        "la rue": "!line1",
        "le code postal": "!postal_code",
        "oui": "affirm",
    },
    ("en", "identity.fact"): {
        "um one second okay it's 97205": "postal_code=97205",
        "oh okay um nine seven two oh five": "postal_code=97205",
        "it's h f one oh four eight two": "order=HF10482",
        "my order number is ten four eight two": "order=10482",
        "jane dot doe at example dot com": "email=jane.doe@example.com",
        "i'd rather not say": "",
        "my name is jane doe": "",
    },
    ("es", "identity.fact"): {
        "sí claro el 28013": "postal_code=28013",
        "un momento veintiocho cero trece": "postal_code=28013",
        "no me acuerdo": "",
    },
    ("fr", "identity.fact"): {
        "alors c'est soixante-quinze mille deux": "postal_code=75002",
        "je ne sais plus": "",
    },
    ("en", "identity.account"): {
        "it's five oh three five five five oh one two seven": "phone=+15035550127",
        "it should be under omar dot ruiz at example dot org": "email=omar.ruiz@example.org",
        "order h f two oh oh oh one": "order=HF20001",
    },
    ("en", "identity.code"): {
        "it's one two three four five six": "code=123456",
        "i didn't get any code": "choice=resend",
        "can you use my email": "choice=email",
        "it hasn't come": "choice=resend",
        "one two three": "",
    },
    ("es", "identity.code"): {
        "me ha llegado el 908172": "code=908172",
        "no me ha llegado nada": "choice=resend",
        "mándemelo al correo": "choice=email",
    },
    ("fr", "identity.code"): {
        "c'est le neuf zéro huit un sept deux": "code=908172",
        "j'ai pas reçu le code": "choice=resend",
        "par mail s'il vous plaît": "choice=email",
    },
    ("en", "escalation.choice"): {
        "yes": "affirm",
        "no i'll try again later": "deny",
        "tomorrow then": "choice=callback time=2026-11-24",
        "two": "",
        "fine call me tomorrow morning": "choice=callback time=2026-11-24/morning",
        "yes please put me through": "choice=now",
    },
    ("es", "escalation.choice"): {
        "bueno sí que me llamen el viernes a las diez": "choice=callback time=2026-11-27T10:00",
        "no gracias": "deny",
    },
    ("fr", "escalation.choice"): {
        "bon d'accord rappelez-moi demain matin": "choice=callback time=2026-11-24/morning",
        "non merci": "deny",
    },
    ("en", "callback.topic"): {
        "it's about a return i sent you guys": "topic=a return i sent you guys",
        "i want to talk about an invoice": "topic=an invoice",
        "i have a question about my warranty": "topic=my warranty",
        "a gift card": "topic=a gift card",
        "my number changed": "topic=my number changed",
        "at this number": "affirm",
        "yes": "",
    },
    ("es", "callback.topic"): {
        "es por lo de una factura": "topic=una factura",
        "quería hablar de una devolución": "topic=una devolución",
        "la garantía de una mesa": "topic=la garantía de una mesa",
    },
    ("fr", "callback.topic"): {
        "c'est pour une facture": "topic=une facture",
        "c'est au sujet d'un remboursement": "topic=un remboursement",
        "j'ai une question sur la garantie": "topic=la garantie",
    },
    ("en", "callback.phone"): {
        "yes this number": "affirm",
        "no a different one": "deny",
        "not this number": "deny",
        "my number is wrong": "deny",
        "five oh three five five five oh one four four": "phone=+15035550144",
    },
    ("en", "callback.time"): {
        "at this number": "affirm",
        "on this number please yes": "affirm",
        "my number is wrong": "!phone",
        "not this number": "!phone",
        "tomorrow at ten at this number": "time=2026-11-24T10:00",
    },
    ("es", "callback.time"): {
        "a este número por favor": "affirm",
        "mi número está mal": "!phone",
    },
    ("fr", "callback.time"): {
        "à ce numéro": "affirm",
        "ce numéro n'est pas le bon": "!phone",
    },
    ("en", "closing.more"): {
        "no": "deny",
        "okay great no that's it thank you": "deny",
        "great thanks": "thank",
        "yes please": "affirm",
    },
    ("es", "closing.more"): {
        "vale gracias": "thank",
        "vale pues nada más gracias": "deny",
        "sí": "affirm",
    },
    ("fr", "closing.more"): {
        "bon ben merci": "thank",
        "non c'est bon merci": "deny",
        "oui": "affirm",
    },
    ("es", "resume.continue"): {
        "sí claro": "affirm",
        "no otra cosa": "deny",
        "no me has entendido": "",
    },
}
CASES = [(place, text, wanted) for place, table in READ.items() for text, wanted in table.items()]


def read(language: c.Language, asks: c.Asks, text: str, offered: tuple[str, ...] = ()) -> str:
    now = "2026-11-23T10:00:00-08:00"
    country = COUNTRIES[language]
    pending = c.Pending(asks=asks, language=language, country=country, now=now, offered=offered)
    return " ".join(_written(one) for one in read_expected(heard(text, language, pending)))


def _written(one: c.Command) -> str:
    if isinstance(one, c.Answer):
        return f"{one.slot}={one.value}"
    if isinstance(one, c.Correct):
        return f"!{one.slot}={one.value}" if one.value else f"!{one.slot}"
    return one.command


@pytest.mark.parametrize(("place", "text", "wanted"), CASES)
def test_the_answer_to_the_open_question_is_read(
    place: tuple[c.Language, c.Asks], text: str, wanted: str
) -> None:
    assert read(*place, text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("the second one", "choice=2"),
        ("at ten thirty", "choice=2"),
        ("eleven works", "choice=3"),
        ("the last one please", "choice=3"),
        ("no thursday at two", "time=2026-11-26T14:00"),
        ("three in the afternoon", "time=T15:00"),
    ],
)
def test_one_of_the_times_offered_is_chosen_or_another_is_named(text: str, wanted: str) -> None:
    assert read("en", "callback.time", text, OFFERED_TIMES) == wanted


@pytest.mark.parametrize(
    ("language", "text", "topic"),
    [
        ("en", "can you call me back tomorrow at three pm about a broken chair", "a broken chair"),
        ("en", "call me back about an invoice tomorrow at ten please", "an invoice"),
        ("en", "call me back please", None),
        ("es", "me pueden llamar mañana sobre una factura", "una factura"),
        ("es", "llámenme por lo de la mesa rota el jueves a las diez", "la mesa rota"),
        ("fr", "rappelez-moi demain matin au sujet d'une facture", "une facture"),
        (
            "fr",
            "vous pouvez me rappeler à propos de ma commande demain à dix heures",
            "ma commande",
        ),
    ],
)
def test_what_a_callback_is_about_is_heard_with_the_wish_for_it(
    language: c.Language, text: str, topic: str | None
) -> None:
    said = named_topic(heard(text, language, c.Pending(language=language)))
    assert said == ((c.Answer(slot="topic", value=topic),) if topic else ())
