"""A LiveKit server on this machine, for trying the line and for its tests: found or built, run on loopback, ended."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import fasteners
import httpx
import yaml

from voice.children import LOOPBACK, ends_with_us, run
from voice.errors import CommandFailed, VoiceError

VERSION = "v1.13.5"
MODULE = f"github.com/livekit/livekit-server/cmd/server@{VERSION}"
GO = (1, 26)  #: what this release asks for
GO_WHEEL = Path(__file__).parents[1] / "requirements" / "go.txt"  #: Go as a Python package
STARTS_WITHIN, BUILDS_WITHIN, LEAVES_WITHIN = 30.0, 1800.0, 5.0  # seconds
TRIES = 3  # with free ports, which somebody else may take before the server does
TAKEN = "address already in use"

Tell = Callable[[str], None]


class LiveKitUnavailable(VoiceError):
    """There is no livekit-server here and none can be built, or it doesn't start; the text says what to do."""


@dataclass(frozen=True)
class Ports:
    """Both on loopback."""

    http: int  #: TCP: signalling and API
    media: int  #: UDP

    @classmethod
    def free(cls) -> Ports:
        """Free at this moment."""
        with ExitStack() as held:
            found = []
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                place = held.enter_context(socket.socket(socket.AF_INET, kind))
                place.bind((LOOPBACK, 0))
                found.append(int(place.getsockname()[1]))
            return cls(*found)


@dataclass(frozen=True)
class LocalLiveKit:
    """A server that answers."""

    url: str
    api_key: str
    api_secret: str = field(repr=False)
    ports: Ports
    log: Path
    pid: int

    @property
    def environment(self) -> dict[str, str]:
        """As LiveKit's tools and a worker read it."""
        return {
            "LIVEKIT_URL": self.url,
            "LIVEKIT_API_KEY": self.api_key,
            "LIVEKIT_API_SECRET": self.api_secret,
        }


@asynccontextmanager
async def local_livekit(
    folder: Path, *, cache: Path, ports: Ports | None = None, tell: Tell | None = None
) -> AsyncIterator[LocalLiveKit]:
    """Run a server that only this machine reaches, with a key of its own, until the block ends.

    Args:
        folder: for its config (which holds the secret) and its log.
        cache: where a built server is kept, or is built to.
        ports: default: free ones.
        tell: hears one sentence before something that takes minutes; default: standard error.

    Raises:
        LiveKitUnavailable: none to be had, or it doesn't start.
    """
    binary = await livekit_binary(cache, tell or _on_stderr)
    _make(folder)
    key, secret = f"key{secrets.token_hex(6)}", secrets.token_urlsafe(36)
    process, chosen = await _started(binary, folder, (key, secret), ports)
    try:
        yield LocalLiveKit(
            url=f"ws://{LOOPBACK}:{chosen.http}",
            api_key=key,
            api_secret=secret,
            ports=chosen,
            log=_log(folder),
            pid=process.pid,
        )
    finally:
        await asyncio.shield(_end(process))


async def livekit_binary(cache: Path, tell: Tell) -> Path:
    """livekit-server from PATH, from the cache, or built into it with Go.

    Raises:
        LiveKitUnavailable: it can't be built.
    """
    installed = shutil.which("livekit-server")
    if installed:
        return Path(installed)
    kept = cache / f"livekit-server-{VERSION}"
    if kept.exists():
        return kept
    _make(cache)
    lock = fasteners.InterProcessLock(cache / "livekit-server.lock")
    while not lock.acquire(blocking=False):  # noqa: ASYNC110 (another process holds it)
        await asyncio.sleep(0.2)
    try:
        if not kept.exists():
            await _build(kept, tell)
    finally:
        lock.release()
    return kept


async def _build(kept: Path, tell: Tell) -> None:
    tell(f"Building livekit-server {VERSION} with Go, once; this takes a few minutes.")
    go, environment = await _go(kept.parent, tell)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        await _run([str(go), "install", MODULE], {**environment, "GOBIN": folder})
        (Path(folder) / "server").replace(kept)


async def _go(cache: Path, tell: Tell) -> tuple[Path, dict[str, str]]:
    """Go new enough, and what it needs in the environment: from PATH, or the one that comes as a Python package."""
    installed = shutil.which("go")
    if installed and _version(await _run([installed, "env", "GOVERSION"])) >= GO:
        return Path(installed), {}
    if not GO_WHEEL.exists():
        raise LiveKitUnavailable(
            f"livekit-server is not installed, and building it needs Go {_dotted(GO)}: install either."
        )
    pin = re.split(r"[\s\\]", GO_WHEEL.read_text("utf-8"), maxsplit=1)[0]
    root = cache / pin.replace("==", "-")
    if not root.exists():
        tell("Fetching Go first: there is none here that is new enough.")
        await _install_go(root)
    return root / "go" / "bin" / "go", {"GOROOT": str(root / "go"), "GOTOOLCHAIN": "local"}


async def _install_go(root: Path) -> None:
    with tempfile.TemporaryDirectory(dir=root.parent) as folder:
        target = Path(folder) / "packages"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        locked = ["--no-deps", "--require-hashes", "--target", str(target), "-r", str(GO_WHEEL)]
        await _run([*pip, *locked])
        target.replace(root)


async def _run(command: list[str], environment: Mapping[str, str] | None = None) -> str:
    """What it prints.

    Raises:
        LiveKitUnavailable: it failed; the text ends with its last line.
    """
    try:
        return await run(command, BUILDS_WITHIN, environment=environment)
    except CommandFailed as failed:
        last = str(failed).rpartition("\n")[2]
        name = Path(command[0]).name
        raise LiveKitUnavailable(
            f"livekit-server is not installed and can't be built: {name}: {last}"
        ) from None


def _version(printed: str) -> tuple[int, int]:
    """`go1.26.8` as 1, 26; what is no release counts as none."""
    found = re.match(r"go(\d+)\.(\d+)", printed)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


async def _started(
    binary: Path, folder: Path, key: tuple[str, str], ports: Ports | None
) -> tuple[asyncio.subprocess.Process, Ports]:
    """A server that answers, and where."""
    for left in reversed(range(TRIES)):
        chosen = ports or Ports.free()
        config = folder / "livekit.yaml"
        _write_private(config, yaml.safe_dump(_config(chosen, *key)))
        with _log(folder).open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *ends_with_us([str(binary), "--config", str(config)], "KILL"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                start_new_session=True,  # Ctrl-C in a terminal reaches it through us alone
            )
        if await _answers(process, chosen):
            return process, chosen
        said = _log(folder).read_text("utf-8", errors="replace")
        if ports or not left or TAKEN not in said:
            break
    last = said.strip().rpartition("\n")[2]
    raise LiveKitUnavailable(f"livekit-server does not start; {_log(folder)} ends with: {last}")


def _config(ports: Ports, key: str, secret: str) -> dict[str, object]:
    """Loopback alone, in every direction: `--dev` would listen for UDP on every interface."""
    return {
        "port": ports.http,
        "bind_addresses": [LOOPBACK],
        "rtc": {
            "udp_port": ports.media,
            "tcp_port": 0,  # media over TCP would listen on every interface, whatever is bound
            "node_ip": LOOPBACK,
            "use_external_ip": False,
            "enable_loopback_candidate": True,
            "interfaces": {"includes": ["lo0" if sys.platform == "darwin" else "lo"]},
            "ips": {"includes": [f"{LOOPBACK}/32"]},
        },
        "keys": {key: secret},
        "logging": {"level": "info", "json": True},
    }


def _write_private(path: Path, text: str) -> None:
    """Readable by us alone from its first byte."""
    path.unlink(missing_ok=True)
    with open(path, "w", encoding="utf-8", opener=_private) as file:
        file.write(text)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _log(folder: Path) -> Path:
    return folder / "livekit.log"


async def _answers(process: asyncio.subprocess.Process, ports: Ports) -> bool:
    """Whether it does before it ends; one that does neither is ended."""
    try:
        async with asyncio.timeout(STARTS_WITHIN), httpx.AsyncClient(trust_env=False) as http:
            while process.returncode is None:
                with suppress(httpx.TransportError):
                    if (await http.get(f"http://{LOOPBACK}:{ports.http}/")).is_success:
                        return True
                await asyncio.sleep(0.05)
    except (TimeoutError, asyncio.CancelledError) as late:
        await asyncio.shield(_end(process))
        if not isinstance(late, TimeoutError):
            raise
    return False


async def _end(process: asyncio.subprocess.Process) -> None:
    """Asked once it waits for its callers to leave; asked twice it ends."""
    steps = ((process.terminate, 0.1), (process.terminate, LEAVES_WITHIN), (process.kill, None))
    for ask, seconds in steps:
        if process.returncode is not None:
            return
        ask()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await process.wait()


def _on_stderr(words: str) -> None:
    sys.stderr.write(words + "\n")
