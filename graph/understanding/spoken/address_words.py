"""An address as words on their way to parts: the words left, the words that are no part, the larger towns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import yaml

from graph.understanding.commands import Language
from graph.understanding.lexicon import FOLDER, plain
from graph.understanding.spoken.numbers import digit_groups
from graph.understanding.spoken.words import LONGEST

TOWNS = FOLDER / "towns.yaml"
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
UNITS: dict[Language, frozenset[str]] = {
    "en": frozenset("apartment apt unit suite flat floor room building".split()),
    "es": frozenset("piso planta puerta escalera portal bloque apartamento apto".split()),
    "fr": frozenset("appartement appt appart apt etage batiment bat escalier porte".split()),
}
#: What a caller calls the town: what follows is its name.
TOWN_LABELS: dict[Language, frozenset[str]] = {
    "en": frozenset("city town village".split()),
    "es": frozenset("ciudad pueblo localidad poblacion municipio".split()),
    "fr": frozenset("ville commune village".split()),
}
BESIDE_TOWN: dict[Language, frozenset[str]] = {
    "en": frozenset(("in",)),
    "es": frozenset(("en",)),
    "fr": frozenset(("a",)),
}
#: Words that stand before an address and are not part of it.
LEADS: dict[Language, frozenset[str]] = {
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


@dataclass
class Left:
    """The words not used yet: as said, and plain."""

    said: list[str]
    plain: list[str]
    parts: dict[str, str] = field(default_factory=dict)

    def cut(self, start: int, end: int) -> None:
        """Used up; a mark stays, so that what stood before and after is not read as one name."""
        self.said[start:end] = ["|"]
        self.plain[start:end] = ["|"]


def words_apart(text: str, language: Language) -> Left:
    """The words of an utterance, none used yet."""
    said = [word for word in re.split(r"[\s,;]+|\.(?=\s|$)", text[:LONGEST]) if plain(word)]
    split: list[str] = []
    for word in said:
        split += _apart(word, language)
    return Left(split, [plain(word) for word in split])


def _apart(word: str, language: Language) -> list[str]:
    """ "quatre-vingt-dix" and "l'appartement" are more than one word; "jean-jaurès" and "l'hospitalet" are one."""
    if language == "en" and plain(word).endswith("'s") and plain(word)[:-2] in TOWN_LABELS["en"]:
        return [word[:-2], "is"]
    _, elided, tail = word.replace("’", "'").partition("'")
    if elided and plain(tail) in UNITS[language] | STREET_TYPES[language]:
        return [tail]
    numbers = digit_groups(plain(word).replace("-", " ").split(), "fr")
    return word.split("-") if "-" in word and numbers and not word[0].isdigit() else [word]


def chunks(left: Left) -> list[tuple[int, int]]:
    """Stretches of words between the parts that were taken out."""
    marks = [-1, *(at for at, word in enumerate(left.plain) if word == "|"), len(left.plain)]
    return [(a + 1, b) for a, b in pairwise(marks) if b - a > 1]


def past_leads(words: list[str], start: int, end: int, language: Language) -> int:
    """Past words like "it's in"; "new" and "la" begin names too, so they go only with another such word."""
    while start < end and words[start] in LEADS[language]:
        following = words[start + 1] if start + 1 < end else ""
        if words[start] in _BEGIN_NAMES and following and following not in LEADS[language]:
            break
        start += 1
    return start


def is_sentence(words: list[str], language: Language) -> bool:
    return any(word in _SENTENCE[language] for word in words)


@cache
def towns(country: str) -> frozenset[str]:
    """The larger towns of a country, plain."""
    raw: dict[str, list[str]] = yaml.safe_load(TOWNS.read_text("utf-8"))
    return frozenset(plain(name) for name in raw.get(country, ()))


def town_at_end(words: list[str], country: str) -> int:
    """How many words at the end are a town: "rue des lilas lyon"."""
    for size in (4, 3, 2, 1):
        if len(words) >= size and " ".join(words[-size:]).replace("-", " ") in towns(country):
            return size
    return 0
