"""LiveKit's client for browsers: taken from npm by name and lock when it is first needed, kept in the cache."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from voice.errors import LineIncomplete

PAGE = Path(__file__).with_name("page")
LOCKED = ("package.json", "package-lock.json")
MODULE = Path("node_modules/livekit-client/dist/livekit-client.esm.mjs")
INSTALLS_WITHIN = 300.0  #: seconds


async def browser_client(cache: Path) -> Path:
    """The client's one file.

    Raises:
        LineIncomplete: it is not here and can't be had.
    """
    lock = sha256((PAGE / LOCKED[1]).read_bytes()).hexdigest()[:12]
    kept = cache / f"livekit-client-{lock}.mjs"
    if kept.exists():
        return kept
    npm = shutil.which("npm")
    if npm is None:
        raise LineIncomplete(
            "npm is not installed, and the page needs it once, for LiveKit's client: "
            "install Node.js (Debian: apt-get install nodejs npm)"
        )
    with _package(cache) as folder:
        await _install(npm, folder)
        (folder / MODULE).replace(kept)
    return kept


@contextmanager
def _package(cache: Path) -> Iterator[Path]:
    """A folder that says what is wanted, for as long as it takes to get it."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        for name in LOCKED:
            shutil.copy(PAGE / name, folder)
        yield Path(folder)


async def _install(npm: str, folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund",
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(INSTALLS_WITHIN):
            _, complaint = await process.communicate()
    except TimeoutError:
        complaint = b"it takes too long"
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())
    if process.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines()
        raise LineIncomplete(f"npm can't install LiveKit's client: {lines[0] if lines else ''}")
