"""Days and times for a callback as callers say them. It is Monday, 23 November 2026, ten in the morning."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from graph.understanding.commands import Language
from graph.understanding.spoken import parse_when

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=ZoneInfo("America/Los_Angeles"))

#: `day time`, `day`, `time`, `day/part`, `/part`, `asap`, or None: the day as DD or MM-DD.
TIMES: dict[Language, dict[str, str | None]] = {
    "en": {
        "tomorrow at three": "24 15:00",
        "tomorrow at ten thirty": "24 10:30",
        "uh maybe tomorrow around eleven": "24 11:00",
        "tomorrow at 3 pm": "24 15:00",
        "tomorrow 3pm": "24 15:00",
        "tomorrow 15:30": "24 15:30",
        "tomorrow at eight": "24 08:00",
        "tomorrow at eight in the evening": "24 20:00",
        "tomorrow say ten fifteen": "24 10:15",
        "tomorrow at twelve": "24 12:00",
        "tuesday at four p m": "24 16:00",
        "on wednesday at 9 am": "25 09:00",
        "nine a m on wednesday": "25 09:00",
        "next monday at ten": "30 10:00",
        "monday": "30",
        "friday around half past nine": "27 09:30",
        "quarter to five tomorrow": "24 16:45",
        "a quarter past two on friday": "27 14:15",
        "ten to three tomorrow": "24 14:50",
        "twenty past four on tuesday": "24 16:20",
        "the day after tomorrow at noon": "25 12:00",
        "wednesday morning": "25/morning",
        "thursday afternoon at two": "26 14:00",
        "two o'clock on friday": "27 14:00",
        "five thirty on tuesday": "24 17:30",
        "how about friday at one": "27 13:00",
        "can you do wednesday at two thirty": "25 14:30",
        "could somebody call me on friday at four": "27 16:00",
        "december first at eleven": "12-01 11:00",
        "on the third of december at ten": "12-03 10:00",
        "the fourth at ten thirty": "12-04 10:30",
        "the twenty seventh at nine": "27 09:00",
        "december 2nd": "12-02",
        "this afternoon": "23/afternoon",
        "today at five": "23 17:00",
        "later today": "23",
        "in two hours": "23 12:00",
        "in half an hour": "23 10:30",
        "in three days": "26",
        "next week": "30",
        "next week on thursday": "12-03",
        "thursday next week at ten": "12-03 10:00",
        "anytime tomorrow": "24",
        "tomorrow evening": "24/evening",
        "tomorrow first thing in the morning": "24/morning",
        "early tomorrow morning": "24/morning",
        "tomorrow after lunch": "24/afternoon",
        "any afternoon": "/afternoon",
        "three in the afternoon": "15:00",
        "ten": "10:00",
        "ten thirty": "10:30",
        "at ten thirty please": "10:30",
        "let's say eleven": "11:00",
        "no later at four": "16:00",
        "as soon as possible": "asap",
        "whenever you can": "asap",
        "i don't know": None,
        "the blue one": None,
    },
    "es": {
        "mañana a las tres": "24 15:00",
        "mañana a las tres de la tarde": "24 15:00",
        "mañana por la mañana": "24/morning",
        "mañana por la tarde a las cuatro": "24 16:00",
        "mañana a las diez y media": "24 10:30",
        "mañana a las nueve de la mañana": "24 09:00",
        "mañana a las 16:30": "24 16:30",
        "pues mañana sobre las once": "24 11:00",
        "mañana en la tarde": "24/afternoon",
        "mañana temprano": "24/morning",
        "mañana a primera hora": "24/morning",
        "mañana": "24",
        "el jueves por la tarde": "26/afternoon",
        "el viernes a las cinco menos cuarto": "27 16:45",
        "el viernes a la una y cuarto": "27 13:15",
        "el viernes a las doce y veinte": "27 12:20",
        "pasado mañana a las once": "25 11:00",
        "el lunes que viene a las nueve y media": "30 09:30",
        "el próximo martes": "24",
        "el martes de la semana que viene a las diez": "12-01 10:00",
        "la semana que viene": "30",
        "el uno de diciembre a las diez": "12-01 10:00",
        "el primero de diciembre a las diez": "12-01 10:00",
        "el 2 de diciembre a las doce del mediodía": "12-02 12:00",
        "el dos de diciembre a mediodía": "12-02 12:00",
        "el día veintisiete a las nueve": "27 09:00",
        "el miércoles a partir de las cinco": "25 17:00",
        "el miércoles después de las cuatro": "25 16:00",
        "hoy a las cinco": "23 17:00",
        "hoy por la tarde": "23/afternoon",
        "esta tarde a las seis": "23 18:00",
        "esta tarde": "23/afternoon",
        "dentro de media hora": "23 10:30",
        "en dos horas": "23 12:00",
        "dentro de tres días": "26",
        "por la mañana": "/morning",
        "a las cuatro de la tarde": "16:00",
        "a las quince treinta": "15:30",
        "a las diez y media": "10:30",
        "las diez y media": "10:30",
        "diez y media": "10:30",
        "a las once menos diez": "10:50",
        "a la una": "13:00",
        "a las diez": "10:00",
        "mejor a las doce": "12:00",
        "el jueves tipo once": "26 11:00",
        "cuanto antes": "asap",
        "lo antes posible": "asap",
        "cuando puedan": "asap",
        "no lo sé": None,
        "la azul": None,
    },
    "fr": {
        "demain à quinze heures": "24 15:00",
        "demain matin": "24/morning",
        "demain matin à neuf heures": "24 09:00",
        "demain vers dix heures": "24 10:00",
        "demain à dix heures quinze": "24 10:15",
        "demain à quatorze heures trente": "24 14:30",
        "demain à 15h": "24 15:00",
        "demain à 14h30": "24 14:30",
        "demain à 14 h 30": "24 14:30",
        "demain à 16:30": "24 16:30",
        "demain à trois heures de l'après-midi": "24 15:00",
        "demain à deux heures": "24 14:00",
        "demain en début d'après-midi": "24/afternoon",
        "demain dans l'après-midi": "24/afternoon",
        "demain dans la matinée": "24/morning",
        "demain": "24",
        "lundi prochain à dix heures": "30 10:00",
        "lundi": "30",
        "jeudi après-midi": "26/afternoon",
        "vendredi à neuf heures et demie": "27 09:30",
        "vendredi à dix heures et quart": "27 10:15",
        "mercredi à dix-sept heures moins le quart": "25 16:45",
        "mercredi à onze heures moins dix": "25 10:50",
        "après-demain à midi": "25 12:00",
        "après demain à midi et demi": "25 12:30",
        "mardi à midi et quart": "24 12:15",
        "mardi en fin de matinée": "24/morning",
        "mardi en fin d'après-midi": "24/afternoon",
        "mardi vingt-quatre à dix heures": "24 10:00",
        "le vingt-sept à neuf heures": "27 09:00",
        "le premier décembre à onze heures": "12-01 11:00",
        "le deux décembre à 14h30": "12-02 14:30",
        "le trois décembre": "12-03",
        "la semaine prochaine": "30",
        "jeudi de la semaine prochaine à dix heures": "12-03 10:00",
        "cet après-midi": "23/afternoon",
        "cet après-midi à seize heures": "23 16:00",
        "ce soir": "23/evening",
        "aujourd'hui à dix-sept heures": "23 17:00",
        "dans deux heures": "23 12:00",
        "dans une demi-heure": "23 10:30",
        "dans trois jours": "26",
        "le matin": "/morning",
        "plutôt l'après-midi": "/afternoon",
        "dix heures trente": "10:30",
        "dix heures": "10:00",
        "à dix-huit heures": "18:00",
        "vers treize heures": "13:00",
        "après quatorze heures": "14:00",
        "dès que possible": "asap",
        "le plus tôt possible": "asap",
        "quand vous pouvez": "asap",
        "je ne sais pas": None,
        "la bleue": None,
    },
}
CASES = [
    (language, text, when) for language, table in TIMES.items() for text, when in table.items()
]


@pytest.mark.parametrize(("language", "text", "when"), CASES)
def test_day_and_time_are_read(language: Language, text: str, when: str | None) -> None:
    assert written(text, language) == when


def written(text: str, language: Language) -> str | None:
    found = parse_when(text, language, NOW)
    if found is None:
        return None
    if found.asap:
        return "asap"
    day = (
        found.date.strftime("%d" if found.date.month == NOW.month else "%m-%d")
        if found.date
        else ""
    )
    if found.time is not None:
        return f"{day} {found.time:%H:%M}".strip()
    return f"{day}/{found.part}" if found.part else day


def test_part_of_today_that_is_over_is_still_today() -> None:
    evening = NOW.replace(hour=20)
    found = parse_when("this morning", "en", evening)
    assert found is not None
    assert found.date == evening.date()
