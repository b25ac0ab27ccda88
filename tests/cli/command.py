"""The real `holdfast` command as a process: run to its end, or talked with line by line."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

COMMAND = Path(sys.executable).parent / "holdfast"
SECONDS = 60.0  # at most, for anything; a process starts in two or three
Json = dict[str, Any]


@dataclass(frozen=True)
class Ended:
    """What a process left."""

    code: int
    out: str
    complaint: str  #: on stderr

    @property
    def lines(self) -> list[Json]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Holdfast:
    """The command in an environment of its own: nothing of the developer's gets in."""

    folder: Path  #: where it is run; `.env` is read from here
    environment: Mapping[str, str] = field(default_factory=dict)

    def within(self, **environment: str) -> Holdfast:
        """The same, with more in the environment."""
        return Holdfast(self.folder, {**self.environment, **environment})

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(COMMAND), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env={"PATH": os.defpath, "HOME": str(self.folder), **self.environment},
        )

    def run(self, *arguments: str, typed: str | bytes = "") -> Ended:
        """Run to the end."""
        process = self.start(*arguments)
        data = typed.encode() if isinstance(typed, str) else typed
        out, complaint = process.communicate(data, timeout=SECONDS)
        return Ended(process.returncode, out.decode(), complaint.decode())

    def call(self, *arguments: str) -> Line:
        """Ring."""
        return Line(self.start("call", "--json", *arguments))


@dataclass(frozen=True)
class Answer:
    """What the line wrote for one line of the caller's."""

    reply: Json  #: of type reply or error: the last line
    notices: list[Json]  #: before it

    def __getitem__(self, name: str) -> Any:
        return self.reply[name]


class Line:
    """A call in a process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.code = ""  #: the last one-time code that was sent
        self._written: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for raw in self.process.stdout:
            self._written.put(raw.decode())
        self._written.put(None)

    def heard(self) -> Answer:
        """The next reply or error, and the notices before it."""
        notices: list[Json] = []
        while True:
            written = self._written.get(timeout=SECONDS)
            assert written is not None, self.ended().complaint
            line = json.loads(written)
            if line["type"] != "notice":
                return Answer(line, notices)
            notices.append(line)
            code = re.search(r"\b\d{6}\b", line["body"])
            self.code = code[0] if code else self.code

    def type(self, raw: str | bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(raw.encode() if isinstance(raw, str) else raw)
        self.process.stdin.flush()

    def send(self, **line: object) -> Answer:
        """One line of JSON, and what comes back."""
        self.type(json.dumps(line) + "\n")
        return self.heard()

    def say(self, words: str) -> Answer:
        return self.send(say=words.replace("{code}", self.code))

    def hang(self, **line: object) -> Ended:
        """Something that ends the call; without a line, the end of input."""
        if line:
            self.type(json.dumps(line) + "\n")
        return self.ended()

    def interrupt(self, signal_number: signal.Signals) -> Ended:
        self.process.send_signal(signal_number)
        return self.ended()

    def ended(self) -> Ended:
        """Closes the input and waits; whatever was written since the last reply is in `out`."""
        process = self.process
        assert process.stdin is not None
        assert process.stderr is not None
        with suppress(BrokenPipeError):
            process.stdin.close()
        complaint = process.stderr.read().decode()
        code = process.wait(SECONDS)
        rest: list[str] = []
        while (written := self._written.get(timeout=SECONDS)) is not None:
            rest.append(written)
        self._written.put(None)
        return Ended(code, "".join(rest), complaint)
