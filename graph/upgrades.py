"""How a call that an earlier release left open becomes one this release can go on with.

Raise STATE_VERSION whenever a field of the state is renamed, removed or changes its meaning, and add the step from
the version before. A field that is added needs only a default. `tests/upgrades` holds calls written by every version.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

STATE_VERSION = 1

#: From the version that is the key to the next: a model's name and its fields, to its fields then.
UPGRADES: dict[int, Callable[[str, dict[str, Any]], dict[str, Any]]] = {}
