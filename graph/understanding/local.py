"""Utterance to commands without network or key, in milliseconds: what the open question expects first, then intent."""

from __future__ import annotations

import asyncio
import re
import threading
import unicodedata
from pathlib import Path

from graph.understanding import commands as c
from graph.understanding import spoken
from graph.understanding.expected import (
    ORDER_WORDS,
    PHONE_DIGITS,
    address_answers,
    is_own_number,
    named_topic,
    phone_answer,
    read_expected,
    time_answer,
    yes_no,
)
from graph.understanding.heard import Heard, asked, heard, is_question, unprefixed
from graph.understanding.intents import Guess, IntentModel, intent_model
from graph.understanding.language_id import LanguageReading, read_language

LONGEST = 1000  # characters; nobody says more in one breath
SURE = 0.80  # an intent this likely wins over the answer a question expects
CLEAR = 0.6  # each of two requests in one breath
SHORT_HALF = 5  # words
AHEAD, AHEAD_TIMES = 0.3, 2.5
ABOUT_THE_SHOP = 0.3  # then the knowledge base says whether it knows
SWITCH = 0.6  # to begin something else while a question is open
SURELY_UNCLEAR = 0.6  # what only sounds like a question
LIKELY = 0.45  # below this, an utterance counts as not understood
SHORTEST_ORDER, LONGEST_BARE = 4, 6  # digits; more are a phone number
DOUBTED = 0.4  #: what is read of a yes that is none
WORDS_AROUND = 4  # "and uh ten four eight two again please"
SECOND = 0.12  # a request inside a complaint
#: One of each kind, which reads the files that its kind needs; in any language, digits are enough.
SAMPLES: tuple[tuple[c.Asks | None, str], ...] = (
    (None, "5035550127"),
    ("identity.account", "10482"),
    ("identity.code", "884253"),
    ("account.address", "50, 97205"),
    ("account.phone", "5035550127"),
    ("account.confirm", "ok"),
    ("callback.time", "10:30"),
)
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
NO_TOPIC = AT_ANY_TIME | {"out_of_scope", "callback_cancel", "greet"}
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
#: Words that ask for what is being done already: "yes, this number", "no, to another number".
ABOUT_THE_QUESTION: dict[str, tuple[str, ...]] = {
    "callback.phone": ("update_phone", "callback"),
    "callback.time": ("update_phone",),
    "callback.confirm": ("update_phone", "callback"),
    "account.confirm": ("update_address", "update_phone"),
}
NUMBERS_ASKED: tuple[c.Asks | None, ...] = (
    "identity.account",
    "identity.fact",
    "identity.code",
    "account.phone",
    "callback.phone",
)
ABOUT_ORDERS = {"order_status", "order_not_received", "unclear", "correct", "greet"}
_INTENTS: dict[str, c.Command] = {
    **c.PLAIN,
    "callback_change": c.Callback(action="change"),
    "callback_cancel": c.Callback(action="cancel"),
    "switch_language_en": c.SwitchLanguage(language="en"),
    "switch_language_es": c.SwitchLanguage(language="es"),
    "switch_language_fr": c.SwitchLanguage(language="fr"),
}


class LocalUnderstander:
    """Reads utterances with the examples in this folder. Models are loaded at first use, per language."""

    def __init__(self, cache: Path | None = None) -> None:
        """
        Args:
            cache: where fitted models are kept; fitting takes some seconds a language.
        """
        self._cache = cache
        self._models: dict[c.Language, IntentModel] = {}
        self._loading = threading.Lock()
        self._warm = False

    async def read(self, text: str, pending: c.Pending) -> c.Understanding:
        """Within a millisecond or two; in a thread while models are still being loaded, so that others can talk."""
        if self._warm:
            return self.understand(text, pending)
        return await asyncio.to_thread(self.understand, text, pending)

    def understand(self, text: str, pending: c.Pending) -> c.Understanding:
        """Never raises on words; whatever cannot be read is `unclear`."""
        text = tidied(text)
        if not sayable(text):
            return c.Understanding(
                language=pending.language, commands=(c.Unclear(),), confidence=0.0
            )
        reading = read_language(text, pending.language, pending.asks)
        one = heard(text, reading.language, pending)
        counted = _counted_in_another_language(one)
        if counted is not None:
            one, reading = counted, LanguageReading(counted.language, sure=True)
        guesses = self._model(reading.language).guesses(text)
        commands, confidence = self._commands(one, guesses)
        if _doubts(one, commands):
            commands, confidence = _without_yes(commands), min(confidence, DOUBTED)
        if _takes_leave(one, commands):
            commands = (c.Goodbye(),)
        return c.Understanding(
            language=reading.language,
            commands=commands,
            confidence=round(confidence, 2),
            mood=_mood(one, guesses[0]),
            language_sure=reading.sure,
        )

    def prepare(self, first: c.Language) -> None:
        """Begin to load everything behind the greeting, this language first."""
        if not self._warm:
            threading.Thread(target=self.warm_up, args=(first,), daemon=True).start()

    def warm_up(self, first: c.Language = "en") -> None:
        """Load everything, so that nobody waits for it later."""
        for language in sorted(c.LANGUAGES, key=lambda one: one != first):
            for asks, text in SAMPLES:
                self.understand(text, c.Pending(asks=asks, language=language))
            read_language("hello is anybody there", language, None)
        self._warm = True

    def _model(self, language: c.Language) -> IntentModel:
        if language not in self._models:
            with self._loading:
                if language not in self._models:
                    self._models[language] = intent_model(language, self._cache)
        return self._models[language]

    def _commands(
        self, one: Heard, guesses: tuple[Guess, ...]
    ) -> tuple[tuple[c.Command, ...], float]:
        best = guesses[0]
        if one.pending.asks is None and _only_greets(one):
            return (c.Greet(),), 0.95
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
                return best.intent in NO_TOPIC
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
        if len(rest.split()) < 2 or is_own_number(one):
            return ()
        # The question has its answer: what follows is read as if nothing were open.
        free = one.pending.model_copy(update={"asks": None, "slot": None})
        inner = heard(unprefixed(one, rest), one.language, free)
        commands, _ = self._by_intent(inner, self._model(one.language).guesses(rest))
        own = ABOUT_THE_QUESTION.get(one.pending.asks or "", ())
        return tuple(
            said for said in commands if said.command in AFTER_YES_NO and said.command not in own
        )

    def _by_intent(
        self, one: Heard, guesses: tuple[Guess, ...]
    ) -> tuple[tuple[c.Command, ...], float]:
        several = self._several(one)
        if several:
            return several, 0.8
        best = guesses[0]
        if self._wants_a_call(one, best):
            return self._with_details("callback_book", one), 0.8
        if _bare_code(one, best):
            return (c.OrderStatus(order=spoken.find_order(one.text, one.language)[0]),), 0.8
        if best.intent == "greet" and (after := _after_greeting(one)):
            return self._by_intent(after, self._model(one.language).guesses(after.text))
        if (
            best.intent == "unclear"
            or not self._sure_enough(one, best)
            or (best.share < LIKELY and not _far_ahead(guesses))
        ):
            return self._unsure(one, guesses)
        if best.intent == "deny" and one.pending.asks == "closing.more" and best.share < SURE:
            return (c.Unclear(),), best.share  # nobody is sent away on a guess
        commands = self._with_details(best.intent, one)
        if best.intent == "complain":
            wish = next((guess for guess in guesses[1:4] if guess.intent in FLOWS), None)
            if wish is not None and wish.share >= SECOND:
                commands = (*commands, *self._with_details(wish.intent, one))
        return commands, best.share

    @staticmethod
    def _wants_a_call(one: Heard, best: Guess) -> bool:
        """ "Call me" with a time or a number, whatever else it sounds like."""
        another = best.intent in ("callback_change", "callback_cancel") and best.share >= LIKELY
        if another or not one.words.has("call_me", one.plain):
            return False
        if best.intent == "callback_book" and best.share >= AHEAD:
            return True
        return bool(time_answer(one.text, one) or phone_answer(one.text, one, PHONE_DIGITS))

    @staticmethod
    def _sure_enough(one: Heard, best: Guess) -> bool:
        """In the middle of a question, something else is begun only on clear words; and "why not" is no "no"."""
        if best.intent in ABOUT_THE_QUESTION.get(one.pending.asks or "", ()):
            return False  # "use my other number" at the question which number
        if best.intent == "goodbye":
            return best.share >= SURE or one.words.has("goodbye", one.plain)
        if best.intent in ("affirm", "deny"):
            return not is_question(one) or len(one.plain.split()) < 3
        at_a_question = one.pending.asks not in (None, "closing.more", "clarify")
        return not (at_a_question and best.intent in FLOWS and best.share < SWITCH)

    def _unsure(
        self, one: Heard, guesses: tuple[Guess, ...]
    ) -> tuple[tuple[c.Command, ...], float]:
        """A question nobody is sure about goes to the knowledge base, which knows what it does not know."""
        best = guesses[0]
        asks = is_question(one) and len(one.plain.split()) > 2
        faq = any(guess.intent == "ask_faq" and guess.share > SECOND for guess in guesses[:3])
        if best.intent == "ask_faq" and best.share > ABOUT_THE_SHOP:
            return (c.AskFaq(question=asked(one)),), best.share
        if asks and (faq or best.intent != "unclear" or best.share < SURELY_UNCLEAR):
            return (c.AskFaq(question=asked(one)),), 0.4
        return (c.Unclear(),), best.share

    def _several(self, one: Heard) -> tuple[c.Command, ...]:
        """Two requests in one breath, when each half is clear on its own."""
        joint = one.words.patterns["joints"]
        for cut in joint.finditer(one.plain):
            halves = [one.plain[: cut.start()].strip(), one.plain[cut.end() :].strip()]
            best = [self._model(one.language).guesses(half)[0] for half in halves if half]
            if len(best) < 2 or len(halves[0].split()) < 3 or best[0].share <= CLEAR:
                continue
            if len(halves[1].split()) <= SHORT_HALF:
                second = _other_change(best[0].intent, halves[1], one)
                if second is not None:
                    return (*self._with_details(best[0].intent, one), second)
            if len(halves[1].split()) < 3:
                continue
            second_half = heard(halves[1], one.language, one.pending)
            if best[0].intent in FLOWS and best[1].intent not in FLOWS and is_question(second_half):
                first = heard(halves[0], one.language, one.pending)
                question = c.AskFaq(question=asked(second_half))
                return (*self._with_details(best[0].intent, first), question)
            served = all(guess.intent in FLOWS | {"ask_faq"} for guess in best)
            if served and best[0].intent != best[1].intent and best[1].share > CLEAR:
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
                details = (*details, *named_topic(one), *time_answer(one.text, one))
            return (command, *details)
        return (command,)


def _doubts(one: Heard, commands: tuple[c.Command, ...]) -> bool:
    """ "Well, more or less": what was read back is not confirmed, whatever else sounds like it."""
    said_yes = any(isinstance(command, c.Affirm) for command in commands)
    return said_yes and one.pending.asks in c.READ_BACK and one.words.has("doubt", one.plain)


def _without_yes(commands: tuple[c.Command, ...]) -> tuple[c.Command, ...]:
    return tuple(one for one in commands if not isinstance(one, c.Affirm)) or (c.Unclear(),)


def _command(intent: str, one: Heard) -> c.Command:
    if intent in ("order_status", "order_not_received"):
        return _order_status(intent, one)
    if intent == "callback_book":
        return c.Callback()
    if intent == "ask_faq":
        return c.AskFaq(question=asked(one))
    return _INTENTS[intent]


def _order_status(intent: str, one: Heard) -> c.OrderStatus:
    found = spoken.find_order(one.text, one.language)
    order = next((code for code in found if len(code) > 3), None)
    missing = intent == "order_not_received" or one.words.has("not_received", one.plain)
    return c.OrderStatus(
        order=order,
        last=order is None and one.words.has("last", one.plain),
        problem="not_received" if missing else None,
    )


def _counted_in_another_language(one: Heard) -> Heard | None:
    """A number said in words of one other language, and of none of ours: the caller speaks that language."""
    if one.pending.asks not in NUMBERS_ASKED or spoken.find_digits(one.text, one.language):
        return None
    others = [heard(one.text, other, one.pending) for other in c.LANGUAGES if other != one.language]
    counted = [
        other
        for other in others
        if len(spoken.find_digits(other.text, other.language)) >= SHORTEST_ORDER
        and read_expected(other)
    ]
    return counted[0] if len(counted) == 1 else None


def _other_change(intent: str, half: str, one: Heard) -> c.Command | None:
    """ "Change my address, and the phone number": the second change has no verb of its own."""
    if intent == "update_address" and one.words.has("phone", half):
        return c.UpdatePhone()
    if intent == "update_phone" and one.words.has("address", half):
        return c.UpdateAddress()
    return None


def _only_greets(one: Heard) -> bool:
    """ "Salut" begins a call as well as it ends one."""
    said, rest = one.words.leading("greeting", one.plain)
    return said and not rest


def _after_greeting(one: Heard) -> Heard | None:
    """What follows "hello, good morning", when it is more than manners."""
    _, rest = one.words.leading("greeting", one.plain)
    if rest == one.plain or len(rest.split()) < 3:
        return None
    return heard(unprefixed(one, rest), one.language, one.pending)


def _far_ahead(guesses: tuple[Guess, ...]) -> bool:
    """A request that is not likely in itself, but of which nothing else comes near."""
    best, second = guesses[:2]
    return best.intent in FLOWS and best.share >= max(AHEAD, AHEAD_TIMES * second.share)


def _takes_leave(one: Heard, commands: tuple[c.Command, ...]) -> bool:
    """ "Oh sorry, wrong number, bye": a goodbye at the end, and nothing else that could be served."""
    idle = c.Unclear | c.Thank | c.Greet | c.OutOfScope | c.Affirm
    nothing_else = all(
        isinstance(said, idle) or (isinstance(said, c.Correct) and said.slot is None)
        for said in commands
    )
    begins = one.pending.asks is None and _only_greets(one)
    return nothing_else and not begins and one.words.ends(one.plain, "goodbye")


def _answers_plainly(one: Heard) -> bool:
    """Digits or a bare yes answer the question, however much they look like an intent."""
    if one.pending.asks is None:
        return False
    said, rest = yes_no(one)
    digits = spoken.find_digits(one.text, one.language)
    return (bool(said) and not rest) or len(digits) >= 3 or one.plain.isdigit()


def _bare_code(one: Heard, best: Guess) -> bool:
    """Nothing but an order number, when nothing was asked."""
    words = one.plain.split()
    free = (None, "closing.more", "clarify", "resume.continue")
    if one.pending.asks not in free or len(words) > 12:
        return False
    found = spoken.find_order(one.text, one.language)
    if not found or len(found[0]) < SHORTEST_ORDER:
        return False
    groups = spoken.digit_groups(words, one.language)
    others = len(words) - sum(group.end - group.start for group in groups)
    named = ORDER_WORDS.search(one.plain) is not None or not found[0].isdigit()
    if others > WORDS_AROUND and best.share >= LIKELY and best.intent not in ABOUT_ORDERS:
        return False  # "can i still cancel order ten four eight two"
    return named or (len(found[0]) <= LONGEST_BARE and others <= WORDS_AROUND)


def tidied(text: str) -> str:
    """One line, of a length somebody may say in one breath."""
    return re.sub(r"\s+", " ", text[:LONGEST]).strip()


def sayable(text: str) -> bool:
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
