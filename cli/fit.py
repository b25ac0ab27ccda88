"""`holdfast fit`: fit the models that need no network now, so that no caller waits for it."""

from __future__ import annotations

from cli.running import read_settings


def fit() -> None:
    """Fit the models of understanding and of the answers that come with Holdfast; done already, it does nothing."""
    from graph.understanding.local import LocalUnderstander
    from tools.postgres import FAQ, matcher, read_topics

    cache = read_settings().cache
    LocalUnderstander(cache).warm_up()
    topics = read_topics(FAQ)
    for language in {one.language for one in topics}:
        matcher(language, (one for one in topics if one.language == language), cache)
