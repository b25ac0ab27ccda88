"""What all calls of a worker share in memory: imported once by its fork server, before there is a call.

A model is loaded where this module is imported, because that is the only place whose memory every call's process gets
for nothing; loaded in each process it is 100 MB and more a call.
"""

from __future__ import annotations

import gc

from langgraph.checkpoint.memory import InMemorySaver
from livekit.agents.tokenize.basic import hyphenate_word

import services  # noqa: F401 - everything a call needs
from graph.build import compiled
from graph.understanding.commands import LANGUAGES
from graph.understanding.local import LocalUnderstander
from graph.wording.speak import bundle
from settings import Settings
from voice.keyterms import keyterms

UNDERSTANDER = LocalUnderstander(Settings().cache)
UNDERSTANDER.warm_up()
for language in LANGUAGES:
    bundle(language)
keyterms(None, "en")  # of all languages, from one file
compiled(InMemorySaver())
hyphenate_word("hello")  # captions are paced by syllables, from patterns that are read here
gc.freeze()  # a collection in a call's process would copy every page
