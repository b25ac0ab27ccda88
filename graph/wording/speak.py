"""Lines to sentences: the message in the caller's language, its wording for their mood, its facts for the ear."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from fluent.runtime import FluentBundle, FluentResource

from graph.errors import MessageMissing
from graph.state import Lang
from graph.understanding.commands import Mood
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
)
from graph.wording.places import speak_place

FOLDER = Path(__file__).parent
VARIANTS = ("v2", "v3", "v4")


class FluentWording:
    """The wording of the three Fluent files."""

    def speak(
        self, lines: Sequence[Line], language: Lang, *, mood: Mood = "calm", variant: int = 0
    ) -> str:
        """Sentences joined by a space. `variant` picks among wordings.

        Raises:
            MessageMissing: the language has no such message, or a variable of it was not given.
        """
        sentences = [self._sentence(one, language, mood, variant) for one in lines]
        return " ".join(sentence for sentence in sentences if sentence)

    def _sentence(self, one: Line, language: Lang, mood: Mood, variant: int) -> str:
        name, _, attribute = one.id.partition(".")
        known = bundle(language)
        if not known.has_message(name):
            raise MessageMissing(f"{language}.ftl has no message {name!r}")
        message = known.get_message(name)
        pattern = message.value
        if attribute:
            pattern = message.attributes.get(attribute, message.value)
        elif mood != "calm" and "upset" in message.attributes:
            pattern = message.attributes["upset"]
        else:
            wordings = [
                message.value,
                *(message.attributes[v] for v in VARIANTS if v in message.attributes),
            ]
            pattern = wordings[variant % len(wordings)]
        if pattern is None:
            msg = f"{language}.ftl: {name!r} has no value"
            raise MessageMissing(msg)
        spoken = {key: self._fact(fact, language, variant) for key, fact in one.facts.items()}
        text, errors = known.format_pattern(pattern, spoken)
        if errors:
            raise MessageMissing(f"{language}.ftl, {one.id!r}: {errors[0]}")
        return str(text).strip()

    def _fact(self, fact: Fact, language: Lang, variant: int) -> str:
        if isinstance(fact, Listing):
            parts = [self._sentence(one, language, "calm", variant) for one in fact.value]
            return f.speak_list(parts, language, fact.joined_by)
        return speak_fact(fact, language)


def speak_fact(fact: Fact, language: Lang) -> str:
    """One fact for the ear."""
    match fact:
        case Text(value=value):
            return value
        case Number(value=value):
            return f.speak_number(value, language)
        case Code(value=value):
            return f.speak_code(value)
        case Phone(value=value):
            return f.speak_phone(value, language)
        case Money(cents=cents, currency=currency):
            return f.speak_money(cents, currency, language)
        case Day(value=day, today=today):
            return f.speak_day(day, today, language)
        case Moment(value=moment, today=today):
            return f.speak_moment(moment, today, language)
        case Place(value=place):
            return speak_place(place, language)
        case Items(value=items):
            return f.speak_items(items, language)
        case Listing():
            raise MessageMissing("a listing is spoken by FluentWording")


@cache
def bundle(language: Lang) -> FluentBundle:
    """The messages of a language, read once."""
    made = FluentBundle([language], use_isolating=False)
    made.add_resource(FluentResource((FOLDER / f"{language}.ftl").read_text("utf-8")))
    return made
