"""How long a caller may wait, made of the line's own limits."""

from __future__ import annotations

from conversation import DURABLE_SECONDS, SETTLE_SECONDS
from services import ANSWER_SECONDS
from settings import LimitSettings
from tools.confirmation import WRITE_SECONDS

BUSY = 2.0  #: seconds a loaded machine may add
PAUSE = 0.3  #: seconds between a look-up and its retry, at most
LOOKUP_TWICE = 2 * LimitSettings().lookup_seconds + PAUSE
#: From the caller's words to the reply: the slowest thing that can be waited for, and the turn's own record.
REPLY_SECONDS = max(LOOKUP_TWICE, DURABLE_SECONDS + WRITE_SECONDS) + SETTLE_SECONDS + BUSY
PICKED_UP_SECONDS = ANSWER_SECONDS + SETTLE_SECONDS + BUSY
#: Within these seconds after a fault everything works as before, without a restart.
BACK_SECONDS = 15.0
