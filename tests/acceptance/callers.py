"""A process that calls: `python -m tests.acceptance.callers`, directed and reporting by JSON lines.

In: {"id", "call", "do": "join|say|cut_in|hush|surround|press|type|reconnect|save|leave", ...what it takes}.
Out: {"id", "answer"} or {"id", "error"} when it is done, and {"call", "event", "at", ...} as things happen. End of
input ends every call politely. A process of its own, because two rooms of one room in a process do not see each other.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import traceback
from functools import partial

from livekit import rtc

from tests.acceptance.phone import Phone

COMMANDS = frozenset(
    {"join", "say", "cut_in", "hush", "surround", "press", "type", "reconnect", "save", "leave"}
)
EXPECTED = (rtc.ConnectError, RuntimeError, OSError, AssertionError, KeyError, TypeError)


def tell(**line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def tell_event(call: str, event: str, **what: object) -> None:
    tell(**{"call": call, "event": event, "at": time.monotonic(), **what})


class Phones:
    """The calls of this process, each of another room."""

    def __init__(self) -> None:
        self._phones: dict[str, Phone] = {}
        self._work: set[asyncio.Task[None]] = set()

    def begin(self, line: str) -> None:
        """Several commands of one call may be under way at once."""
        task = asyncio.create_task(self._do(**json.loads(line)))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _do(self, id: int, call: str, do: str, **given: str) -> None:  # noqa: A002
        try:
            assert do in COMMANDS, f"nobody can {do}"
            if do == "join":
                self._phones[call] = Phone(partial(tell_event, call))
            tell(id=id, answer=await getattr(self._phones[call], do)(**given))
        except EXPECTED as error:
            traceback.print_exc()
            tell(id=id, error=repr(error))

    async def end(self) -> None:
        for work in self._work:
            work.cancel()
        await asyncio.gather(*(phone.leave() for phone in self._phones.values()))


async def main() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    phones = Phones()
    async for line in reader:
        phones.begin(line.decode())
    await phones.end()


if __name__ == "__main__":
    asyncio.run(main())
