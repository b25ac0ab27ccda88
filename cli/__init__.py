"""The `holdfast` command: one file per subcommand."""

from __future__ import annotations

from cli.app import main

__all__ = ["main"]
