"""Days and times for a callback, as they are said, in the caller's own time."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from datetime import date as Day  # noqa: N812 - the fields below are called date and time
from datetime import time as TimeOfDay  # noqa: N812
from typing import Literal

from pydantic import BaseModel, ConfigDict

from graph.understanding.commands import Language
from graph.understanding.lexicon import plain
from graph.understanding.spoken.numbers import digit_groups
from graph.understanding.spoken.words import LONGEST, ZERO_OR_SIGH

FIRST_HOUR = 8  # without a word for the half of the day, 1 to 7 is the afternoon: nobody rings at three at night
PartOfDay = Literal["morning", "afternoon", "evening"]
_WEEKDAYS: dict[Language, tuple[str, ...]] = {
    "en": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    "es": ("lunes", "martes", "miercoles", "jueves", "viernes", "sabado", "domingo"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
}
_MONTHS: dict[Language, tuple[str, ...]] = {
    "en": ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    "fr": ("janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre", "novembre", "decembre"),
}  # fmt: skip
_RELATIVE: dict[Language, tuple[tuple[str, int], ...]] = {
    "en": (("day after tomorrow", 2), ("tomorrow", 1), ("today", 0), ("tonight", 0), ("this afternoon", 0), ("this morning", 0), ("this evening", 0)),
    "es": (("pasado manana", 2), ("hoy", 0), ("esta tarde", 0), ("esta manana", 0), ("esta noche", 0)),
    "fr": (("apres-demain", 2), ("apres demain", 2), ("demain", 1), ("aujourd'hui", 0), ("cet apres-midi", 0), ("cet apres midi", 0), ("ce matin", 0), ("ce soir", 0)),
}  # fmt: skip
_PARTS: dict[Language, tuple[tuple[str, PartOfDay], ...]] = {
    "en": (("morning", "morning"), ("afternoon", "afternoon"), ("evening", "evening"), ("tonight", "evening"), ("after lunch", "afternoon"), ("first thing", "morning"), ("early", "morning")),
    "es": (
        ("por la manana", "morning"), ("de la manana", "morning"), ("esta manana", "morning"), ("a primera hora", "morning"),
        ("por la tarde", "afternoon"), ("de la tarde", "afternoon"), ("esta tarde", "afternoon"), ("en la tarde", "afternoon"),
        ("en la manana", "morning"), ("despues de comer", "afternoon"), ("por la noche", "evening"), ("de la noche", "evening"), ("temprano", "morning"), ("tempranito", "morning"), ("tarde", "afternoon"),
    ),
    "fr": (("matin", "morning"), ("matinee", "morning"), ("apres-midi", "afternoon"), ("apres midi", "afternoon"), ("soir", "evening"), ("soiree", "evening")),
}  # fmt: skip
_ASAP: dict[Language, tuple[str, ...]] = {
    "en": ("as soon as possible", "asap", "soonest", "right away", "straight away", "as soon as you can", "whenever", "earliest you have", "first available"),
    "es": ("cuanto antes", "lo antes posible", "en cuanto puedan", "cuando puedan", "lo mas pronto posible", "ahora mismo"),
    "fr": ("des que possible", "le plus tot possible", "au plus vite", "le plus vite possible", "des que vous pouvez", "quand vous pouvez", "quand vous voulez", "tout de suite"),
}  # fmt: skip
_IN: dict[Language, str] = {
    "en": r"\bin (?:about )?(a|an|half an|[\w ]+?) (hours?|minutes?|days?|weeks?)\b",
    "es": r"\b(?:en|dentro de) (una?|media|[\w ]+?) (horas?|minutos?|dias?|semanas?)\b",
    "fr": r"\b(?:dans|d'ici) (une?|[\w -]+?) (heures?|minutes?|jours?|semaines?|demi-heure|demi heure)\b",
}
_NEXT_WEEK = ("next week", "semana que viene", "proxima semana", "semaine prochaine")


_ELIDED = re.compile(r"\b[ld]'(?!ici)")  # "en début d'après-midi", "l'après-midi"
#: A day of the month without its month: "the twenty seventh", "el día veintisiete", "le vingt-sept".
_DAY_LEADS: dict[Language, re.Pattern[str]] = {
    "en": re.compile(r" the (?=\w)"),
    "es": re.compile(r" (?:el dia|dia|el) (?=\w)"),
    "fr": re.compile(r" le (?=\w)"),
}
_AFTER_DAY: dict[Language, frozenset[str]] = {
    "en": frozenset("at around about by in after before please would if works".split()),
    "es": frozenset("a por sobre de en hacia despues antes si seria".split()),
    "fr": frozenset("a vers au dans en apres avant si ce".split()),
}


class When(BaseModel):
    """A day, a time, a part of the day: what was said of them."""

    model_config = ConfigDict(frozen=True)

    date: Day | None = None
    time: TimeOfDay | None = None
    part: PartOfDay | None = None
    asap: bool = False


def parse_when(text: str, language: Language, now: datetime) -> When | None:
    """Day and time in words; None when neither was said.

    Args:
        now: aware, in the caller's zone.
    """
    said = re.sub(r"\s+", " ", plain(text[:LONGEST]).replace(":", " : "))
    said = f" {re.sub(_ELIDED, '', said).replace('-', ' ') if language == 'fr' else said} "
    if any(f" {words} " in said for words in _ASAP[language]):
        return When(asap=True)
    ahead = _from_now(said, language, now)
    if ahead is not None:
        return ahead
    part = next((part for words, part in _PARTS[language] if f" {words} " in said), None)
    rest, day = _day(said, language, now)
    at = _time(rest, language, part)
    if day is None and at is None and part is None:
        return None
    if (
        part is not None
        and day is None
        and any(f" {w} " in said for w, d in _RELATIVE[language] if d == 0)
    ):
        day = now.date()
    return When(date=day, time=at, part=part if at is None else None)


def _from_now(said: str, language: Language, now: datetime) -> When | None:
    """ "in two hours", "dentro de media hora"."""
    found = re.search(_IN[language], said)
    if found is None:
        return None
    amount, unit = found[1].strip(), found[2]
    half = amount in ("half an", "media") or unit.startswith("demi")
    groups = digit_groups(amount.replace("-", " ").split(), language)
    count = (
        int(groups[0].digits)
        if groups
        else 1
        if amount in ("a", "an", "un", "una", "une") or half
        else None
    )
    if count is None or count > 400:
        return None
    if unit[:3] in ("day", "dia", "jou"):
        return When(date=now.date() + timedelta(days=count))
    if unit[:3] in ("wee", "sem"):
        return When(date=now.date() + timedelta(weeks=count))
    minutes = 30 if half else count * (60 if unit[:1] == "h" else 1)
    at = now + timedelta(minutes=minutes)
    at += timedelta(minutes=-at.minute % 30, seconds=-at.second, microseconds=-at.microsecond)
    return When(date=at.date(), time=at.time().replace(tzinfo=None))


def _day(said: str, language: Language, now: datetime) -> tuple[str, date | None]:
    """The day, and the words without it."""
    for words, days in _RELATIVE[language]:
        if f" {words} " in said:
            return said.replace(f" {words} ", " ", 1), now.date() + timedelta(days=days)
    if language == "es":
        found = re.search(r"(?<!la )(?<!esta )\bmanana\b", said)
        if found and not said[: found.start()].rstrip().endswith((" la", " esta")):
            return said[: found.start()] + said[found.end() :], now.date() + timedelta(days=1)
    dated = _calendar_day(said, language, now)
    if dated is not None:
        return dated
    named = [
        (said.rfind(f" {name} "), number, name) for number, name in enumerate(_WEEKDAYS[language])
    ]
    where, number, name = max(named)  # of two, the one said last
    if where >= 0:
        ahead = (number - now.weekday()) % 7 or 7
        week = any(words in said for words in _NEXT_WEEK)
        if week and ahead < 7 - now.weekday():
            ahead += 7
        return said.replace(f" {name} ", " ", 1), now.date() + timedelta(days=ahead)
    if any(words in said for words in _NEXT_WEEK):
        return said, now.date() + timedelta(days=7 - now.weekday())
    return _day_of_month(said, language, now)


def _day_of_month(said: str, language: Language, now: datetime) -> tuple[str, date | None]:
    """ "the fourth at ten": the next day of that number."""
    for lead in _DAY_LEADS[language].finditer(said):
        rest = said[lead.end() :]
        number, used = _first_number(rest.split(), language)
        after = rest.split()[used : used + 1]
        if number is None or (after and after[0] not in _AFTER_DAY[language]):
            continue
        if language == "en" and not _is_ordinal(rest.split()[used - 1]):
            continue  # "the one at ten"
        day = next((day for day in _days_ahead(now) if day.day == number), None)
        if day is not None:
            return f"{said[: lead.start()]} {' '.join(rest.split()[used:])} ", day
    return said, None


def _is_ordinal(word: str) -> bool:
    return word in _ORDINALS_EN or re.fullmatch(r"\d{1,2}(?:st|nd|rd|th)", word) is not None


def _days_ahead(now: datetime) -> list[date]:
    return [now.date() + timedelta(days=ahead) for ahead in range(62)]


def _calendar_day(said: str, language: Language, now: datetime) -> tuple[str, date] | None:
    """ "the fifth of december", "december 5th", "el 5 de diciembre", "le premier décembre", "5/12"."""
    for number, month in enumerate(_MONTHS[language], start=1):
        found = re.search(rf"\b{month}\b", said)
        if found is None:
            continue
        before, after = said[: found.start()], said[found.end() :]
        day, rest = _day_number(before, after, language)
        if day is None:
            continue
        year = now.year
        try:
            dated = date(year, number, day)
        except ValueError:
            return None
        if dated < now.date():
            dated = dated.replace(year=year + 1)
        return rest, dated
    return None


_ORDINALS_EN = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15,
    "sixteenth": 16, "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip


def _day_number(before: str, after: str, language: Language) -> tuple[int | None, str]:
    """The number of the day beside the month's name, and the other words."""
    words = before.split()
    while words and words[-1] in ("of", "de", "the", "del"):
        words.pop()
    number, used = _last_number(words, language)
    if number is not None:
        return number, " " + " ".join(words[: len(words) - used]) + " " + after
    following = after.split()
    number, used = _first_number(following, language)
    return number, before + " ".join(following[used:]) + " "


def _last_number(words: list[str], language: Language) -> tuple[int | None, int]:
    if not words:
        return None, 0
    typed = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th|er)?", words[-1])
    if typed:
        return int(typed[1]), 1
    if language == "en" and words[-1] in _ORDINALS_EN:
        tens = {"twenty": 20, "thirty": 30}.get(words[-2], 0) if len(words) > 1 else 0
        return tens + _ORDINALS_EN[words[-1]], 2 if tens else 1
    if words[-1] in ("premier", "primero"):
        return 1, 1
    groups = digit_groups(words, language)
    if groups and groups[-1].end == len(words) and 1 <= int(groups[-1].digits) <= 31:
        return int(groups[-1].digits), groups[-1].end - groups[-1].start
    return None, 0


def _first_number(words: list[str], language: Language) -> tuple[int | None, int]:
    start = 1 if words[:1] == ["the"] else 0
    for size in (2, 1):
        number, used = _last_number(words[start : start + size], language)
        if number is not None and used == size and start + size <= len(words):
            return number, start + size
    return None, 0


def _time(said: str, language: Language, part: PartOfDay | None) -> time | None:
    readers = {"en": _time_en, "es": _time_es, "fr": _time_fr}
    noon = re.search(
        r" (?<!apres )(?:noon|midday|mediodia|midi)( et demie?| y media| et quart| y cuarto)? ",
        said,
    )
    if noon and not re.search(r" (?:a la|las|la) ", said):
        past = (noon[1] or "").split()
        return time(12, 0 if not past else 15 if past[-1] in ("quart", "cuarto") else 30)
    found = re.search(
        r" (\d{1,2}) ?[:h.] ?(\d{2}) ", said.replace("h", " h ") if language == "fr" else said
    )
    if found is None:
        found = re.search(r" (\d{1,2})h(\d{2}) ", said)
    if found:
        return _clock(int(found[1]), int(found[2]), said, part)
    return readers[language](said, part)


def _clock(hour: int, minute: int, said: str, part: PartOfDay | None) -> time | None:
    pm = part in ("afternoon", "evening") or re.search(r" p ?\.? ?m ", said) is not None
    am = part == "morning" or re.search(r" a ?\.? ?m ", said) is not None
    if hour < 12 and (pm or (hour < FIRST_HOUR and not am)):
        hour += 12
    return time(hour, minute) if 0 <= hour < 24 and 0 <= minute < 60 else None


def _time_en(said: str, part: PartOfDay | None) -> time | None:
    words = _glued_half(said).split()
    for at in range(len(words)):
        hour = _hour(words, at, "en")
        if hour is None:
            continue
        before = " ".join(words[max(0, at - 3) : at])
        minute = _minute_after(words, at + 1)
        if before.endswith("half past"):
            return _clock(hour, 30, said, part)
        if before.endswith("quarter past"):
            return _clock(hour, 15, said, part)
        if before.endswith(("quarter to", "quarter till")):
            return _before_hour(hour, 15, said, part)
        to = re.search(r"\b(five|ten|twenty|5|10|20) (?:minutes )?(?:to|till)$", before)
        if to:
            return _before_hour(hour, int(digit_groups([to[1]], "en")[0].digits), said, part)
        past = re.search(r"(\w+) (?:minutes )?past$", before)
        if past:
            groups = digit_groups([past[1]], "en")
            return _clock(hour, int(groups[0].digits) if groups else 0, said, part)
        if _minutes_to(words, at) or (minute is None and not _stands_as_hour(words, at)):
            continue
        return _clock(hour, minute or 0, said, part)
    return None


def _minutes_to(words: list[str], at: int) -> bool:
    """ "ten to three": the ten is no hour."""
    after = [word for word in words[at + 1 : at + 3] if word != "minutes"]
    return words[at] in ("five", "ten", "twenty", "5", "10", "20") and after[:1] in (
        ["to"],
        ["till"],
    )


def _glued_half(said: str) -> str:
    """ "3pm" as two words."""
    return re.sub(r"(\d)([ap])\.?m\.?\b", r"\1 \2m", said)


def _hour(words: list[str], at: int, language: Language) -> int | None:
    if words[at].isdigit():
        return int(words[at]) if int(words[at]) < 25 and len(words[at]) <= 2 else None
    groups = [group for group in digit_groups(words, language) if group.start == at]
    if not groups or words[at] in ZERO_OR_SIGH:
        return None
    value = int(groups[0].digits)
    if language == "en" and value > 12:
        from_units = digit_groups([words[at]], "en")
        value = int(from_units[0].digits) if from_units else value
    return value if value < 25 else None


def _minute_after(words: list[str], at: int) -> int | None:
    groups = [group for group in digit_groups(words, "en") if group.start == at]
    if not groups:
        return None
    if words[at] in ("oh", "o") and groups and at + 1 < len(words):
        inner = [group for group in digit_groups(words, "en") if group.start == at + 1]
        return int(inner[0].digits) if inner else None
    value = int(groups[0].digits)
    return value if 10 <= value < 60 else None


def _stands_as_hour(words: list[str], at: int) -> bool:
    """After "at" or "around", or before "o'clock", "am", "pm", a part of the day; or nothing else was said."""
    before = words[at - 1] if at else ""
    after = words[at + 1] if at + 1 < len(words) else ""
    cues = ("at", "around", "about", "by", "after", "before", "say", "like", "past", "maybe")
    return (
        before in cues
        or after
        in ("o'clock", "oclock", "am", "pm", "a", "p", "in", "tomorrow", "please", "then", "sharp")
        or len(words) <= 2
        or (at == len(words) - 1 and words[at] != "one")
    )


def _before_hour(hour: int, minutes: int, said: str, part: PartOfDay | None) -> time | None:
    full = _clock(hour, 0, said, part)
    if full is None:
        return None
    earlier = full.hour * 60 - minutes
    return time(earlier // 60 % 24, earlier % 60)


def _time_es(said: str, part: PartOfDay | None) -> time | None:
    """After "a las", or a bare number where nothing else was said."""
    for cue in re.finditer(r" (?:las?|tipo) (?=(.+))", said):
        at = _clock_es(cue[1].split(), said, part)
        if at is not None:
            return at
    words = said.split()
    groups = digit_groups(words, "es")
    if groups and groups[0].start <= 2 and len(words) <= 6:
        return _clock_es(words[groups[0].start :], said, part)
    return None


def _clock_es(words: list[str], said: str, part: PartOfDay | None) -> time | None:
    """ "diez y media", "cinco menos cuarto", "quince treinta"."""
    groups = digit_groups(words, "es")
    if not groups or groups[0].start != 0 or int(groups[0].digits) > 24:
        return None
    hour, rest = int(groups[0].digits), words[groups[0].end :]
    if rest[:2] == ["y", "media"]:
        return _clock(hour, 30, said, part)
    if rest[:2] == ["y", "cuarto"]:
        return _clock(hour, 15, said, part)
    if rest[:2] == ["menos", "cuarto"]:
        return _before_hour(hour, 15, said, part)
    if rest[:1] == ["menos"]:
        less = digit_groups(rest[1:], "es")
        return _before_hour(hour, int(less[0].digits), said, part) if less else None
    start = 1 if rest[:1] == ["y"] else 0
    minutes = [group for group in digit_groups(rest, "es") if group.start == start]
    minute = int(minutes[0].digits) if minutes and int(minutes[0].digits) < 60 else 0
    return _clock(hour, minute, said, part)


def _time_fr(said: str, part: PartOfDay | None) -> time | None:
    words = said.replace("-", " ").split()
    words = _split_h(words)
    for at, word in enumerate(words):
        if word not in ("heure", "heures", "h"):
            continue
        groups = [group for group in digit_groups(words[:at], "fr") if group.end == at]
        if not groups:
            continue
        hour = int(groups[-1].digits)
        rest = words[at + 1 :]
        if rest[:2] in (["et", "demie"], ["et", "demi"]):
            return _clock(hour, 30, said, part)
        if rest[:2] == ["et", "quart"]:
            return _clock(hour, 15, said, part)
        if rest[:2] == ["moins", "le"] or rest[:2] == ["moins", "quart"]:
            return _before_hour(hour, 15, said, part)
        if rest[:1] == ["moins"]:
            less = digit_groups(rest[1:], "fr")
            return _before_hour(hour, int(less[0].digits), said, part) if less else None
        minutes = [group for group in digit_groups(rest, "fr") if group.start == 0]
        minute = int(minutes[0].digits) if minutes and int(minutes[0].digits) < 60 else 0
        return _clock(hour, minute, said, part)
    return None


def _split_h(words: list[str]) -> list[str]:
    """ "15h" and "15h30" as words."""
    out: list[str] = []
    for word in words:
        found = re.fullmatch(r"(\d{1,2})h(\d{2})?", word)
        out += [found[1], "h", *([found[2]] if found[2] else [])] if found else [word]
    return out
