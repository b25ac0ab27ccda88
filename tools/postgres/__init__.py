"""The built-in company systems, in Postgres."""

from __future__ import annotations

from tools.postgres.company import FAQ, MIGRATIONS, PostgresCompany
from tools.postgres.imports import ImportFailed, Loaded, Problem, import_company
from tools.postgres.knowledge import FaqInvalid, read_topics
from tools.postgres.notices import QueuedNotice

__all__ = [
    "FAQ",
    "MIGRATIONS",
    "FaqInvalid",
    "ImportFailed",
    "Loaded",
    "PostgresCompany",
    "Problem",
    "QueuedNotice",
    "import_company",
    "read_topics",
]
