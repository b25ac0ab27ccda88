"""How loaded a worker is, where the operator says how many calls it may have at once.

Without that number LiveKit's own measure is used: the processor's load over the last seconds, which lags behind calls
that have just come, and counts whatever else runs on the machine.
"""

from __future__ import annotations

#: LiveKit's own: a worker this loaded takes no more, and its server sends it none.
THRESHOLD = 0.7


def load(calls: int, most: int) -> float:
    """At `most` calls exactly the threshold, so that the call after them is refused."""
    return THRESHOLD * (calls / most)
