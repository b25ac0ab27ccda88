"""`holdfast graph`: the drawing of the conversation, as Mermaid text."""

from __future__ import annotations


def draw() -> None:
    """Print the graph's drawing; the README shows the same."""
    from graph.drawing import mermaid

    print(mermaid())
