"""What all calls of a worker share in memory: imported once by its fork server, before there is a call.

A model is loaded where this module is imported, because that is the only place whose memory every call's process gets
for nothing; loaded in each process it is 100 MB and more a call.
"""

from __future__ import annotations

import asyncio
import gc

from langgraph.checkpoint.memory import InMemorySaver
from livekit.agents.tokenize.basic import hyphenate_word
from livekit.agents.utils import http_context

from graph.build import compiled
from graph.understanding.commands import LANGUAGES
from graph.wording.speak import bundle
from settings import Settings
from understanders import understanding_of
from voice.keyterms import keyterms


async def _certificates() -> None:
    """Read those that vendors are trusted by: 40 ms of processor, once instead of in every greeting."""
    async with http_context.open():
        http_context.http_session()


UNDERSTANDER = understanding_of(Settings())  # and the client of models that read, if there are any
UNDERSTANDER.warm_up()
for language in LANGUAGES:
    bundle(language)
keyterms(None, "en")  # of all languages, from one file
compiled(InMemorySaver())
hyphenate_word("hello")  # captions are paced by syllables, from patterns that are read here
asyncio.run(_certificates())
gc.freeze()  # a collection in a call's process would copy every page
