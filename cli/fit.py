"""`holdfast fit`: fit the models of the local understanding now, so that no caller waits for it."""

from __future__ import annotations

from cli.running import read_settings


def fit() -> None:
    """Fit the models of the local understanding and keep them in the cache folder; done already, it does nothing."""
    from graph.understanding.local import LocalUnderstander

    LocalUnderstander(read_settings().cache).warm_up()
