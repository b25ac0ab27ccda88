"""`python -m voice.loopback`: both servers in one process, until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from voice.loopback import CartesiaServer, DeepgramServer, EspeakMissing, Library
from voice.loopback.server import Sentence


def main() -> int:
    """Serve, after one line of JSON on standard output that says where."""
    parser = argparse.ArgumentParser(prog="python -m voice.loopback", description=__doc__)
    parser.add_argument("--deepgram-port", type=int, default=0)
    parser.add_argument("--cartesia-port", type=int, default=0)
    parser.add_argument(
        "--sentences", type=Path, help='JSON lines: {"text": ..., "language": "en"}'
    )
    parser.add_argument("--digits", action="store_true", help="know single spoken digits as well")
    wanted = parser.parse_args()
    try:
        library = _library(wanted.sentences, digits=wanted.digits)
    except (OSError, ValueError, EspeakMissing) as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 1
    with threadpool_limits(1):  # matrices are small here: waiting threads cost more than they bring
        asyncio.run(_serve(library, wanted.deepgram_port, wanted.cartesia_port))
    return 0


def _library(path: Path | None, *, digits: bool) -> Library:
    library = Library()
    if path is not None:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                sentence = Sentence.model_validate_json(line)
                library.add(sentence.text, sentence.language)
    if digits:
        library.add_digits()
    return library


async def _serve(library: Library, deepgram_port: int, cartesia_port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with (
        DeepgramServer(library, port=deepgram_port) as deepgram,
        CartesiaServer(port=cartesia_port) as cartesia,
    ):
        sys.stdout.write(json.dumps({"deepgram": deepgram.url, "cartesia": cartesia.url}) + "\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    raise SystemExit(main())
