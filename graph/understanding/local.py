"""Utterance to commands without network or key, in milliseconds: what the open question expects first, then intent."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from graph.understanding import commands as c
from graph.understanding import spoken
from graph.understanding.expected import (
    ORDER_WORDS,
    QUESTION,
    Heard,
    address_answers,
    heard,
    phone_answer,
    read_expected,
    time_answer,
    unprefixed,
    yes_no,
)
from graph.understanding.intents import Guess, IntentModel, intent_model
from graph.understanding.language_id import read_language

LONGEST = 1000  # characters; nobody says more in one breath
SURE = 0.80  # an intent this likely wins over the answer a question expects
LIKELY = 0.45  # below this, an utterance counts as not understood
SHORTEST_ORDER, LONGEST_BARE = 4, 6  # digits; more are a phone number
WORDS_AROUND = 4  # "and uh ten four eight two again please"
SECOND = 0.12  # a request inside a complaint
#: What a caller may say at any question, whatever it asks for.
AT_ANY_TIME = {
    "repeat",
    "slower",
    "hold_on",
    "cancel",
    "talk_to_human",
    "goodbye",
    "switch_language_en",
    "switch_language_es",
    "switch_language_fr",
}
FLOWS = {
    "order_status",
    "order_not_received",
    "update_address",
    "update_phone",
    "callback_book",
    "callback_change",
    "callback_cancel",
    "talk_to_human",
}
#: What is taken from the words after a yes or a no; the rest of it is manners.
AFTER_YES_NO = {
    "order_status",
    "update_address",
    "update_phone",
    "callback",
    "talk_to_human",
    "answer",
    "ask_faq",
    "cancel",
    "goodbye",
    "repeat",
    "switch_language",
}
_PLAIN_COMMANDS: dict[str, c.Command] = {
    "callback_change": c.Callback(action="change"),
    "callback_cancel": c.Callback(action="cancel"),
    "talk_to_human": c.TalkToHuman(),
    "affirm": c.Affirm(),
    "deny": c.Deny(),
    "correct": c.Correct(),
    "cancel": c.Cancel(),
    "repeat": c.Repeat(),
    "slower": c.Slower(),
    "hold_on": c.HoldOn(),
    "switch_language_en": c.SwitchLanguage(language="en"),
    "switch_language_es": c.SwitchLanguage(language="es"),
    "switch_language_fr": c.SwitchLanguage(language="fr"),
    "greet": c.Greet(),
    "thank": c.Thank(),
    "goodbye": c.Goodbye(),
    "complain": c.Complain(),
    "out_of_scope": c.OutOfScope(),
    "unclear": c.Unclear(),
}


class LocalUnderstander:
    """Reads utterances with the examples in this folder. Models are loaded at first use, per language."""

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache
        self._models: dict[c.Language, IntentModel] = {}

    async def read(self, text: str, pending: c.Pending) -> c.Understanding:
        return self.understand(text, pending)

    def understand(self, text: str, pending: c.Pending) -> c.Understanding:
        """Never raises on words; whatever cannot be read is `unclear`."""
        text = re.sub(r"\s+", " ", text[:LONGEST]).strip()
        if not _sayable(text):
            return c.Understanding(
                language=pending.language, commands=(c.Unclear(),), confidence=0.0
            )
        reading = read_language(text, pending.language, pending.asks)
        one = heard(text, reading.language, pending)
        guesses = self._model(reading.language).guesses(text)
        commands, confidence = self._commands(one, guesses)
        return c.Understanding(
            language=reading.language,
            commands=commands,
            confidence=round(confidence, 2),
            mood=_mood(one, guesses[0]),
            language_sure=reading.sure,
        )

    def warm_up(self) -> None:
        """Load everything, so that the first caller does not wait for it."""
        for language in c.LANGUAGES:
            self._model(language)
            read_language("hello is anybody there", language, None)

    def _model(self, language: c.Language) -> IntentModel:
        if language not in self._models:
            self._models[language] = intent_model(language, self._cache)
        return self._models[language]

    def _commands(
        self, one: Heard, guesses: tuple[Guess, ...]
    ) -> tuple[tuple[c.Command, ...], float]:
        best = guesses[0]
        if best.intent in AT_ANY_TIME and best.share >= SURE and not _answers_plainly(one):
            return (_command(best.intent, one),), best.share
        expected = read_expected(one)
        if expected and not self._rather_intent(one, expected, best):
            return (*expected, *self._after_yes_no(one, expected)), 0.95
        return self._by_intent(one, guesses)

    def _rather_intent(self, one: Heard, expected: tuple[c.Command, ...], best: Guess) -> bool:
        """Free-text and yes/no readings give way to a clear request or question of another kind."""
        if best.share < SURE or best.intent in ("affirm", "deny", "correct", "unclear", "thank"):
            return False
        first = expected[0]
        if isinstance(first, c.Answer):
            if first.slot == "topic":
                return best.intent in AT_ANY_TIME or best.intent == "out_of_scope"
            return first.slot in ("city", "region", "line1") and not spoken.find_digits(
                one.text, one.language
            )
        return isinstance(first, c.Affirm | c.Deny) and yes_no(one)[1] == one.plain

    def _after_yes_no(self, one: Heard, expected: tuple[c.Command, ...]) -> tuple[c.Command, ...]:
        """What else was said after a yes or a no: another request, a question."""
        if not isinstance(expected[0], c.Affirm | c.Deny):
            return ()
        _, rest = yes_no(one)
        _, rest = one.words.leading("joints", rest)
        if len(rest.split()) < 2:
            return ()
        inner = heard(unprefixed(one, rest), one.language, one.pending)
        commands, _ = self._by_intent(inner, self._model(one.language).guesses(rest))
        return tuple(one for one in commands if one.command in AFTER_YES_NO)

    def _by_intent(
        self, one: Heard, guesses: tuple[Guess, ...]
    ) -> tuple[tuple[c.Command, ...], float]:
        several = self._several(one)
        if several:
            return several, 0.8
        best = guesses[0]
        if _bare_code(one):
            return (c.OrderStatus(order=spoken.find_order(one.text, one.language)[0]),), 0.8
        if best.share < LIKELY or best.intent == "unclear":
            return self._unsure(one, guesses)
        commands = self._with_details(best.intent, one)
        if best.intent == "complain":
            wish = next((guess for guess in guesses[1:4] if guess.intent in FLOWS), None)
            if wish is not None and wish.share >= SECOND:
                commands = (*commands, *self._with_details(wish.intent, one))
        return commands, best.share

    def _unsure(
        self, one: Heard, guesses: tuple[Guess, ...]
    ) -> tuple[tuple[c.Command, ...], float]:
        """A question nobody is sure about goes to the knowledge base, which knows what it does not know."""
        best = guesses[0]
        asks = QUESTION.search(one.plain) is not None and len(one.plain.split()) > 2
        faq = any(guess.intent == "ask_faq" and guess.share > SECOND for guess in guesses[:3])
        if asks and (faq or best.intent != "unclear"):
            return (c.AskFaq(question=one.text),), 0.4
        return (c.Unclear(),), best.share

    def _several(self, one: Heard) -> tuple[c.Command, ...]:
        """Two requests in one breath, when each half is clear on its own."""
        joint = one.words.patterns["joints"]
        for cut in joint.finditer(one.plain):
            halves = [one.plain[: cut.start()].strip(), one.plain[cut.end() :].strip()]
            if min(len(half.split()) for half in halves) < 3:
                continue
            best = [self._model(one.language).guesses(half)[0] for half in halves]
            served = all(guess.intent in FLOWS | {"ask_faq"} for guess in best)
            if served and best[0].intent != best[1].intent and min(g.share for g in best) > 0.6:
                return tuple(
                    command
                    for half, guess in zip(halves, best, strict=True)
                    for command in self._with_details(
                        guess.intent, heard(half, one.language, one.pending)
                    )
                )
        return ()

    def _with_details(self, intent: str, one: Heard) -> tuple[c.Command, ...]:
        """The command, and what was said along with it."""
        command = _command(intent, one)
        if intent == "update_address":
            return (command, *address_answers(one.text, one, ()))
        if intent in ("update_phone", "callback_book"):
            details = phone_answer(one.text, one, at_least=7)
            if intent == "callback_book":
                details = (*details, *time_answer(one.text, one))
            return (command, *details)
        return (command,)


def _command(intent: str, one: Heard) -> c.Command:
    if intent in ("order_status", "order_not_received"):
        return _order_status(intent, one)
    if intent == "update_address":
        return c.UpdateAddress()
    if intent == "update_phone":
        return c.UpdatePhone()
    if intent == "callback_book":
        return c.Callback()
    if intent == "ask_faq":
        return c.AskFaq(question=one.text)
    return _PLAIN_COMMANDS[intent]


def _order_status(intent: str, one: Heard) -> c.OrderStatus:
    found = spoken.find_order(one.text, one.language)
    order = next((code for code in found if len(code) > 3), None)
    missing = intent == "order_not_received" or one.words.has("not_received", one.plain)
    return c.OrderStatus(
        order=order,
        last=order is None and one.words.has("last", one.plain),
        problem="not_received" if missing else None,
    )


def _answers_plainly(one: Heard) -> bool:
    """Digits or a bare yes answer the question, however much they look like an intent."""
    if one.pending.asks is None:
        return False
    said, rest = yes_no(one)
    digits = spoken.find_digits(one.text, one.language)
    return (bool(said) and not rest) or len(digits) >= 3 or one.plain.isdigit()


def _bare_code(one: Heard) -> bool:
    """Nothing but an order number, when nothing was asked."""
    words = one.plain.split()
    if one.pending.asks not in (None, "closing.more", "clarify") or len(words) > 12:
        return False
    found = spoken.find_order(one.text, one.language)
    if not found or len(found[0]) < SHORTEST_ORDER:
        return False
    groups = spoken.digit_groups(words, one.language)
    others = len(words) - sum(group.end - group.start for group in groups)
    named = ORDER_WORDS.search(one.plain) is not None or not found[0].isdigit()
    return named or (len(found[0]) <= LONGEST_BARE and others <= WORDS_AROUND)


def _sayable(text: str) -> bool:
    """Words in our letters or digits: not silence, emoji, or another script."""
    letters = [char for char in text if char.isalnum()]
    if not letters:
        return False
    ours = sum(
        1 for char in letters if char.isdigit() or unicodedata.name(char, "").startswith("LATIN")
    )
    return ours >= len(letters) / 2


def _mood(one: Heard, best: Guess) -> c.Mood:
    if one.words.has("profanity", one.plain):
        return "angry"
    if one.words.has("upset", one.plain) or (best.intent == "complain" and best.share > LIKELY):
        return "upset"
    return "calm"
