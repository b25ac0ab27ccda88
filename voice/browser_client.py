"""LiveKit's client for browsers: taken from npm by name and lock when it is first needed, kept in the cache."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from voice.children import run
from voice.errors import CommandFailed, LineIncomplete

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
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        await run(command, INSTALLS_WITHIN, folder=folder)
    except CommandFailed as failed:
        first = str(failed).partition("\n")[0]
        raise LineIncomplete(f"npm can't install LiveKit's client: {first}") from None
