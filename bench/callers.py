"""Scripted callers for the benchmarks: the same call in three languages, an order, a question, an address change."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from conversation import Conversation
from services import Services

SCRIPTS: dict[str, tuple[str, ...]] = {
    "en": (
        "hi how long do i have to send something back",
        "where is my order",
        "{postal}",
        "the first one",
        "i moved and need to change my address",
        "{code}",
        "fifty main street",
        "portland",
        "oregon",
        "nine seven two oh five",
        "yes that's right",
        "no that's all",
        "five",
    ),
    "es": (
        "hola cuánto tiempo tengo para devolver algo",
        "dónde está mi pedido",
        "{postal}",
        "el primero",
        "quiero cambiar mi dirección",
        "{code}",
        "calle mayor doce",
        "madrid",
        "veintiocho cero trece",
        "sí eso es",
        "no nada más",
        "cinco",
    ),
    "fr": (
        "bonjour j'ai combien de temps pour renvoyer un article",
        "où est ma commande",
        "{postal}",
        "la première",
        "je voudrais changer mon adresse",
        "{code}",
        "douze rue de la paix",
        "paris",
        "soixante-quinze zéro zéro deux",
        "oui c'est ça",
        "non c'est tout",
        "cinq",
    ),
}
#: Said over and over in an endless call: a question, what was that, small talk.
ENDLESS: tuple[str, ...] = (
    "what are your opening hours",
    "what did you say",
    "thank you",
    "do you deliver to france",
)


@dataclass
class ScriptedCaller:
    """Somebody the company knows, and what they will say."""

    phone: str
    language: str
    postal: str
    code: str = field(default="", init=False)

    @property
    def script(self) -> tuple[str, ...]:
        return SCRIPTS[self.language]

    async def words(self, line: str, services: Services, call: Conversation) -> str:
        """The line with what this caller knows; a one-time code is read from the phone."""
        for notice in await services.sent_notices(call):
            found = re.search(r"\b\d{6}\b", notice.body)
            self.code = found.group() if found else self.code
        return line.format(postal=self.postal, code=self.code)


async def known_callers(services: Services) -> list[ScriptedCaller]:
    return [ScriptedCaller(*one) for one in await services.company.callers()]
