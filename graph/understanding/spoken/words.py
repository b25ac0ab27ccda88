"""Number words, letters and fillers of the three languages."""

from __future__ import annotations

import re

from graph.understanding.commands import Language
from graph.understanding.lexicon import plain

UNITS: dict[Language, dict[str, int]] = {
    "en": {
        "zero": 0, "oh": 0, "o": 0, "nought": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
        "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
        "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "niner": 9,
    },
    "es": {
        "cero": 0, "un": 1, "uno": 1, "una": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7,
        "ocho": 8, "nueve": 9, "diez": 10, "once": 11, "doce": 12, "trece": 13, "catorce": 14, "quince": 15,
        "dieciseis": 16, "diecisiete": 17, "dieciocho": 18, "diecinueve": 19, "veintiun": 21, "veintiuno": 21,
        "veintiuna": 21, "veintidos": 22, "veintitres": 23, "veinticuatro": 24, "veinticinco": 25,
        "veintiseis": 26, "veintisiete": 27, "veintiocho": 28, "veintinueve": 29,
    },
    "fr": {
        "zero": 0, "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8,
        "neuf": 9, "dix": 10, "onze": 11, "douze": 12, "treize": 13, "quatorze": 14, "quinze": 15, "seize": 16,
    },
}  # fmt: skip
TENS: dict[Language, dict[str, int]] = {
    "en": {"twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90},
    "es": {"veinte": 20, "treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "setenta": 70, "ochenta": 80, "noventa": 90},
    "fr": {"vingt": 20, "vingts": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60, "septante": 70, "huitante": 80, "octante": 80, "nonante": 90},
}  # fmt: skip
HUNDREDS: dict[Language, dict[str, int]] = {
    "en": {"hundred": 100},
    "es": {
        "cien": 100, "ciento": 100, "doscientos": 200, "doscientas": 200, "trescientos": 300, "trescientas": 300,
        "cuatrocientos": 400, "cuatrocientas": 400, "quinientos": 500, "quinientas": 500, "seiscientos": 600,
        "seiscientas": 600, "setecientos": 700, "setecientas": 700, "ochocientos": 800, "ochocientas": 800,
        "novecientos": 900, "novecientas": 900,
    },
    "fr": {"cent": 100, "cents": 100},
}  # fmt: skip
THOUSAND: dict[Language, tuple[str, ...]] = {
    "en": ("thousand",),
    "es": ("mil",),
    "fr": ("mille", "mil"),
}
JOINT: dict[Language, str] = {"en": "and", "es": "y", "fr": "et"}
REPEATS: dict[Language, dict[str, int]] = {
    "en": {"double": 2, "triple": 3, "treble": 3},
    "es": {"doble": 2, "triple": 3},
    "fr": {"double": 2, "triple": 3},
}
#: Between a group and the group that replaces it.
TAKE_BACK: dict[Language, tuple[str, ...]] = {
    "en": ("no", "sorry", "i mean", "rather", "make that", "correction"),
    "es": ("no", "perdon", "digo", "mejor dicho", "quiero decir"),
    "fr": ("non", "pardon", "je veux dire", "plutot", "enfin"),
}
LETTERS: dict[Language, dict[str, str]] = {
    "en": {
        "ay": "A", "bee": "B", "cee": "C", "see": "C", "dee": "D", "ee": "E", "eff": "F", "ef": "F", "gee": "G",
        "aitch": "H", "haitch": "H", "jay": "J", "kay": "K", "el": "L", "ell": "L", "em": "M", "en": "N", "pee": "P",
        "cue": "Q", "queue": "Q", "ar": "R", "ess": "S", "tee": "T", "you": "U", "vee": "V", "double-u": "W",
        "ex": "X", "why": "Y", "zee": "Z", "zed": "Z",
    },
    "es": {
        "be": "B", "ce": "C", "de": "D", "efe": "F", "ge": "G", "hache": "H", "jota": "J", "ka": "K", "ele": "L",
        "eme": "M", "ene": "N", "eñe": "Ñ", "pe": "P", "cu": "Q", "erre": "R", "ere": "R", "ese": "S", "te": "T",
        "uve": "V", "ve": "V", "equis": "X", "ye": "Y", "griega": "Y", "zeta": "Z", "ceta": "Z",
    },
    "fr": {
        "be": "B", "ce": "C", "de": "D", "effe": "F", "ef": "F", "ge": "G", "hache": "H", "ache": "H", "ji": "J",
        "gi": "J", "ka": "K", "elle": "L", "el": "L", "emme": "M", "enne": "N", "pe": "P", "cu": "Q", "erre": "R",
        "esse": "S", "te": "T", "ve": "V", "ixe": "X", "ix": "X", "grec": "Y", "zede": "Z", "zed": "Z",
    },
}  # fmt: skip
NATO: dict[str, str] = {
    "alpha": "A", "alfa": "A", "bravo": "B", "charlie": "C", "delta": "D", "echo": "E", "foxtrot": "F", "golf": "G",
    "hotel": "H", "india": "I", "juliet": "J", "juliett": "J", "kilo": "K", "lima": "L", "mike": "M",
    "november": "N", "oscar": "O", "papa": "P", "quebec": "Q", "romeo": "R", "sierra": "S", "tango": "T",
    "uniform": "U", "victor": "V", "whiskey": "W", "whisky": "W", "x-ray": "X", "xray": "X", "yankee": "Y",
    "zulu": "Z",
}  # fmt: skip
#: "B as in Bravo": the letter, one of these, a word that only explains it.
AS_IN: dict[Language, tuple[str, ...]] = {
    "en": ("as in", "like", "for"),
    "es": ("de", "como"),
    "fr": ("comme", "de"),
}
#: Words between the digits of one number that mean nothing.
FILLERS: dict[Language, frozenset[str]] = {
    "en": frozenset("um uh er erm hmm uhm mm like then and dash hyphen okay ok so".split()),
    "es": frozenset("eh em este pues mmm y luego despues guion vale entonces".split()),
    "fr": frozenset("euh heu hum ben bah alors puis et ensuite tiret".split()),
}
#: "one second", "that one": no digit.
ONE_BEFORE: dict[Language, frozenset[str]] = {
    "en": frozenset(
        "second sec moment minute min more question thing of time times day week hour other "
        "problem order person".split()
    ),
    "es": frozenset(),
    "fr": frozenset(
        "seconde instant moment minute question chose commande fois peu petit petite".split()
    ),
}
ONE_AFTER: dict[Language, frozenset[str]] = {
    "en": frozenset("the this that which other last another no any every each only".split()),
    "es": frozenset(),
    "fr": frozenset(),
}
#: Number words that are articles unless they stand in a number, or alone.
ARTICLES: dict[Language, frozenset[str]] = {
    "en": frozenset(),
    "es": frozenset(("un", "una")),
    "fr": frozenset(("un", "une")),
}
#: Words that are zero only next to another digit.
ZERO_OR_SIGH = frozenset(("oh", "o"))
LONGEST = 1000
_TAILS = re.compile(r"(?<=\w)'(?:s|m|re|ve|ll|d|t)\b")  # "it's h f": the s is no letter of the code
_ELISIONS = re.compile(r"\b(?:c|l|d|j|n|s|m|t|qu|jusqu|lorsqu|puisqu)'(?=\w)")  # "c'est h f"


def words_of(text: str) -> list[str]:
    """Plain words; hyphens and dots inside separate, so that quatre-vingt-dix and HF-10482 come apart."""
    cleaned = _ELISIONS.sub("", _TAILS.sub("", plain(text[:LONGEST])))
    return re.sub(r"[-./':+]", " ", cleaned).split()
