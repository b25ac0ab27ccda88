"""Staff, as a line sees them from which nobody can be put through."""

from __future__ import annotations

from tools.ports import LanguageCode, StaffDesk


class OutOfReach:
    """tools.ports.StaffDesk: cases are taken, and nobody is there to talk to."""

    def __init__(self, staff: StaffDesk) -> None:
        self.hand_over = staff.hand_over
        self.transferred = staff.transferred

    async def available(self, language: LanguageCode) -> bool:  # noqa: ARG002 - the port's
        return False
