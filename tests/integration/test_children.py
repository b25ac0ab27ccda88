"""Child processes end with us, with all that they started, whatever they think of it; commands end by themselves."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from voice.children import Child, Children, run
from voice.errors import CommandFailed

GRANDCHILD = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True); "
WAITS = "import time; time.sleep(60)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "


async def started(children: Children, code: str, log: Path) -> Child:
    child = Child("child", [sys.executable, "-c", code], log, {"KEY": "value"}, leaves_within=0.5)
    return await children.start(child)


async def grandchild_of(child: Child) -> int:
    while True:
        if (text := child.log.read_text()).endswith("\n"):
            return int(text)
        await asyncio.sleep(0.01)


def runs(pid: int) -> bool:
    """A corpse doesn't, whoever has yet to collect it."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def test_a_child_writes_into_its_log_and_has_its_environment(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "child.log"
    async with Children() as children:
        child = await started(children, "import os; print(os.environ['KEY'])", log)
        assert await child.wait() == 0
    assert log.read_text() == "value\n"


async def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    async with Children() as children:
        child = await started(children, GRANDCHILD + WAITS, tmp_path / "log")
        grandchild = await grandchild_of(child)
        assert runs(grandchild)
    assert not runs(child.pid)
    assert not runs(grandchild)


async def test_what_a_dead_child_left_behind_ends_too(tmp_path: Path) -> None:
    async with Children() as children:
        child = await started(children, GRANDCHILD, tmp_path / "log")
        await child.wait()
        grandchild = await grandchild_of(child)
    assert not runs(grandchild)


async def test_a_child_that_does_not_want_to_end_is_ended(tmp_path: Path) -> None:
    async with Children() as children:
        child = await started(children, DEAF + GRANDCHILD + WAITS, tmp_path / "log")
        await grandchild_of(child)
    assert not runs(child.pid)


async def test_a_child_can_be_started_again(tmp_path: Path) -> None:
    async with Children() as children:
        child = await started(children, "print('once')", tmp_path / "log")
        await child.wait()
        await child.start()
        await child.wait()
    assert child.log.read_text() == "once\nonce\n"


async def test_a_command_gives_what_it_prints(tmp_path: Path) -> None:
    code = "import os, sys; print(os.environ['KEY'], os.path.samefile('.', sys.argv[1]))"
    command = [sys.executable, "-c", code, str(tmp_path)]
    printed = await run(command, 30, folder=tmp_path, environment={"KEY": "value"})
    assert printed == "value True\n"


async def test_a_command_that_fails_says_what_it_complained_of() -> None:
    with pytest.raises(CommandFailed, match=r"^no such thing$"):
        await run([sys.executable, "-c", "raise SystemExit('no such thing')"], 30)


async def test_a_command_that_never_ends_is_ended() -> None:
    with pytest.raises(CommandFailed, match="too long"):
        await run([sys.executable, "-c", DEAF + WAITS], 0.2)
