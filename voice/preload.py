"""What all calls of a worker share in memory: imported once by its fork server, before there is a call.

A model is loaded where this module is imported, because that is the only place whose memory every call's process gets
for nothing; loaded in each process it is 100 MB and more a call.
"""

from __future__ import annotations

import gc

import services  # noqa: F401 - everything a call needs
from graph.understanding.commands import LANGUAGES
from graph.understanding.local import LocalUnderstander
from graph.wording.speak import bundle
from settings import Settings

UNDERSTANDER = LocalUnderstander(Settings().cache)
UNDERSTANDER.warm_up()
for language in LANGUAGES:
    bundle(language)
gc.freeze()  # a collection in a call's process would copy every page
