"""Which language the call goes on in: the caller's, changed on request or on sustained evidence."""

from __future__ import annotations

from graph.state import Lang, LanguageEvidence
from graph.understanding.commands import SwitchLanguage, Understanding

TURNS_OF_EVIDENCE = 2  # one foreign word, name or address line must not switch a call


def settle_language(
    current: Lang, evidence: LanguageEvidence, heard: Understanding
) -> tuple[Lang, LanguageEvidence]:
    """The language to answer in, and the evidence kept for the next turn.

    A request switches at once, and so does a whole sentence that can only be another language. Otherwise it
    takes two turns in a row that sound like the same other language.
    """
    for command in heard.commands:
        if isinstance(command, SwitchLanguage):
            return command.language, LanguageEvidence()
    if heard.language == current:
        return current, LanguageEvidence()
    if heard.language_sure:
        return heard.language, LanguageEvidence()
    turns = evidence.turns + 1 if evidence.language == heard.language else 1
    if turns >= TURNS_OF_EVIDENCE:
        return heard.language, LanguageEvidence()
    return current, LanguageEvidence(language=heard.language, turns=turns)
