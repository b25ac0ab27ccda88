"""The built-in company systems, in Postgres."""

from __future__ import annotations

from tools.postgres.company import FAQ, MIGRATIONS, PostgresCompany
from tools.postgres.embeddings import Embedder, OpenAIEmbedder
from tools.postgres.imports import ImportFailed, Loaded, Problem, import_company
from tools.postgres.knowledge import FaqInvalid, matcher, read_topics
from tools.postgres.notices import QueuedNotice

__all__ = [
    "FAQ",
    "MIGRATIONS",
    "Embedder",
    "FaqInvalid",
    "ImportFailed",
    "Loaded",
    "OpenAIEmbedder",
    "PostgresCompany",
    "Problem",
    "QueuedNotice",
    "import_company",
    "matcher",
    "read_topics",
]
