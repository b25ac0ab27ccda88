"""The loopback recogniser on sound: what it hears depends on nothing but the audio and its library."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.voice.sound import RATE, SENTENCES, babble, mixed, silence, spoken, white
from voice.loopback import espeak
from voice.loopback.decoder import HeardWord
from voice.loopback.espeak import SPEAKERS, Samples
from voice.loopback.library import Library
from voice.loopback.recogniser import Event, Heard, Recogniser, SpeechBegan, SpeechEnded

pytestmark = pytest.mark.skipif(not espeak.available(), reason="espeak-ng is not installed")

ORDER_NUMBER = "My order number is four eight two one"


@pytest.fixture(scope="module")
def library() -> Library:
    known = Library()
    known.extend(SENTENCES)
    return known


def recognised(
    library: Library, sound: Samples, rate: int = RATE, languages: frozenset[str] | None = None
) -> list[Event]:
    recogniser = Recogniser(library, rate, languages=languages, utterance_end=0.4)
    events: list[Event] = []
    for first in range(0, len(sound), rate // 20):
        events.extend(recogniser.push(sound[first : first + rate // 20]))
    return [*events, recogniser.finish()]


def words(events: list[Event]) -> list[HeardWord]:
    return [
        word for event in events if isinstance(event, Heard) and event.final for word in event.words
    ]


def text(events: list[Event]) -> str:
    return " ".join(word.text for word in words(events))


def confidence(events: list[Event]) -> float:
    return float(np.mean([word.confidence for word in words(events)])) if words(events) else 0.0


@pytest.mark.parametrize(("sentence", "language"), SENTENCES)
def test_every_sentence_is_told_from_the_others(
    library: Library, sentence: str, language: str
) -> None:
    heard = recognised(library, spoken(sentence, language))
    assert text(heard) == sentence
    assert {word.language for word in words(heard)} == {language}


@pytest.mark.parametrize("db", [20, 10])
@pytest.mark.parametrize(("sentence", "language"), [SENTENCES[1], SENTENCES[5], SENTENCES[7]])
def test_noise_that_a_person_hears_through_is_heard_through(
    library: Library, sentence: str, language: str, db: float
) -> None:
    sound = spoken(sentence, language)
    assert text(recognised(library, mixed(sound, white(len(sound)), db))) == sentence


def test_noise_as_loud_as_speech_makes_it_unsure(library: Library) -> None:
    clean = [recognised(library, spoken(*sentence)) for sentence in SENTENCES[::3]]
    noisy = [
        recognised(library, mixed(sound, white(len(sound)), 0))
        for sound in (spoken(*sentence) for sentence in SENTENCES[::3])
    ]
    assert np.mean([confidence(heard) for heard in clean]) > 0.9
    assert np.mean([confidence(heard) for heard in noisy]) < 0.7


def test_among_people_who_are_as_loud_little_is_heard(library: Library) -> None:
    right = 0
    for sentence in SENTENCES[::2]:
        sound = spoken(*sentence)
        right += text(recognised(library, mixed(sound, babble(len(sound)), 0))) == sentence[0]
    assert right <= 1


def test_noise_alone_says_nothing(library: Library) -> None:
    hiss = np.clip(white(3 * RATE) * 2000, -32768, 32767).astype(np.int16)
    assert words(recognised(library, hiss)) == []


def test_silence_is_no_event(library: Library) -> None:
    events = recognised(library, silence(2.0))
    assert events == [Heard((), 0.0, pytest.approx(2.0, abs=0.1), final=True, pause=False)]


def test_what_is_not_known_is_not_taken_for_a_sentence(library: Library) -> None:
    sound = spoken("The captain has never believed in ghosts of any kind", "en")
    assert text(recognised(library, sound)) not in dict(SENTENCES)


@pytest.mark.parametrize(
    ("first", "after", "expected"),
    [
        ("number", "one", "number is four eight two one"),
        ("My", "is", "My order number is"),
        ("is", "two", "is four eight two"),
    ],
)
def test_a_sentence_that_is_cut_gives_the_words_that_are_there(
    library: Library, first: str, after: str, expected: str
) -> None:
    clip = espeak.speech(ORDER_NUMBER, "en", rate=RATE)
    times = {word.text: word for word in clip.words}
    begin, end = (round(at * RATE) for at in (times[first].start, times[after].end))
    sound = np.concatenate((silence(0.5), clip.samples[begin:end], silence(0.5)))
    assert text(recognised(library, sound)) == expected


def test_a_sentence_goes_on_after_a_pause_in_its_middle(library: Library) -> None:
    clip = espeak.speech(ORDER_NUMBER, "en", rate=RATE)
    middle = round(clip.words[4].start * RATE)
    sound = np.concatenate(
        (silence(0.5), clip.samples[:middle], silence(0.8), clip.samples[middle:], silence(0.5))
    )
    heard = [event for event in recognised(library, sound) if isinstance(event, Heard)]
    said = [
        " ".join(word.text for word in event.words)
        for event in heard
        if event.final and event.words
    ]
    assert said == ["My order number is", "four eight two one"]


def test_words_have_the_times_at_which_they_are_said(library: Library) -> None:
    clip = espeak.speech(ORDER_NUMBER, "en", rate=RATE)
    heard = words(recognised(library, spoken(ORDER_NUMBER, "en")))
    for said, word in zip(clip.words, heard, strict=True):
        assert word.start == pytest.approx(0.5 + said.start, abs=0.12)
        assert word.end == pytest.approx(0.5 + said.end, abs=0.12)


def test_of_two_who_speak_at_once_the_louder_is_heard_or_nobody(library: Library) -> None:
    loud = spoken("Where is my order?", "en", SPEAKERS[0]).astype(np.float64)
    quiet = spoken("I want to change my address", "en", SPEAKERS[1]).astype(np.float64)
    both = loud + 0.3 * quiet[: len(loud)]
    heard = text(recognised(library, np.clip(both, -32768, 32767).astype(np.int16)))
    assert heard in {"", "Where is my order?"}


def test_one_sentence_follows_another_without_a_pause(library: Library) -> None:
    one, other = (
        espeak.speech(sentence, "en", rate=RATE).samples
        for sentence in ("Where is my order?", "I would like to talk to a person")
    )
    sound = np.concatenate((silence(0.5), one, other, silence(0.5)))
    assert text(recognised(library, sound)) == "Where is my order? I would like to talk to a person"


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_a_speaker_is_known_by_the_voice(library: Library, speaker: str) -> None:
    for sentence, language in (SENTENCES[5], SENTENCES[7]):
        heard = words(recognised(library, spoken(sentence, language, speaker)))
        assert {word.speaker for word in heard} == {speaker}


@pytest.mark.parametrize("rate", [8000, 24000, 48000])
def test_any_sample_rate_and_level_will_do(library: Library, rate: int) -> None:
    sound = spoken(ORDER_NUMBER, "en", rate=rate)
    faint = (sound * 0.05).astype(np.int16)
    assert text(recognised(library, faint, rate)) == ORDER_NUMBER


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_the_pace_may_differ(library: Library, speed: float) -> None:
    clip = espeak.speech(ORDER_NUMBER, "en", speed, rate=RATE)
    sound = np.concatenate((silence(0.5), clip.samples, silence(0.5)))
    assert text(recognised(library, sound)) == ORDER_NUMBER


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("five zero nine three seven six", "en"),
        ("cinco cero nueve tres siete seis", "es"),
        ("cinq zéro neuf trois sept six", "fr"),
    ],
)
def test_a_code_that_was_never_announced_is_heard_digit_by_digit(code: str, language: str) -> None:
    library = Library(speakers=SPEAKERS[:2])
    library.add_digits()
    digits = [espeak.speech(digit, language, rate=RATE).samples for digit in code.split()]
    apart = [part for digit in digits for part in (digit, silence(0.1))]
    sound = np.concatenate((silence(0.5), *apart, silence(0.5)))
    assert text(recognised(library, sound, languages=frozenset({language}))) == code


def test_a_sentence_learned_while_the_stream_is_open_is_heard() -> None:
    library = Library(speakers=SPEAKERS[:1])
    library.add("Yes please", "en")
    recogniser = Recogniser(library, RATE)
    sound = spoken("The code is seven seven one", "en")
    assert "seven" not in text(recogniser.push(sound))
    library.add("The code is seven seven one", "en")
    assert text(recogniser.push(sound)) == "The code is seven seven one"


def test_a_language_that_is_not_listened_for_is_not_heard(library: Library) -> None:
    sound = spoken("Quiero cambiar mi dirección", "es")
    heard = words(recognised(library, sound, languages=frozenset({"fr"})))
    assert "es" not in {word.language for word in heard}


def test_speech_has_a_beginning_interim_words_and_an_end(library: Library) -> None:
    events = recognised(library, spoken(ORDER_NUMBER, "en"))
    assert isinstance(events[0], SpeechBegan)
    assert events[0].at == pytest.approx(0.5, abs=0.1)
    spoken_words = [
        [word.text for word in event.words] for event in events if isinstance(event, Heard)
    ]
    growing = [said for said in spoken_words if said]
    assert growing[0] == ORDER_NUMBER.split()[: len(growing[0])]
    assert len(growing[0]) < len(ORDER_NUMBER.split())
    ended = next(event for event in events if isinstance(event, SpeechEnded))
    assert ended.last_word_end == pytest.approx(words(events)[-1].end)
