"""One question, one answer, or the admission that there is none."""

from __future__ import annotations

from tools.ports import KnowledgeBase, LanguageCode
from tools.records import Passage


async def answer(knowledge: KnowledgeBase, question: str, language: LanguageCode) -> Passage | None:
    """The passage that answers, or None when nothing is sure enough."""
    if not question.strip():
        return None
    passages = await knowledge.search(question[:500], language)
    return passages[0] if passages else None
