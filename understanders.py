"""What reads the caller's words in a process, as its settings want it."""

from __future__ import annotations

from pydantic import SecretStr

from graph.understanding.cascade import Cascade
from graph.understanding.local import LocalUnderstander
from graph.understanding.model import OPENAI, ChatModel, ModelAt
from settings import ModelProvider, Settings

#: With models, where they are configured.
Understanding = LocalUnderstander | Cascade


def understanding_of(settings: Settings) -> Understanding:
    """What reads the caller's words. Nothing goes over the network without a key or a server of one's own."""
    local = LocalUnderstander(settings.cache)
    models = settings.reading_models
    if not models:
        return local
    seconds = settings.limits.model_seconds
    return Cascade(local, [ChatModel(_model_at(one), seconds) for one in models], seconds)


def _model_at(one: ModelProvider) -> ModelAt:
    key = one.api_key or SecretStr("none")  # a server of one's own may need none
    return ModelAt(one.model, key, one.base_url or OPENAI, one.temperature)
