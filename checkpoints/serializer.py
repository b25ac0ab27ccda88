"""How a call's state is written: declared models as JSON with the version of the state, everything else as LangGraph
does. What can't be read again is not written, and what a release can't read it says so about.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass
from enum import Enum
from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import BaseModel, ValidationError

from checkpoints.errors import StateUnreadable, UndeclaredType

#: A model's name and fields as one version wrote them, to the fields of the next version.
Upgrade = Callable[[str, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class StateShape:
    """What a checkpoint may hold, and how older ones become it."""

    declared: Sequence[type]  #: our classes, at the top of a channel or as an enum inside
    version: int = 1  #: raised whenever a field is renamed, removed or changes its meaning
    upgrades: Mapping[int, Upgrade] = field(
        default_factory=dict
    )  #: by the version they start from; one for each below `version`


class StrictSerializer(JsonPlusSerializer):
    """Refuses to save what it would not load, and to load what it does not understand.

    LangGraph's own serializer does neither: an undeclared class comes back as a dict, and a model whose fields
    changed as an unvalidated shell of itself (`model_construct`), in the middle of somebody's call.
    """

    def __init__(self, shape: StateShape) -> None:
        super().__init__(
            allowed_msgpack_modules=[(one.__module__, one.__name__) for one in shape.declared]
        )
        self._shape = shape
        self._declared = frozenset(shape.declared)
        self._models = {one.__name__: one for one in shape.declared if issubclass(one, BaseModel)}

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Raises UndeclaredType."""
        if not self._declared.issuperset(_our_classes(obj)):
            raise UndeclaredType
        if isinstance(obj, BaseModel) and type(obj) in self._declared:
            return f"{type(obj).__name__}.{self._shape.version}", obj.model_dump_json().encode()
        return super().dumps_typed(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Raises StateUnreadable."""
        name, _, version = data[0].partition(".")
        model = self._models.get(name)
        if model is None or not version.isdecimal():
            return super().loads_typed(data)
        try:
            return model.model_validate_json(self._upgraded(name, int(version), data[1]))
        except ValidationError:
            raise StateUnreadable from None

    def _upgraded(self, name: str, version: int, data: bytes) -> bytes:
        if version == self._shape.version:
            return data
        if version > self._shape.version:
            raise StateUnreadable
        fields: dict[str, Any] = json.loads(data)
        for step in range(version, self._shape.version):
            fields = self._shape.upgrades[step](name, fields)
        return json.dumps(fields).encode()


def _our_classes(value: object) -> Iterator[type]:
    """Classes a value would be loaded as by name. What is inside a model comes back through the model's own fields."""
    if isinstance(value, BaseModel | Enum) or (is_dataclass(value) and not isinstance(value, type)):
        if not type(value).__module__.startswith(("langgraph.", "langchain_core.")):
            yield type(value)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _our_classes(one)
    elif isinstance(value, list | tuple | deque | set | frozenset):
        for one in value:
            yield from _our_classes(one)
