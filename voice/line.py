"""The whole line on one machine: LiveKit, worker, rescue, voices for those without keys, and the page to call from."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from time import monotonic

from aiohttp import web
from pydantic import SecretStr

from callers import caller_of
from services import Services
from settings import LiveKitSettings, Settings, SpeechProvider
from tools.postgres.demo import demo_customers
from voice.browser_client import browser_client
from voice.children import LOOPBACK, Child, Children, free_port
from voice.errors import LineIncomplete
from voice.local_server import local_livekit
from voice.page_server import About, PageServer, Person

Tell = Callable[[str], None]
READY_WITHIN = 120.0  #: seconds for a child to answer: a worker loads models, on a busy machine
REGISTERED = "worker.registered"  #: in the worker's log
TOO_SOON = 10.0  #: seconds; a child that ends earlier would end again
NO_KEYS = (
    "Without keys for Deepgram and Cartesia the line speaks with espeak-ng and understands only recorded test "
    "sentences: type, or use the keypad."
)


async def prepare(settings: Settings) -> Path:
    """What takes long the first time, or is missing, before anything is started: LiveKit's client for the page.

    Raises:
        LineIncomplete: something is missing; the text says what to do.
    """
    if needs_loopback_voices(settings) and shutil.which("espeak-ng") is None:
        raise LineIncomplete(
            "espeak-ng is not installed, and without DEEPGRAM_API_KEY and CARTESIA_API_KEY the line speaks with it: "
            "install it (Debian: apt-get install espeak-ng; macOS: brew install espeak-ng) or set the keys"
        )
    return await browser_client(settings.cache)


async def serve(services: Services, client: Path, port: int, tell: Tell) -> None:
    """Serve the line until cancelled; then everything that was started is ended.

    Args:
        client: LiveKit's client for browsers.
        port: the page's, on 127.0.0.1; 0 takes a free one.
        tell: hears a sentence now and then, the page's address when all is ready.

    Raises:
        LineIncomplete: something is missing or does not start; the text says what to do.
        LiveKitUnavailable: livekit-server is neither here nor can it be built.
    """
    _ended_once()
    settings = services.settings
    logs = settings.home / "logs"
    with page_socket(port) as place:
        async with AsyncExitStack() as stack:
            livekit = await stack.enter_async_context(_livekit(settings, tell))
            children = await stack.enter_async_context(Children())
            environment = _environment(livekit)
            kept = []
            if needs_loopback_voices(settings):
                tell(NO_KEYS)
                voices = _loopback_voices(logs)
                kept.append(await children.start(voices[0]))
                environment.update(voices[1])
            kept.append(await children.start(worker := _worker(logs, environment)))
            kept.append(await children.start(_holdfast("rescue", logs, environment)))
            await _takes_calls(worker)
            page = PageServer(
                livekit=livekit,
                voice=settings.voice,
                about=await about(services),
                client=client,
                caller_of=lambda number: caller_of(number, settings),
                sent_notices=services.notices_of,
            )
            await stack.enter_async_context(_served(page.application(), place))
            tell(f"The line is open: http://{LOOPBACK}:{place.getsockname()[1]}")
            tell(f"Ctrl-C ends it. Logs are in {logs}.")
            await _kept_all(kept, tell)


def needs_loopback_voices(settings: Settings) -> bool:
    """Is there a provider of speech without a key, and without a server of somebody's own?"""
    return not all(
        _usable(one, settings) for one in (*settings.voice.stt[:1], *settings.voice.tts[:1])
    )


def _usable(provider: SpeechProvider, settings: Settings) -> bool:
    keys = {
        "deepgram": settings.deepgram_api_key,
        "cartesia": settings.cartesia_api_key,
        "openai": settings.openai_api_key,
    }
    return any((provider.base_url, provider.api_key, keys[provider.provider]))


async def about(services: Services) -> About:
    """The company's name, and the demo's people as far as they are in its books: one of each language."""
    known = {number: postal_code for number, _, postal_code in await services.company.callers()}
    first = {one.language: one for one in reversed(demo_customers())}
    people = tuple(
        Person(
            name=one.full_name,
            number=one.phone,
            language=one.language,
            postal_code=known[one.phone],
        )
        for one in first.values()
        if one.phone in known
    )
    settings = services.settings
    return About(
        company=settings.company.name,
        voices="espeak" if needs_loopback_voices(settings) else "vendors",
        people=people[::-1],
    )


@asynccontextmanager
async def _livekit(settings: Settings, tell: Tell) -> AsyncIterator[LiveKitSettings]:
    """The one that is configured, else one of our own."""
    if settings.livekit_url:
        try:
            yield settings.livekit
        except ValueError as error:
            raise LineIncomplete(str(error)) from None
        return
    folder = settings.home / "livekit"
    async with local_livekit(folder, cache=settings.cache, tell=tell) as server:
        yield LiveKitSettings(
            url=server.url, api_key=server.api_key, api_secret=SecretStr(server.api_secret)
        )


def _environment(livekit: LiveKitSettings) -> dict[str, str]:
    return {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret.get_secret_value(),
    }


def _loopback_voices(logs: Path) -> tuple[Child, Mapping[str, str]]:
    """Servers that speak Deepgram's and Cartesia's protocols, and the settings that lead to them."""
    deepgram, cartesia = free_port(), free_port()
    ports = ["--deepgram-port", str(deepgram), "--cartesia-port", str(cartesia)]
    hears = {"provider": "deepgram", "base_url": f"http://{LOOPBACK}:{deepgram}/v1/listen"}
    speaks = {"provider": "cartesia", "base_url": f"http://{LOOPBACK}:{cartesia}"}
    child = Child("voices", [sys.executable, "-m", "voice.loopback", *ports], logs / "voices.log")
    return child, {
        "HOLDFAST_VOICE__STT": json.dumps([{**hears, "api_key": "loopback"}]),
        "HOLDFAST_VOICE__TTS": json.dumps([{**speaks, "api_key": "loopback"}]),
    }


def _worker(logs: Path, environment: Mapping[str, str]) -> Child:
    """On a port of its own, beside a worker that may run already; and however busy the machine is.

    The browser is on it too, and a caller whom the only worker turns away has nobody else.
    """
    own = {
        "HOLDFAST_VOICE__HTTP_PORT": str(free_port()),
        "HOLDFAST_VOICE__CALLS_PER_WORKER": "20",
        "HOLDFAST_LOG_LEVEL": "info",
    }
    return _holdfast("worker", logs, {**environment, **own})


def _holdfast(command: str, logs: Path, environment: Mapping[str, str]) -> Child:
    """A subcommand of ours: the script beside this Python."""
    script = Path(sys.executable).with_name("holdfast")
    return Child(command, [str(script), command], logs / f"{command}.log", environment)


async def _takes_calls(worker: Child) -> None:
    """Wait until the worker has processes ready and is known to LiveKit, in this order."""
    gone = asyncio.create_task(worker.wait())
    ready = False
    with suppress(TimeoutError):
        async with asyncio.timeout(READY_WITHIN):
            while not (ready or gone.done()):
                await asyncio.sleep(0.25)
                ready = REGISTERED in worker.written()
    if gone.done() or not ready:
        raise LineIncomplete(f"the worker does not start: see {worker.log}")
    gone.cancel()


async def _kept_all(children: list[Child], tell: Tell) -> None:
    """Until one of them can't be kept."""
    tasks = [asyncio.create_task(_kept(child, tell), name=child.name) for child in children]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _kept(child: Child, tell: Tell) -> None:
    """A child that ends is started again: a worker that dies is replaced, and rescue brings its callers there."""
    while True:
        code = await child.wait()
        if monotonic() - child.started < TOO_SOON:
            raise LineIncomplete(f"{child.name} ended with exit code {code}: see {child.log}")
        tell(f"{child.name} ended with exit code {code} and is started again: see {child.log}")
        await child.start()


def page_socket(port: int) -> socket.socket:
    """Taken before anything is started. Raises LineIncomplete when somebody else has it."""
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError:
        raise LineIncomplete(
            f"port {port} is taken: choose another one with --port, or 0 for a free one"
        ) from None


@asynccontextmanager
async def _served(app: web.Application, place: socket.socket) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, place).start()
        yield
    finally:
        await runner.cleanup()


def _ended_once() -> None:
    """Ctrl-C, SIGTERM or a closed terminal ends the line; a second one doesn't stop us from ending the children."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    ways = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end() -> None:
        for way in ways:
            loop.add_signal_handler(way, lambda: None)
        task.cancel()

    for way in ways:
        loop.add_signal_handler(way, end)
