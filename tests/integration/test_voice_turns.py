"""Promises 2, 3 and 4 as LiveKit's own session plays a call: speculation, confirmation, and what was really heard."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from livekit.agents.llm import ChatMessage

from conversation import Conversation
from services import Services
from settings import VoiceSettings
from tests.fakes.line import FakeLine, on_the_line
from tests.integration.dumps import rows_of

TO_READ_BACK = ("call me back please", "about a return", "yes", "tomorrow at ten")


@pytest.fixture
async def call(services: Services) -> Conversation:
    return await services.answer("+15035550127", "en")


@pytest.fixture
async def line(call: Conversation) -> AsyncIterator[FakeLine]:
    async with on_the_line(call) as opened:
        yield opened


async def hears(line: FakeLine, words: str) -> None:
    """The caller says it, and hears the whole answer."""
    before = len(line.speech.expected)
    line.ear.says(words)
    await line.replied(before + 1)
    await line.said()


async def at_read_back(line: FakeLine) -> None:
    for words in TO_READ_BACK:
        await hears(line, words)
    assert line.phone.asks == "callback.confirm"


def case(line: FakeLine) -> Any:
    state = line.call._state
    assert state is not None
    return state["case"]


def speculating(line: FakeLine) -> bool:
    turn = line.phone.turns._speculative
    return turn is not None and not turn.confirmed.is_set() and not turn.discarded


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - LiveKit tells nobody
            await asyncio.sleep(0.005)


async def bookings(services: Services) -> int:
    return len((await services.company.snapshot())["callbacks"])


async def test_caller_is_greeted_and_the_question_counts_as_asked(line: FakeLine) -> None:
    (greeting,) = case(line).history
    assert "automated assistant" in greeting.said
    history = [one.text_content for one in line.phone.session.history.messages()]
    assert " ".join(one or "" for one in history) == greeting.said


async def test_answers_in_the_callers_language_are_loaded_while_the_greeting_is_heard(
    services: Services, line: FakeLine
) -> None:
    assert line.call.language == "en"
    await until(lambda: set(services.company.knowledge._learning) == {"en"})


async def test_each_turn_gives_the_graph_its_new_words_only(line: FakeLine) -> None:
    await hears(line, "call me back please")
    await hears(line, "about a return")
    assert [one.words for one in case(line).history] == ["", *TO_READ_BACK[:2]]


async def test_what_was_read_out_to_choose_from_is_expected_to_be_said(line: FakeLine) -> None:
    await hears(line, "where is my order")
    await hears(line, "97205")
    assert line.phone.asks == "order.which"
    said = case(line).history[-1].said
    assert line.speech.terms
    assert all(term in said for term in line.speech.terms)


async def test_street_that_was_given_is_expected_to_be_said(
    services: Services, line: FakeLine
) -> None:
    await hears(line, "i need to change my address")
    await hears(line, "97205")
    (notice,) = await services.notices_of(line.call.record.call_id)
    await hears(line, re.findall(r"\b\d{6}\b", notice.body)[0])
    await hears(line, "fifty main street")
    assert "50 Main Street" in line.speech.terms


# Speculation ---------------------------------------------------------------------------------------------------


async def test_words_not_finished_are_answered_ahead_and_the_turn_runs_once(line: FakeLine) -> None:
    line.ear.maybe("call me back please")
    await until(lambda: speculating(line))
    line.ear.ends("call me back please")
    await line.replied(2)
    await line.said()
    assert [one.turn for one in case(line).history] == [1, 2]


async def test_speculation_that_nothing_came_of_leaves_no_row_and_no_memory(
    services: Services, line: FakeLine
) -> None:
    await hears(line, "call me back please")
    await line.call.memory.durable(5)
    before = await rows_of(services.database)
    for words in ("about", "about a", "about a broken"):
        line.ear.maybe(words)
        await until(lambda: speculating(line))
    assert await rows_of(services.database) == before
    line.ear.ends("about a return")
    await line.replied(3)
    await line.said()
    assert [one.words for one in case(line).history][1:] == list(TO_READ_BACK[:2])


async def test_early_yes_books_nothing_until_it_was_really_said(
    services: Services, line: FakeLine
) -> None:
    await at_read_back(line)
    line.ear.maybe("yes")
    await until(lambda: speculating(line))
    await asyncio.sleep(0.2)
    assert await bookings(services) == 0
    line.ear.ends("yes")
    await line.replied(6)
    await line.said()
    assert await bookings(services) == 1


async def test_yes_that_went_on_to_a_no_books_nothing(services: Services, line: FakeLine) -> None:
    await at_read_back(line)
    line.ear.maybe("yes")
    await until(lambda: speculating(line))
    line.ear.ends("yes no wait")
    await line.replied(6)
    await line.said()
    assert await bookings(services) == 0


async def test_livekit_asking_twice_for_one_utterance_runs_one_turn(
    services: Services, line: FakeLine
) -> None:
    await at_read_back(line)
    message = ChatMessage(role="user", content=["yes"])
    turns = [await line.phone.turns.answer(message) for _ in range(2)]
    assert turns[0] is turns[1]
    line.phone.turns.confirm(turns[0])
    await turns[0].remembered.wait()
    assert await line.phone.turns.answer(message) is turns[0]
    assert await bookings(services) == 1


async def test_keys_overtake_words_that_were_not_finished_and_both_are_answered_once(
    line: FakeLine,
) -> None:
    await hears(line, "call me back please")
    line.ear.maybe("about a return")
    await until(lambda: speculating(line))
    pressing = asyncio.create_task(line.phone.press("0"))
    await line.replied(3)
    line.ear.ends("about a return")
    async with asyncio.timeout(60):
        await pressing
    await line.replied(4)
    await line.said()
    words = [one.words for one in case(line).history][1:]
    assert words == [TO_READ_BACK[0], "0", "about a return"]
    said = [one.text_content for one in line.phone.session.history.messages()]
    assert said[-1] == case(line).history[-1].said


# What was heard ------------------------------------------------------------------------------------------------


async def cut_off(line: FakeLine, words: str, hears_only: str, then: str) -> None:
    """The answer to `words` is cut off after `hears_only` by `then`."""
    count = len(line.speech.expected)
    line.speaker.holds, line.speaker.hears = True, hears_only
    line.ear.says(words)
    await line.replied(count + 1)
    await line.until_playing()
    line.ear.says(then)
    await line.replied(count + 2)
    await line.said()


async def test_answer_cut_off_is_remembered_as_heard(line: FakeLine) -> None:
    await cut_off(line, "what are your opening hours", "We are open", "hold on please")
    assert case(line).history[1].said == "We are open"


async def test_answer_nobody_heard_is_remembered_as_unsaid(line: FakeLine) -> None:
    await cut_off(line, "what are your opening hours", "", "hold on please")
    assert case(line).history[1].said == ""


async def test_yes_to_a_question_cut_off_confirms_nothing(
    services: Services, line: FakeLine
) -> None:
    for words in TO_READ_BACK[:-1]:
        await hears(line, words)
    await cut_off(line, TO_READ_BACK[-1], "I'll have someone", "yes do it")
    assert await bookings(services) == 0
    assert line.phone.asks == "callback.confirm"


async def test_barge_in_while_an_effect_happens_does_it_once_and_says_so(
    services: Services, line: FakeLine
) -> None:
    await at_read_back(line)
    await cut_off(line, "yes", "", "what did you say")
    assert await bookings(services) == 1
    assert case(line).history[-1].said


# Other ways to speak -------------------------------------------------------------------------------------------


async def test_typed_words_and_keys_are_turns_like_spoken_ones(line: FakeLine) -> None:
    await line.phone.type("call me back please")
    await line.said()
    await hears(line, "about a return")
    await line.phone.press("1")
    await line.said()
    assert [one.words for one in case(line).history][1:] == [*TO_READ_BACK[:2], "1"]
    assert line.phone.asks == "callback.time"


@asynccontextmanager
async def in_the_greeting(call: Conversation) -> AsyncIterator[FakeLine]:
    """Its first sentence goes on until the speaker does."""
    line = FakeLine(call)
    line.speaker.holds = True
    await line.phone.start(None, None, None)
    await line.until_playing()
    yield line
    await line.phone.close()
    await call.drop()


async def test_words_typed_into_the_greeting_are_answered_after_what_the_law_wants_said(
    call: Conversation,
) -> None:
    async with in_the_greeting(call) as line:
        typing = asyncio.create_task(line.phone.type("call me back please"))
        await asyncio.sleep(0)
        line.speaker.goes_on()
        async with asyncio.timeout(30):
            await typing
        await line.replied(2)
        assert line.phone.asks == "callback.topic"


async def test_words_spoken_into_what_the_law_wants_said_are_answered_after_it(
    call: Conversation,
) -> None:
    """LiveKit itself drops a turn that ends while something is said that can't be interrupted."""
    async with in_the_greeting(call) as line:
        line.ear.says("call me back please")
        await asyncio.sleep(1.0)  # longer than LiveKit waits for the end of a turn
        assert len(line.speech.expected) == 1
        line.speaker.goes_on()
        await line.replied(2)
        assert line.phone.asks == "callback.topic"
        assert [one.words for one in case(line).history][1:] == ["call me back please"]


async def test_recorded_call_that_goes_on_says_so_before_it_can_be_interrupted(
    services: Services,
) -> None:
    recorded = services.settings.calls.model_copy(update={"recorded": True})
    settings = services.settings.model_copy(update={"calls": recorded})
    services = dataclasses.replace(services, settings=settings)
    call = await services.answer("+15035550127", "en")
    async with on_the_line(call) as line:
        await hears(line, "call me back please")
    async with in_the_greeting(await services.answer("+15035550127", "en")) as line:
        assert line.phone.turns.last is not None
        first, rest = line.phone.turns.last.parts
        assert "This call is recorded." in first.said[0]
        assert not first.handle.allow_interruptions
        assert rest.handle.allow_interruptions
        line.speaker.goes_on()


async def test_caller_who_cuts_in_on_the_goodbye_goes_on(
    services: Services, line: FakeLine
) -> None:
    await cut_off(line, "no thanks goodbye", "Thank you", "wait please call me back")
    assert not line.phone.over.is_set()
    assert line.phone.asks == "callback.topic"
    assert services.register._held == {line.call.record.call_id: line.call.memory.lease}
    await hears(line, "about a return")
    record = await services.register.find(line.call.record.call_id)
    assert record is not None
    assert (record.state, record.turns) == ("live", 4)
    await hears(line, "no thanks goodbye")
    await until(line.phone.over.is_set)
    assert line.phone.end == "said_goodbye"


async def test_caller_who_presses_keys_on_the_goodbye_goes_on_while_it_is_not_on_record_yet(
    line: FakeLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is slow: the next turn waits for the goodbye to be remembered."""
    recorded = asyncio.Event()
    durable = line.call.memory.durable

    async def slowly(seconds: float) -> None:
        await recorded.wait()
        await durable(seconds)

    line.speaker.holds, line.speaker.hears = True, "Thank you"
    with monkeypatch.context() as patched:
        patched.setattr(line.call.memory, "durable", slowly)
        line.ear.says("no thanks goodbye")
        await line.until_playing()
        pressing = asyncio.create_task(line.phone.press("0"))
        goodbye = line.phone.turns.last
        assert goodbye is not None
        await until(lambda: goodbye.interrupted and not goodbye.cut_off)
        recorded.set()
        await pressing
    await line.replied(3)
    await line.said()
    assert not line.phone.over.is_set()


async def test_nothing_the_caller_does_counts_while_they_are_put_through(
    services: Services, line: FakeLine
) -> None:
    await services.company.set_staff_available(True)
    await hears(line, "i want to talk to a real person")
    assert await line.phone.finished() == "putting_through"
    line.ear.says("thank you")
    await line.phone.press("2")
    await line.phone.type("no")
    await asyncio.sleep(1.0)
    assert len(line.speech.expected) == 2
    await line.phone.go_on(line.call.not_put_through())
    await line.said()
    assert line.phone.asks == "escalation.choice"
    await hears(line, "yes please call me back")
    assert line.phone.asks == "callback.topic"


async def test_silent_caller_is_asked_and_the_line_says_goodbye_in_the_end(line: FakeLine) -> None:
    for _ in range(4):
        if line.phone.over.is_set():
            break
        await line.phone._ask_again()
    assert line.phone.over.is_set()
    assert line.call.dropped, "a caller who went silent can go on later"


async def test_caller_whose_network_was_away_hears_the_open_question_again(line: FakeLine) -> None:
    await hears(line, "call me back please")
    asked = case(line).history[-1].said
    await line.phone._ask_again()
    line.phone.came_back()
    await line.replied(4)
    await line.said()
    again = case(line).history[-1]
    assert again.said.endswith(asked)
    assert (again.turn, line.phone.asks, case(line).silences) == (4, "callback.topic", 0)
    history = [one.text_content for one in line.phone.session.history.messages()]
    assert history[-1] == again.said
    await hears(line, "about a return")
    assert line.phone.asks == "callback.phone"


async def test_what_is_said_to_nobody_gives_way_to_the_question_when_they_are_back(
    line: FakeLine,
) -> None:
    await hears(line, "call me back please")
    line.speaker.holds = True
    line.ear.says("about a return")
    await line.replied(3)
    await line.until_playing()
    line.phone.came_back()
    await line.replied(4)
    await line.said()
    assert line.phone.asks == "callback.phone"
    assert [one.words for one in case(line).history][1:] == [*TO_READ_BACK[:2], ""]


async def test_goodbye_is_not_taken_back_when_the_network_was_away(line: FakeLine) -> None:
    line.speaker.holds = True
    line.ear.says("no thanks goodbye")
    await line.replied(2)
    line.phone.came_back()
    line.speaker.goes_on()
    await until(line.phone.over.is_set)
    assert line.phone.end == "said_goodbye"
    assert len(line.speech.expected) == 2


# Trouble -------------------------------------------------------------------------------------------------------


async def test_turn_that_breaks_off_is_apologised_for_and_the_question_stays(
    line: FakeLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hears(line, "call me back please")
    asked = line.phone.asks

    def broken(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(line.call.context.understander, "read", broken)
        line.ear.says("about a return")
        await until(lambda: line.phone.turns.last is not None and line.phone.turns.last.failed)
        await line.said()
    messages = line.phone.session.history.messages()
    assert "something went wrong" in (messages[-1].text_content or "")
    await hears(line, "about a return")
    assert asked == "callback.topic"
    assert line.phone.asks != asked


async def test_line_that_lost_its_call_says_nothing_more(
    services: Services, line: FakeLine
) -> None:
    await services.register.take_over(line.call.record.call_id)
    line.ear.says("call me back please")
    await until(
        lambda: line.phone.turns.last is not None and line.phone.turns.last.remembered.is_set()
    )
    await until(line.phone.over.is_set)


@pytest.fixture
async def slow(call: Conversation, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """What is said is understood when this is set."""
    ready = asyncio.Event()
    real = call.context.understander.read

    async def read(*given: Any) -> Any:
        await ready.wait()
        return await real(*given)

    monkeypatch.setattr(call.context.understander, "read", read)
    return ready


@pytest.fixture
async def impatient(call: Conversation) -> AsyncIterator[FakeLine]:
    """A line that soon says it is still there."""
    async with on_the_line(call, VoiceSettings(holding_after=0.05)) as opened:
        yield opened


async def test_silence_of_ours_is_filled_and_is_no_part_of_the_answer(
    impatient: FakeLine, slow: asyncio.Event
) -> None:
    line = impatient
    line.ear.says("what are your opening hours")
    await line.until_playing()
    slow.set()
    await line.replied(2)
    await line.said()
    last = line.phone.session.history.messages()[-1].text_content or ""
    assert last.startswith("One moment, please.")
    assert line.phone.turns.last is not None
    assert line.phone.turns.last.heard() is None


@pytest.mark.parametrize("heard", ["One mo", "One moment, please."])
async def test_answer_of_which_the_holding_phrase_alone_was_heard_is_remembered_as_unsaid(
    impatient: FakeLine, slow: asyncio.Event, heard: str
) -> None:
    line = impatient
    line.speaker.holds, line.speaker.hears = True, heard
    line.ear.says("what are your opening hours")
    await line.until_playing()
    line.ear.says("hold on please")
    slow.set()
    await line.replied(3)
    await line.said()
    assert case(line).history[1].said == ""


async def test_silence_of_ours_after_keys_and_typed_words_is_filled_too(
    impatient: FakeLine, slow: asyncio.Event
) -> None:
    line = impatient
    typing = asyncio.create_task(line.phone.type("what are your opening hours"))
    await line.until_playing()
    slow.set()
    await typing
    await line.replied(2)
    await line.said()
    assert line.phone.turns.last is not None
    first, *more, answer = line.phone.turns.last.parts
    assert first.holding == ["One moment, please."]
    assert [part.said for part in (first, *more)] == [[]] * (1 + len(more))
    assert answer.said == [case(line).history[-1].said]
    assert line.phone.turns.last.heard() is None
