"""The words: three languages that say the same, every message used, every fact for the ear."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from fluent.syntax import FluentParser
from fluent.syntax import ast as ftl

from graph.dialogue import RUNGS
from graph.errors import MessageMissing
from graph.nodes.account import PARTS_IN_ORDER
from graph.nodes.say import MANNERS
from graph.nodes.understand import KEYED_YES_NO
from graph.state import CallbackRequest, HandOffReason, Lang
from graph.understanding.commands import Asks, FlowName, Mood
from graph.wording import facts as f
from graph.wording.line import (
    Code,
    Day,
    Fact,
    Items,
    Line,
    Listing,
    Moment,
    Money,
    Number,
    Phone,
    Place,
    Text,
    all_of,
    any_of,
    line,
)
from graph.wording.places import speak_place
from graph.wording.speak import FOLDER, FluentWording, bundle, speak_fact
from tools.records import Address, OrderItem, OrderStatusWord

LANGUAGES: tuple[Lang, ...] = get_args(Lang)
GRAPH = FOLDER.parent
TODAY = date(2026, 11, 23)

#: Ids the code makes while it runs: the prefix, and every ending it can have.
MADE_IN_CODE: dict[str, set[str]] = {
    "order-": {status.replace("_", "-") for status in get_args(OrderStatusWord)},
    "ask-address-": {slot.replace("_", "-") for slot in PARTS_IN_ORDER},
    "done-": {
        effect.replace("_", "-")
        for effect in get_args(CallbackRequest.model_fields["effect"].annotation)
    },
}
#: Parts of a sentence: they have no full stop.
FRAGMENTS = {"order-choice", "callback-slot", "faq-answer"}
#: What a request without a question mark begins with.
REQUESTS: dict[Lang, str] = {
    "en": r"\b(please|tell me|say|press|go ahead|you can)\b",
    "es": r"\b(por favor|d[íi]ga(me|melo)?|dígamelo|pulse|marcar|deletree|puede)\b",
    "fr": r"\b(s'il vous plaît|dites|donnez|tapez|appuyez|épelez|vous pouvez|allez-y)\b",
}
CLAIMS: dict[Lang, str] = {
    "en": r"Done|\b(is|are) (booked|changed|cancelled|moved)\b|has gone to|putting you through"
    r"|is done|already with",
    "es": r"Listo|ya está cambiad|queda (cancelad|para)|Hemos enviado|Le paso ahora"
    r"|ya está\b|ya lo tiene",
    "fr": r"C'est (fait|noté)|est (changé|annulé)|est parti|maintenant prévu|Je vous passe un"
    r"|c'est donc (réglé|fait)|déjà entre les mains",
}
KEY_HINT: dict[Lang, str] = {
    "en": r"\bpress one\b",
    "es": r"\bpulse uno\b",
    "fr": r"\btapez un\b(?! autre)",
}
#: Joints no speaker makes: two prepositions, an article or a small word not run together.
UNGRAMMATICAL: dict[Lang, str] = {
    "en": r"\b(to|for|on|at|in|from|by) (on|at|in|by) |\ba (?=[aeio])",
    "es": r"\b(a el|de el|para para|a a|de de)\b| y (?=h?i[^aeo])| o (?=h?o)",
    "fr": r"\b(à le|à les|de le|de les|des les|si il)\b"
    r"|\b(?<!-)([ljdmtsnc]|qu|que|je|ne|le|la|de|me|te|se) (?=(?!oui|onze|un )[aeiouyâàéèêîôh])",
}


# The files ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wordings:
    """One message of one file."""

    value: ftl.Pattern
    attributes: dict[str, ftl.Pattern]

    def patterns(self) -> Iterator[tuple[str, ftl.Pattern]]:
        yield "", self.value
        yield from self.attributes.items()


@cache
def messages(language: Lang) -> dict[str, Wordings]:
    read = FluentParser().parse((FOLDER / f"{language}.ftl").read_text("utf-8"))
    junk = [entry.content for entry in read.body if isinstance(entry, ftl.Junk)]
    assert not junk
    entries = [entry for entry in read.body if isinstance(entry, ftl.Message)]
    found: dict[str, Wordings] = {}
    for entry in entries:
        assert entry.value is not None, entry.id.name
        attributes = {one.id.name: one.value for one in entry.attributes}
        found[entry.id.name] = Wordings(entry.value, attributes)
    assert len(found) == len(entries), "a message is there twice"
    return found


def nodes_of(node: object) -> Iterator[ftl.BaseNode]:
    if isinstance(node, ftl.BaseNode):
        yield node
        for child in vars(node).values():
            yield from nodes_of(child)
    elif isinstance(node, list):
        for child in node:
            yield from nodes_of(child)


def variables(pattern: ftl.Pattern) -> set[str]:
    return {one.id.name for one in nodes_of(pattern) if isinstance(one, ftl.VariableReference)}


def selects(pattern: ftl.Pattern) -> list[ftl.SelectExpression]:
    return [one for one in nodes_of(pattern) if isinstance(one, ftl.SelectExpression)]


def keys_of(select: ftl.SelectExpression) -> set[str]:
    keys = [variant.key for variant in select.variants]
    return {key.name if isinstance(key, ftl.Identifier) else key.value for key in keys}


def shape(language: Lang) -> dict[str, tuple[set[str], list[set[str]]]]:
    """Every message and attribute: its variables, and the keys it chooses by."""
    return {
        f"{name}.{attribute}".rstrip("."): (
            variables(pattern),
            [keys_of(one) for one in selects(pattern)],
        )
        for name, message in messages(language).items()
        for attribute, pattern in message.patterns()
    }


ALL_IDS = sorted(shape("en"))


@pytest.mark.parametrize("language", ["es", "fr"])
def test_every_language_has_the_same_messages_attributes_variables_and_choices(
    language: Lang,
) -> None:
    english, other = shape("en"), shape(language)
    assert other.keys() == english.keys()
    assert {name for name in english if other[name] != english[name]} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_a_copy_of_the_english_one(language: Lang) -> None:
    if language == "en":
        return
    same = {
        name
        for name in messages("en")
        if texts(name, language) & texts(name, "en") and name not in FRAGMENTS
    }
    assert same == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_choice_has_a_default_and_knows_its_words(language: Lang) -> None:
    known = {
        "flow": {*get_args(FlowName), "other"},
        "part": set(PARTS_IN_ORDER),
        "spoken": set(LANGUAGES),
        "level": {"0", "1", "2"},
        "reason": set(get_args(HandOffReason)),
    }
    for name, message in messages(language).items():
        for _, pattern in message.patterns():
            for select in selects(pattern):
                assert [variant.default for variant in select.variants].count(True) == 1, name
                assert isinstance(select.selector, ftl.VariableReference)
                assert keys_of(select) <= known[select.selector.id.name], name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_resumed_call_names_every_flow_and_what_writes_is_always_named(language: Lang) -> None:
    (resumed,) = selects(messages(language)["ask-resume"].value)
    assert keys_of(resumed) == set(get_args(FlowName))
    for name in ("left-open", "cancelled", "back-to"):
        (select,) = selects(messages(language)[name].value)
        assert keys_of(select) >= {"update_address", "update_phone", "callback", "other"}
    (part,) = selects(messages(language)["address-part-wrong"].value)
    assert keys_of(part) == set(PARTS_IN_ORDER)


# The code -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Use:
    """A place in the code that says a message: its id, or the beginning of one made there."""

    where: str
    id: str
    made: bool
    facts: frozenset[str]
    asks: str | None


@cache
def uses() -> tuple[Use, ...]:
    found: list[Use] = []
    for file in sorted(GRAPH.rglob("*.py")):
        if file.parent == FOLDER:
            continue
        module = ast.parse(file.read_text("utf-8"))
        for function in ast.walk(module):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                found += uses_in(function, file)
    return tuple(found)


def uses_in(function: ast.FunctionDef | ast.AsyncFunctionDef, file: Path) -> Iterator[Use]:
    for call in ast.walk(function):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
            continue
        given = {one.arg: one.value for one in call.keywords if one.arg}
        message = {
            "line": lambda call=call, given=given: call.args[0] if call.args else None,
            "Line": lambda call=call, given=given: given.get("id"),
            "ask": lambda call=call, given=given: call.args[3],
        }.get(call.func.id, lambda: None)()
        if message is None:
            continue
        asked = call.args[2] if call.func.id == "ask" else None
        asks = str(asked.value) if isinstance(asked, ast.Constant) else None
        where = f"{file.relative_to(GRAPH)}:{call.lineno}"
        facts = frozenset(given) - {"source", "slot", "offered"}
        for text, made in strings(message, function):
            yield Use(where, text, made, facts, asks)


def strings(
    node: ast.expr, function: ast.FunctionDef | ast.AsyncFunctionDef
) -> Iterator[tuple[str, bool]]:
    """Every string an expression can be, and whether more of it is made in code."""
    if isinstance(node, ast.Constant):
        yield str(node.value), False
    elif isinstance(node, ast.IfExp):
        yield from strings(node.body, function)
        yield from strings(node.orelse, function)
    elif isinstance(node, ast.Subscript):
        yield from strings(node.value, function)
    elif isinstance(node, ast.Tuple):
        for one in node.elts:
            yield from strings(one, function)
    elif isinstance(node, ast.JoinedStr):
        assert isinstance(node.values[0], ast.Constant)
        yield str(node.values[0].value), True
    elif isinstance(node, ast.Name):
        for statement in ast.walk(function):
            if isinstance(statement, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == node.id
                for target in statement.targets
            ):
                yield from strings(statement.value, function)
    else:
        pytest.fail(f"{ast.unparse(node)}: an id this test cannot read")


def said_by_code() -> set[str]:
    """Every message the code can say."""
    whole = {use.id.partition(".")[0] for use in uses() if not use.made}
    made = {prefix + ending for prefix, endings in MADE_IN_CODE.items() for ending in endings}
    return whole | made


def ids_of(use: Use) -> list[str]:
    return [use.id + ending for ending in MADE_IN_CODE[use.id]] if use.made else [use.id]


def test_the_code_makes_only_the_ids_named_here() -> None:
    assert {use.id for use in uses() if use.made} == set(MADE_IN_CODE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_the_code_says_exists(language: Lang) -> None:
    known = shape(language).keys()
    missing = {f"{use.where} {id_}" for use in uses() for id_ in ids_of(use) if id_ not in known}
    assert missing == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_unused(language: Lang) -> None:
    assert set(messages(language)) - said_by_code() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_code_gives_every_variable_its_message_needs(language: Lang) -> None:
    for use in uses():
        for id_ in ids_of(use):
            message = messages(language)[id_.partition(".")[0]]
            for _, pattern in message.patterns():
                assert variables(pattern) <= use.facts, f"{use.where} {id_}"


def test_every_question_has_words_for_each_rung_of_the_repair_ladder() -> None:
    rungs = {rung.lstrip(".") for rung in RUNGS if rung}
    for name, message in messages("en").items():
        assert name.startswith("ask-") == (rungs <= message.attributes.keys()), name


def test_manners_are_messages() -> None:
    assert messages("en").keys() >= MANNERS


# Speaking -------------------------------------------------------------------------------------------------


def at(day: int, hour: int, minute: int = 0) -> Moment:
    when = datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo("Europe/Madrid"))
    return Moment(value=when, today=TODAY)


LAMP = OrderItem(quantity=1, name="lámpara de pie")
STOOLS = OrderItem(quantity=2, name="Oak stool")
SHELF = OrderItem(quantity=1, name="étagère")
HOME = Address(line1="12 Rue de la Paix", city="Paris", postal_code="75002", country="FR")
CHOICES = tuple(
    line("order-choice", items=Items(value=items), placed=Day(value=day, today=TODAY))
    for items, day in (
        ((LAMP,), date(2026, 11, 22)),
        ((SHELF,), date(2026, 11, 3)),
        ((STOOLS, SHELF), date(2025, 12, 1)),
    )
)
MOMENTS = (at(23, 16), at(24, 10), at(25, 9, 30), at(26, 12), at(30, 15, 45))
#: Plausible facts, by the variable they stand for.
PLAUSIBLE: dict[str, tuple[Fact, ...]] = {
    "company": (Text(value="Juniper and Oak"), Text(value="Atelier Onze")),
    "flow": tuple(Text(value=name) for name in (*get_args(FlowName), "none")),
    "part": tuple(Text(value=slot) for slot in PARTS_IN_ORDER),
    "ending": (Code(value="0127"),),
    "answer": (Text(value="We deliver in three to five days."),),
    "order": (Code(value="HF-10482"),),
    "items": (Items(value=(STOOLS,)), Items(value=(LAMP, SHELF)), Items(value=(SHELF,) * 5)),
    "day": tuple(
        Day(value=TODAY + timedelta(days=days), today=TODAY) for days in (-400, -9, -2, 0, 1, 2, 5)
    ),
    "placed": (Day(value=TODAY, today=TODAY), Day(value=date(2026, 10, 1), today=TODAY)),
    "carrier": (Text(value="UPS"), Text(value="Colissimo")),
    "tracking": (Code(value="1Z9994821"), Code(value="FR40050")),
    "orders": (any_of(CHOICES), any_of(CHOICES[:2])),
    "address": (Place(value=HOME),),
    "phone": (Phone(value="+33639981204"), Phone(value="+34600000012")),
    "when": MOMENTS,
    "slots": (
        any_of(line("callback-slot", when=when) for when in MOMENTS[:3]),
        any_of(line("callback-slot", when=when) for when in MOMENTS[1:2]),
    ),
    "spoken": tuple(Text(value=language) for language in LANGUAGES),
    "level": tuple(Text(value=str(level)) for level in range(3)),
    "reason": tuple(Text(value=reason) for reason in get_args(HandOffReason)),
    "topic": (
        Text(value="a return"),
        Text(value="una factura"),
        Text(value="un article abîmé"),
    ),
}


def spoken(id_: str, language: Lang, mood: Mood = "calm", variant: int = 0) -> list[str]:
    """The message with each of the plausible facts in turn."""
    name, _, attribute = id_.partition(".")
    message = messages("en")[name]
    needed = variables(message.attributes[attribute] if attribute else message.value)
    rounds = max((len(PLAUSIBLE[one]) for one in needed), default=1)
    lines = [
        Line(id=id_, facts={one: PLAUSIBLE[one][at % len(PLAUSIBLE[one])] for one in needed})
        for at in range(rounds)
    ]
    wording = FluentWording()
    return [wording.speak([one], language, mood=mood, variant=variant) for one in lines]


def texts(name: str, language: Lang) -> set[str]:
    """Everything one message can say, attributes too."""
    ids = [one for one in ALL_IDS if one.partition(".")[0] == name]
    return {text for id_ in ids for text in spoken(id_, language)}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("id_", ALL_IDS)
def test_every_message_is_a_sentence_with_plausible_facts(id_: str, language: Lang) -> None:
    for text in spoken(id_, language):
        assert text
        assert text == " ".join(text.split())
        assert not re.search(r"[{}]|None", text)
        if id_.partition(".")[0] not in FRAGMENTS:
            assert text[-1] in ".?!", text
            assert text.lstrip("¿¡")[0].isupper(), text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("id_", ALL_IDS)
def test_facts_join_their_sentence_as_people_speak(id_: str, language: Lang) -> None:
    for text in spoken(id_, language):
        wrong = re.search(UNGRAMMATICAL[language], text)
        assert wrong is None, f"{wrong and wrong.group()!r} in {text}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("id_", ALL_IDS)
def test_the_words_of_a_message_have_nothing_a_voice_stumbles_over(
    id_: str, language: Lang
) -> None:
    name, _, attribute = id_.partition(".")
    message = messages(language)[name]
    pattern = message.attributes[attribute] if attribute else message.value
    for element in nodes_of(pattern):
        if isinstance(element, ftl.TextElement):
            assert not re.search(r"[\d()\[\]/&%#*_+;\"“”…]", element.value), element.value
            shouted = set(re.findall(r"\b[A-Z]{2,}\b", element.value)) - {"SMS"}
            assert shouted == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_spanish_question_opens_as_it_closes_and_nobody_asks_twice(language: Lang) -> None:
    for id_ in ALL_IDS:
        for text in spoken(id_, language):
            if language == "es":
                assert text.count("¿") == text.count("?")
                assert text.count("¡") == text.count("!")
            assert text.count("?") <= 1, text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [name for name in messages("en") if name.startswith("ask-")])
def test_every_question_asks(name: str, language: Lang) -> None:
    """Plainly it is a question; said again it may also be a request."""
    for id_ in (one for one in ALL_IDS if one.partition(".")[0] == name):
        attribute = id_.partition(".")[2]
        for text in spoken(id_, language):
            asked = "?" in text
            requested = re.search(REQUESTS[language], text, re.IGNORECASE) is not None
            assert asked or (requested and attribute not in ("", "upset")), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_read_back_ends_with_its_question_and_holds_every_fact(language: Lang) -> None:
    for name in (one for one in messages("en") if one.startswith("read-back-")):
        for text in spoken(name, language):
            assert text.endswith("?"), text
    facts: dict[str, Fact] = {
        "when": MOMENTS[1],
        "phone": Phone(value="+34600000012"),
        "topic": Text(value="T"),
    }
    text = FluentWording().speak([Line(id="read-back-callback", facts=facts)], language)
    for fact in facts.values():
        assert speak_fact(fact, language) in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_only_told_asks_nothing(language: Lang) -> None:
    asking = ("ask-", "read-back-", "greeting", "still-there")
    for name in messages("en"):
        if not name.startswith(asking):
            assert not any("?" in text for text in texts(name, language)), name


# Promises -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_what_was_done_is_called_done(language: Lang) -> None:
    silent = {"order-cancelled", "order-delivered", "already-done", "faq-answer"}
    for name in messages("en"):
        claims = [one for one in texts(name, language) if re.search(CLAIMS[language], one)]
        if name.startswith("done-"):
            assert claims, name
        elif name not in silent:
            assert not claims, claims


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_detail_that_does_not_match_says_nothing_about_an_account(language: Lang) -> None:
    telling = (
        r"account|cuenta|compte|exist|registr|no hay|find|found|encuentr|trouv|wrong|incorrect"
    )
    for text in texts("identity-no-match", language):
        assert not re.search(telling, text, re.IGNORECASE), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_greeting_says_it_is_a_machine_and_that_it_records(language: Lang) -> None:
    machine = {
        "en": "automated assistant",
        "es": "asistente automático",
        "fr": "assistant automatique",
    }
    for id_ in ("greeting", "greeting.recorded", "welcome-back", "welcome-back.recorded"):
        for text in spoken(id_, language):
            assert machine[language] in text
            assert "Juniper and Oak" in text or "Atelier Onze" in text
    recorded = {"en": "recorded", "es": "se graba", "fr": "enregistré"}[language]
    for id_ in ("greeting", "welcome-back"):
        assert all(recorded in text for text in spoken(f"{id_}.recorded", language))
        assert not any(recorded in text for text in spoken(id_, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_keys_for_yes_are_named_only_where_they_are_heard(language: Lang) -> None:
    asks = {use.id: use.asks for use in uses() if use.asks}
    assert set(asks.values()) <= set(get_args(Asks))
    for name in messages("en"):
        hinted = any(re.search(KEY_HINT[language], text) for text in texts(name, language))
        if hinted:
            assert asks[name] in KEYED_YES_NO, name


# FluentWording --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_repeats_vary_and_upset_callers_hear_other_words(language: Lang) -> None:
    assert len({spoken("ask-more", language, variant=one)[0] for one in range(3)}) == 3
    assert spoken("ask-more", language, variant=3) == spoken("ask-more", language)
    upset = spoken("ask-more", language, mood="upset")
    assert upset == spoken("ask-more", language, mood="angry")
    assert upset[0] not in {spoken("ask-more", language, variant=one)[0] for one in range(3)}


def test_sentences_are_joined_by_a_space() -> None:
    lines = [line("hello-again"), line("ask-how-help")]
    assert FluentWording().speak(lines, "fr") == "Bonjour ! En quoi puis-je vous aider ?"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("wrong", [line("no-such-message"), line("order-carrier")])
def test_a_missing_message_or_fact_is_an_error_and_never_half_a_sentence(
    wrong: Line, language: Lang
) -> None:
    with pytest.raises(MessageMissing):
        FluentWording().speak([wrong], language)


@pytest.mark.parametrize(
    ("fact", "en", "es", "fr"),
    [
        (Text(value="UPS"), "UPS", "UPS", "UPS"),
        (Number(value=21), "twenty-one", "veintiuno", "vingt et un"),
        (Code(value="HF-12345"), "H F, 1 2 3 4 5", None, None),
        (Phone(value="+33199001234"), "0 1, 9 9, 0 0, 1 2, 3 4", None, None),
        (Money(cents=100, currency="EUR"), "one euro", "un euro", "un euro"),
        (Day(value=TODAY, today=TODAY), "today", "hoy", "aujourd'hui"),
        (at(24, 12), "tomorrow at noon", "mañana a las doce del mediodía", "demain à midi"),
        (Items(value=(STOOLS,)), "two of the Oak stool", "dos unidades de Oak stool", None),
        (Place(value=HOME), None, None, "12 Rue de la Paix, soixante-quinze mille deux, Paris"),
    ],
)
def test_every_kind_of_fact_is_spoken(
    fact: Fact, en: str | None, es: str | None, fr: str | None
) -> None:
    for language, expected in zip(LANGUAGES, (en, es, fr), strict=True):
        if expected is not None:
            assert speak_fact(fact, language) == expected


def test_a_list_of_lines_is_spoken_by_the_wording_alone() -> None:
    with pytest.raises(MessageMissing):
        speak_fact(all_of(CHOICES), "en")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            (
                "Which order do you mean: the one with lámpara de pie, ordered yesterday,"
                " or the one with étagère, ordered on Tuesday, November third?"
            ),
        ),
        (
            "es",
            (
                "¿De qué pedido me habla: el de lámpara de pie, hecho ayer,"
                " o el de étagère, hecho el martes tres de noviembre?"
            ),
        ),
        (
            "fr",
            (
                "De quelle commande parlez-vous : celle avec lámpara de pie, passée hier,"
                " ou celle avec étagère, passée le mardi trois novembre ?"
            ),
        ),
    ],
)
def test_orders_to_choose_from_are_one_question(language: Lang, expected: str) -> None:
    asked = line("ask-order-which", orders=Listing(value=CHOICES[:2], joined_by="or"))
    assert FluentWording().speak([asked], language) == expected


def test_a_file_is_read_once() -> None:
    assert bundle("es") is bundle("es")


# Facts for the ear ----------------------------------------------------------------------------------------

Row = tuple[str, str, str]
DAYS: dict[str, Row] = {
    "2026-11-23": ("today", "hoy", "aujourd'hui"),
    "2026-11-24": ("tomorrow", "mañana", "demain"),
    "2026-11-25": ("on Wednesday", "pasado mañana", "après-demain"),
    "2026-11-26": ("on Thursday", "el jueves", "jeudi"),
    "2026-11-29": ("on Sunday", "el domingo", "dimanche"),
    "2026-11-30": (
        "on Monday, November thirtieth",
        "el lunes treinta de noviembre",
        "le lundi trente novembre",
    ),
    "2026-12-01": (
        "on Tuesday, December first",
        "el martes primero de diciembre",
        "le mardi premier décembre",
    ),
    "2026-12-21": (
        "on Monday, December twenty-first",
        "el lunes veintiuno de diciembre",
        "le lundi vingt et un décembre",
    ),
    "2026-11-22": ("yesterday", "ayer", "hier"),
    "2026-11-21": ("on Saturday, November twenty-first", "anteayer", "avant-hier"),
    "2026-11-20": (
        "on Friday, November twentieth",
        "el viernes veinte de noviembre",
        "le vendredi vingt novembre",
    ),
    "2026-11-11": (
        "on Wednesday, November eleventh",
        "el miércoles once de noviembre",
        "le mercredi onze novembre",
    ),
    "2027-03-01": (
        "on Monday, March first",
        "el lunes primero de marzo",
        "le lundi premier mars",
    ),
    "2027-05-31": (
        "on Monday, May thirty-first",
        "el lunes treinta y uno de mayo",
        "le lundi trente et un mai",
    ),
    "2027-12-21": (
        "on Tuesday, December twenty-first, twenty twenty-seven",
        "el martes veintiuno de diciembre de dos mil veintisiete",
        "le mardi vingt et un décembre deux mille vingt-sept",
    ),
    "2005-01-31": (
        "on Monday, January thirty-first, two thousand five",
        "el lunes treinta y uno de enero de dos mil cinco",
        "le lundi trente et un janvier deux mille cinq",
    ),
}
TIMES: dict[str, Row] = {
    "00:00": ("at midnight", "a las doce de la noche", "à minuit"),
    "00:30": (
        "at half past twelve at night",
        "a las doce y media de la noche",
        "à minuit et demi",
    ),
    "01:00": ("at one in the morning", "a la una de la madrugada", "à une heure"),
    "03:05": (
        "at three oh five in the morning",
        "a las tres y cinco de la madrugada",
        "à trois heures cinq",
    ),
    "09:30": (
        "at half past nine in the morning",
        "a las nueve y media de la mañana",
        "à neuf heures trente",
    ),
    "10:00": ("at ten in the morning", "a las diez de la mañana", "à dix heures"),
    "10:21": (
        "at ten twenty-one in the morning",
        "a las diez y veintiuno de la mañana",
        "à dix heures vingt et une",
    ),
    "11:01": (
        "at eleven oh one in the morning",
        "a las once y uno de la mañana",
        "à onze heures une",
    ),
    "12:00": ("at noon", "a las doce del mediodía", "à midi"),
    "12:15": (
        "at twelve fifteen in the afternoon",
        "a las doce y cuarto del mediodía",
        "à midi et quart",
    ),
    "12:30": (
        "at half past twelve in the afternoon",
        "a las doce y media del mediodía",
        "à midi et demi",
    ),
    "13:00": ("at one in the afternoon", "a la una de la tarde", "à treize heures"),
    "15:45": (
        "at three forty-five in the afternoon",
        "a las tres y cuarenta y cinco de la tarde",
        "à quinze heures quarante-cinq",
    ),
    "18:00": ("at six in the evening", "a las seis de la tarde", "à dix-huit heures"),
    "20:00": ("at eight in the evening", "a las ocho de la noche", "à vingt heures"),
    "21:00": ("at nine at night", "a las nueve de la noche", "à vingt et une heures"),
    "21:21": (
        "at nine twenty-one at night",
        "a las nueve y veintiuno de la noche",
        "à vingt et une heures vingt et une",
    ),
    "23:59": (
        "at eleven fifty-nine at night",
        "a las once y cincuenta y nueve de la noche",
        "à vingt-trois heures cinquante-neuf",
    ),
}
MONEY: dict[tuple[int, str], Row] = {
    (100, "EUR"): ("one euro", "un euro", "un euro"),
    (2100, "EUR"): ("twenty-one euros", "veintiún euros", "vingt et un euros"),
    (3101, "EUR"): (
        "thirty-one euros and one cent",
        "treinta y un euros con un céntimo",
        "trente et un euros et un centime",
    ),
    (12900, "USD"): (
        "one hundred and twenty-nine dollars",
        "ciento veintinueve dólares",
        "cent vingt-neuf dollars",
    ),
    (1250, "EUR"): (
        "twelve euros and fifty cents",
        "doce euros con cincuenta céntimos",
        "douze euros cinquante",
    ),
    (1205, "EUR"): (
        "twelve euros and five cents",
        "doce euros con cinco céntimos",
        "douze euros et cinq centimes",
    ),
    (50, "EUR"): ("fifty cents", "cincuenta céntimos", "cinquante centimes"),
    (1, "USD"): ("one cent", "un centavo", "un cent"),
    (0, "EUR"): ("zero euros", "cero euros", "zéro euro"),
    (8000, "EUR"): ("eighty euros", "ochenta euros", "quatre-vingts euros"),
    (8021, "USD"): (
        "eighty dollars and twenty-one cents",
        "ochenta dólares con veintiún centavos",
        "quatre-vingts dollars vingt et un",
    ),
    (2100, "GBP"): ("twenty-one pounds", "veintiuna libras", "vingt et une livres"),
    (20101, "GBP"): (
        "two hundred and one pounds and one penny",
        "doscientas una libras con un penique",
        "deux cent une livres et un penny",
    ),
    (2100000, "EUR"): (
        "twenty-one thousand euros",
        "veintiún mil euros",
        "vingt et un mille euros",
    ),
    (100000000, "EUR"): ("one million euros", "un millón de euros", "un million d'euros"),
    (123456, "USD"): (
        "one thousand two hundred and thirty-four dollars and fifty-six cents",
        "mil doscientos treinta y cuatro dólares con cincuenta y seis centavos",
        "mille deux cent trente-quatre dollars cinquante-six",
    ),
    (-500, "EUR"): ("minus five euros", "menos cinco euros", "moins cinq euros"),
    (1250, "CHF"): (
        "twelve Swiss francs fifty",
        "doce francos suizos con cincuenta",
        "douze francs suisses cinquante",
    ),
    (2100, "MXN"): (
        "twenty-one Mexican pesos",
        "veintiún pesos mexicanos",
        "vingt et un pesos mexicains",
    ),
    (1205, "XQX"): ("twelve X Q X zero five", "doce X Q X con cero cinco", "douze X Q X zéro cinq"),
}
US_PHONE, ES_PHONE = "5 0 3, 5 5 5, 0 1 2 7", "6 0 0, 0 0, 0 0, 1 2"
PHONES: dict[str, Row] = {
    "+15035550127": (US_PHONE, US_PHONE, US_PHONE),
    "+14165550199": ("4 1 6, 5 5 5, 0 1 9 9",) * 3,
    "+34600000012": (ES_PHONE, ES_PHONE, ES_PHONE),
    "+34910000045": ("9 1 0, 0 0, 0 0, 4 5",) * 3,
    "+34900123456": ("9 0 0, 1 2 3, 4 5 6",) * 3,
    "+33639981204": (
        "0 6, 3 9, 9 8, 1 2, 0 4",
        "0 6, 3 9, 9 8, 1 2, 0 4",
        "zéro six, trente-neuf, quatre-vingt-dix-huit, douze, zéro quatre",
    ),
    "+33199001234": (
        "0 1, 9 9, 0 0, 1 2, 3 4",
        "0 1, 9 9, 0 0, 1 2, 3 4",
        "zéro un, quatre-vingt-dix-neuf, zéro zéro, douze, trente-quatre",
    ),
    "+33700000180": (
        "0 7, 0 0, 0 0, 0 1, 8 0",
        "0 7, 0 0, 0 0, 0 1, 8 0",
        "zéro sept, zéro zéro, zéro zéro, zéro un, quatre-vingts",
    ),
    "+33800123456": (
        "0, 8 0 0, 1 2, 3 4, 5 6",
        "0, 8 0 0, 1 2, 3 4, 5 6",
        "zéro, huit cents, douze, trente-quatre, cinquante-six",
    ),
    "+525512345678": ("5 5, 1 2 3 4, 5 6 7 8",) * 3,
    "+442079460958": ("0 2 0, 7 9 4 6, 0 9 5 8",) * 3,
    "+32470123456": ("0 4 7 0, 1 2, 3 4, 5 6",) * 3,
    "5035550127": ("5 0 3 5, 5 5 0 1, 2 7",) * 3,
}
CODES: dict[str, str] = {
    "HF-10482": "H F, 1 0 4 8 2",
    "hf10482": "H F, 1 0 4 8 2",
    "1Z9994821": "1 Z, 9 9 9 4, 8 2 1",
    "775001311": "7 7 5 0, 0 1 3 1 1",
    "123456": "1 2 3 4, 5 6",
    "12345": "1 2 3 4 5",
    "FR40050": "F R, 4 0 0 5 0",
    "US123456789": "U S, 1 2 3 4, 5 6 7 8 9",
    "0127": "0 1 2 7",
    "97205-1234": "9 7 2 0 5, 1 2 3 4",
    "K1A 0B1": "K 1 A, 0 B 1",
    "SW1A 2AA": "S W 1 A, 2 A A",
    "ABCDEFGHI": "A B C D, E F G H I",
    "A": "A",
    "": "",
}


def place(line1: str, town: str, country: str = "US", region: str = "", line2: str = "") -> Address:
    """The town as its postal code and name."""
    postal, _, city = town.partition(" ")
    return Address(
        line1=line1,
        line2=line2,
        city=city,
        region=region,
        postal_code=postal.replace("_", " "),
        country=country,
    )


PLACES: list[tuple[Address, Lang, str]] = [
    (
        place("12 Oak Avenue", "97205 Portland", region="OR"),
        "en",
        "12 Oak Avenue, Portland, Oregon, 9 7 2 0 5",
    ),
    (
        place("3 Pine St", "97301-1234 Salem", region="OR", line2="Apt. 7"),
        "en",
        "3 Pine Street, Apartment 7, Salem, Oregon, 9 7 3 0 1, 1 2 3 4",
    ),
    (
        place("1250 NW St. James St.", "63101 St. Louis", region="MO", line2="Apt 4B"),
        "en",
        "1250 Northwest Saint James Street, Apartment 4B, Saint Louis, Missouri, 6 3 1 0 1",
    ),
    (
        place("100 N 5th Ave", "10011 New York", region="NY", line2="Ste #200"),
        "en",
        "100 North 5th Avenue, Suite 200, New York, New York, 1 0 0 1 1",
    ),
    (
        place("1200 Main St NW", "20001 Washington", region="DC"),
        "en",
        "1200 Main Street Northwest, Washington, District of Columbia, 2 0 0 0 1",
    ),
    (
        place("500 E Dr King Dr", "78701 Austin", region="TX", line2="#3"),
        "en",
        "500 East Doctor King Drive, number 3, Austin, Texas, 7 8 7 0 1",
    ),
    (
        place("12345 Avenue E", "97701 Bend", region="OR"),
        "en",
        "1 2 3 4 5 Avenue E, Bend, Oregon, 9 7 7 0 1",
    ),
    (
        place("37-21 82nd St", "11372 Queens", region="NY"),
        "es",
        "37, 21 Eighty-second Street, Queens, New York, 1 1 3 7 2, Estados Unidos",
    ),
    (
        place("10 Downing St", "SW1A_2AA London", "GB"),
        "en",
        "10 Downing Street, London, S W 1 A, 2 A A, United Kingdom",
    ),
    (
        place("Calle Mayor 8", "28013 Madrid", "ES", "Madrid", "3 B"),
        "es",
        "Calle Mayor 8, tercero B, 2 8 0 1 3, Madrid",
    ),
    (
        place("C/ Mayor, 21", "28013 Madrid", "ES", "M", "1º izq."),
        "es",
        "Calle Mayor, 21, primero izquierda, 2 8 0 1 3, Madrid",
    ),
    (
        place("Avda. del Puerto 121", "46021 Valencia", "ES", line2="2ª planta"),
        "es",
        "Avenida del Puerto 121, segunda planta, 4 6 0 2 1, Valencia",
    ),
    (
        place("Calle Real S/N", "41004 Sevilla", "ES", line2="Bajo C"),
        "es",
        "Calle Real sin número, Bajo C, 4 1 0 0 4, Sevilla",
    ),
    (
        place("C/Luna nº5", "38001 Sta. Cruz", "ES", line2="Esc. 2, 12 A"),
        "es",
        "Calle Luna número 5, escalera 2, 12 A, 3 8 0 0 1, Santa Cruz",
    ),
    (
        place("Paseo de la Reforma 1250", "06600 Ciudad de México", "MX", "CDMX", "Int. 12"),
        "es",
        "Paseo de la Reforma 1250, interior 12, 0 6 6 0 0, Ciudad de México, México",
    ),
    (
        place("Calle Mayor 8", "28013 Madrid", "ES"),
        "fr",
        "Calle Mayor 8, 2 8 0 1 3, Madrid, Espagne",
    ),
    (
        place("12 Rue de la Paix", "75002 Paris", "FR"),
        "fr",
        "12 Rue de la Paix, soixante-quinze mille deux, Paris",
    ),
    (
        place("12 Rue de la Paix", "75002 Paris", "FR"),
        "en",
        "12 Rue de la Paix, 7 5 0 0 2, Paris, France",
    ),
    (
        place("12bis bd St-Michel", "75005 Paris", "FR", line2="2e étage"),
        "fr",
        "12 bis boulevard Saint-Michel, deuxième étage, soixante-quinze mille cinq, Paris",
    ),
    (
        place("1 av. du 8 mai 1945", "06000 Nice", "FR", line2="Bât. C, Appt n°12"),
        "fr",
        "1 avenue du 8 mai 1945, bâtiment C, appartement numéro 12, zéro six mille, Nice",
    ),
    (
        place("5 R. Hugo", "01000 Bourg-en-Bresse", "FR", line2="1er étage"),
        "fr",
        "5 rue Hugo, premier étage, zéro un mille, Bourg-en-Bresse",
    ),
    (
        place("5 Rue des Lilas", "80080 St-Étienne", "FR", line2="1re porte"),
        "fr",
        "5 Rue des Lilas, première porte, quatre-vingt mille quatre-vingts, Saint-Étienne",
    ),
    (
        place("Hauptstraße 5", "10115 Berlin", "DE"),
        "fr",
        "Hauptstraße 5, 1 0 1 1 5, Berlin, Allemagne",
    ),
    (place("Nowhere 1", "1 X", "XX", "somewhere"), "en", "Nowhere 1, X, somewhere, 1, XX"),
]
ITEMS: list[tuple[tuple[int, ...], Row]] = [
    ((1,), ("lamp", "lamp", "lamp")),
    ((2,), ("two of the lamp", "dos unidades de lamp", "deux fois lamp")),
    ((21,), ("twenty-one of the lamp", "veintiuna unidades de lamp", "vingt et une fois lamp")),
    ((1, 1), ("lamp and lamp", "lamp y lamp", "lamp et lamp")),
    ((1, 1, 1), ("lamp, lamp, and lamp", "lamp, lamp y lamp", "lamp, lamp et lamp")),
    (
        (1, 1, 1, 4),
        (
            "lamp, lamp, lamp, and one more",
            "lamp, lamp, lamp y un artículo más",
            "lamp, lamp, lamp et un autre article",
        ),
    ),
    (
        (1, 1, 1, 4, 1),
        (
            "lamp, lamp, lamp, and two more",
            "lamp, lamp, lamp y dos artículos más",
            "lamp, lamp, lamp et deux autres articles",
        ),
    ),
]
NUMBERS: dict[int, Row] = {
    0: ("zero", "cero", "zéro"),
    1: ("one", "uno", "un"),
    21: ("twenty-one", "veintiuno", "vingt et un"),
    71: ("seventy-one", "setenta y uno", "soixante et onze"),
    80: ("eighty", "ochenta", "quatre-vingts"),
    91: ("ninety-one", "noventa y uno", "quatre-vingt-onze"),
    100: ("one hundred", "cien", "cent"),
    200: ("two hundred", "doscientos", "deux cents"),
    201: ("two hundred and one", "doscientos uno", "deux cent un"),
    1234: (
        "one thousand two hundred and thirty-four",
        "mil doscientos treinta y cuatro",
        "mille deux cent trente-quatre",
    ),
    21000: ("twenty-one thousand", "veintiún mil", "vingt et un mille"),
    31000: ("thirty-one thousand", "treinta y un mil", "trente et un mille"),
    -5: ("minus five", "menos cinco", "moins cinq"),
}


def in_each(rows: dict[str, Row]) -> list[tuple[str, Lang, str]]:
    return [
        (given, language, row[at]) for given, row in rows.items() for at, language in ENUMERATED
    ]


ENUMERATED = tuple(enumerate(LANGUAGES))


@pytest.mark.parametrize(("day", "language", "expected"), in_each(DAYS))
def test_days_are_said_as_they_are_near(day: str, language: Lang, expected: str) -> None:
    assert f.speak_day(date.fromisoformat(day), TODAY, language) == expected


@pytest.mark.parametrize(("clock", "language", "expected"), in_each(TIMES))
def test_times_of_day_are_said_as_people_say_them(
    clock: str, language: Lang, expected: str
) -> None:
    assert f.speak_time(datetime.fromisoformat(f"2026-11-24T{clock}"), language) == expected


@pytest.mark.parametrize("given", MONEY)
@pytest.mark.parametrize(("at_", "language"), ENUMERATED)
def test_money_is_said_in_words(given: tuple[int, str], at_: int, language: Lang) -> None:
    assert f.speak_money(*given, language) == MONEY[given][at_]


@pytest.mark.parametrize(("phone", "language", "expected"), in_each(PHONES))
def test_phone_numbers_come_in_the_groups_of_their_country(
    phone: str, language: Lang, expected: str
) -> None:
    assert f.speak_phone(phone, language) == expected


@pytest.mark.parametrize(("code", "expected"), CODES.items())
def test_codes_are_spelled_in_groups(code: str, expected: str) -> None:
    assert f.speak_code(code) == expected


@pytest.mark.parametrize(("address", "language", "expected"), PLACES)
def test_addresses_have_no_abbreviations(address: Address, language: Lang, expected: str) -> None:
    assert speak_place(address, language) == expected


@pytest.mark.parametrize(("quantities", "row"), ITEMS)
def test_things_are_counted_and_the_rest_summed_up(quantities: tuple[int, ...], row: Row) -> None:
    items = tuple(OrderItem(quantity=one, name="lamp") for one in quantities)
    assert tuple(f.speak_items(items, language) for language in LANGUAGES) == row


@pytest.mark.parametrize(("number", "row"), NUMBERS.items())
def test_numbers_are_said_in_words(number: int, row: Row) -> None:
    assert tuple(f.speak_number(number, language) for language in LANGUAGES) == row


@pytest.mark.parametrize(
    ("parts", "joined_by", "expected"),
    [
        ("mesa hilo", "and", "mesa e hilo"),
        ("mesa iluminación", "and", "mesa e iluminación"),
        ("mesa hielo", "and", "mesa y hielo"),
        ("mañana hoy", "or", "mañana u hoy"),
        ("mesa olla", "or", "mesa u olla"),
        ("mesa silla jarrón", "or", "mesa, silla o jarrón"),
        ("mesa", "or", "mesa"),
        ("", "or", ""),
    ],
)
def test_spanish_lists_avoid_two_like_sounds(parts: str, joined_by: str, expected: str) -> None:
    assert f.speak_list(parts.split(), "es", "or" if joined_by == "or" else "and") == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_day_time_or_sum_has_a_digit_or_sign(language: Lang) -> None:
    spoken_facts = [
        *(f.speak_day(TODAY + timedelta(days=days), TODAY, language) for days in range(-800, 800)),
        *(
            f.speak_time(datetime(2026, 1, 1, *divmod(minute, 60)), language)  # noqa: DTZ001
            for minute in range(24 * 60)
        ),
        *(
            f.speak_money(cents, currency, language)
            for cents in (*range(-10, 3000), *range(3000, 9_000_000, 9_999))
            for currency in ("EUR", "USD", "GBP", "MXN")
        ),
    ]
    assert [
        one for one in spoken_facts if not re.fullmatch(r"[^\W\d_]+(?:(?:, | |-|')[^\W\d_]+)*", one)
    ] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_digits_of_phones_and_codes_stand_apart(language: Lang) -> None:
    spoken_facts = [
        *(f.speak_phone(phone, language) for phone in PHONES),
        *(f.speak_code(code) for code in CODES),
    ]
    assert [one for one in spoken_facts if re.search(r"\d\d|[^\w ,-]", one)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_addresses_have_no_long_number_sign_or_stop(language: Lang) -> None:
    for address, _, _ in PLACES:
        text = speak_place(address, language)
        assert not re.search(r"\d{5}|[^\w ,'-]|[ºª]|\s,|,,|  ", text), text
