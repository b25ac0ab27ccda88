"""An utterance with all a reader may look at, and whether it asks something."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from graph.understanding import commands as c
from graph.understanding.lexicon import Lexicon, lexicon, plain

QUESTION = re.compile(
    r"^(?:(?:and|so|um|uh|y|pues|oye|et|alors|du coup|euh|hi|hello|hola|bonjour|okay|ok)\s+)*"
    r"(?:what|what's|when|where|where's|how|how's|which|who|why|can|could|do|does|is|are|will|may|"
    r"que|por que|cual|cuales|cuando|donde|como|cuanto|cuanta|cuantos|quien|puedo|se puede|"
    r"teneis|tienen|hay|haceis|hacen|"
    r"quel|quelle|quels|quelles|quand|ou|comment|combien|qui|pourquoi|est-ce|est ce|puis-je|peut-on|on peut|je peux|"
    r"vous|avez-vous|faites-vous|y a|c'est quoi|c'est qui|c'est quand|c'est combien|qu'est-ce)\b"
)
#: Asked in a roundabout way, anywhere in what was said; what is asked comes after it.
ROUNDABOUT = re.compile(
    r"\b(?:(?:wanna|want to|wanted to|like to|need to|love to) (?:know|ask|find out)|ask (?=about)|"
    r"(?:have|got|had) (?:an?|another|one more) (?:\w+ )?questions?(?= \w+ \w+)|"
    r"tengo (?:una|otra) pregunta(?= \w+ \w+)|j'ai une (?:autre )?question(?= \w+ \w+)|"
    r"wondering|wonder (?=if|whether|how)|"
    r"tell me (?=about|if|how|when|what|whether|where)|questions? (?=about|on)|"
    r"(?:quiero|queria|quisiera|necesito|gustaria) (?:saber|preguntar)|preguntar (?=por|sobre)|"
    r"(?:pregunta|duda|consulta) (?=sobre|de|con)|"
    r"digame (?=si|cuando|como)|sabes? (?=si|cuando|cuanto)|"
    r"(?:voudrais|veux|aimerais|voulais) (?:savoir|demander)|renseignement (?=sur)|question (?=sur|concernant)|"
    r"dites-moi (?=si|quand|comment)|savez(?:-vous)? (?=si|quand|combien))"
    r"(?:\s*(?:if|whether|about|on|si|sobre|de|con|por|sur|concernant)\b)?\s*"
)


@dataclass(frozen=True)
class Heard:
    """An utterance with all a reader may look at."""

    text: str
    plain: str
    language: c.Language
    pending: c.Pending
    words: Lexicon

    @property
    def now(self) -> datetime | None:
        return datetime.fromisoformat(self.pending.now) if self.pending.now else None


def heard(text: str, language: c.Language, pending: c.Pending) -> Heard:
    return Heard(text, plain(text), language, pending, lexicon(language))


def is_question(one: Heard) -> bool:
    return bool(QUESTION.search(one.plain) or ROUNDABOUT.search(one.plain))


def asked(one: Heard) -> str:
    """The question itself, without hello and "i was wondering": what the knowledge base is asked."""
    roundabout = ROUNDABOUT.search(one.plain)
    _, rest = one.words.leading("greeting", one.plain)
    if roundabout is not None and len(one.plain[roundabout.end() :].split()) > 1:
        rest = one.plain[roundabout.end() :]
    return unprefixed(one, rest.strip()) if len(rest.split()) > 1 else one.text


def unprefixed(one: Heard, rest: str) -> str:
    """The end of the original text that matches `rest`, so that numbers and accents stay as they were said."""
    words = one.text.split()
    return " ".join(words[-len(rest.split()) :]) if rest else ""
