"""Our own mistakes: a flow that cannot go on, a sentence that is not there.

GraphError
  MessageMissing   a Fluent file lacks a message or a variable
  FlowUnfinished   a turn ended without a question or a goodbye
"""

from __future__ import annotations


class GraphError(Exception):
    """The conversation is in a state it should never reach."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class MessageMissing(GraphError):
    """A message or a variable is missing from the wording."""


class FlowUnfinished(GraphError):
    """A turn ended without a next step for the caller."""
