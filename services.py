"""The composition root: builds everything a call needs from Settings. Entry points use this and nothing below it."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import phonenumbers
import structlog
from phonenumbers import timezone as phone_timezones

from checkpoints.calls import CallRecord, CallRegister
from conversation import Conversation
from graph.build import build
from graph.context import CallContext, Desk
from graph.state import CallerTurn, Case, Lang, Said
from graph.understanding.local import LocalUnderstander
from graph.wording.speak import FluentWording
from settings import Settings
from tools.ports import KnowledgeBase
from tools.records import Level, Passage

#: Everything of ours that a checkpoint may hold; the saver refuses any other class.
CHECKPOINTED: tuple[type, ...] = (CallerTurn, Case, Said, Level)
LANGUAGE_OF_COUNTRY: dict[str, Lang] = {"US": "en", "GB": "en", "ES": "es", "MX": "es", "FR": "fr", "BE": "fr"}
ZONE_OF_COUNTRY = {"US": "America/New_York", "ES": "Europe/Madrid", "FR": "Europe/Paris"}
