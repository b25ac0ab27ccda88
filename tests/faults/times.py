"""How long a caller may wait, made of the line's own limits."""

from __future__ import annotations

from conversation import DURABLE_SECONDS, LOOKUPS_SECONDS, SETTLE_SECONDS
from services import ANSWER_SECONDS
from tools.confirmation import WRITE_SECONDS

BUSY = 2.0  #: seconds a loaded machine may add
#: From the caller's words to the reply: the slowest thing that can be waited for, and the turn's own record.
REPLY_SECONDS = max(LOOKUPS_SECONDS, DURABLE_SECONDS + WRITE_SECONDS) + SETTLE_SECONDS + BUSY
PICKED_UP_SECONDS = ANSWER_SECONDS + SETTLE_SECONDS + BUSY
#: Within these seconds after a fault everything works as before, without a restart.
BACK_SECONDS = 15.0
