"""What the line on one machine needs, and how it says that something is missing."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from settings import Settings, SpeechProvider, VoiceSettings
from voice.browser_client import browser_client
from voice.errors import LineIncomplete
from voice.line import needs_loopback_voices, page_socket, prepare

KEY = SecretStr("key")
OWN = SpeechProvider(provider="openai", base_url="http://127.0.0.1:9000/v1")


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in ("DEEPGRAM", "CARTESIA", "OPENAI"):
        monkeypatch.delenv(f"{vendor}_API_KEY", raising=False)


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        (Settings(_env_file=None), True),
        (Settings(_env_file=None, deepgram_api_key=KEY), True),
        (Settings(_env_file=None, cartesia_api_key=KEY), True),
        (Settings(_env_file=None, deepgram_api_key=KEY, cartesia_api_key=KEY), False),
        (Settings(_env_file=None, voice=VoiceSettings(stt=(OWN,), tts=(OWN,))), False),
        (Settings(_env_file=None, voice=VoiceSettings(stt=(OWN,))), True),
    ],
)
def test_without_a_voice_of_somebody_else_it_has_its_own(settings: Settings, needed: bool) -> None:
    assert needs_loopback_voices(settings) is needed


async def test_a_missing_espeak_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LineIncomplete, match=r"apt-get install espeak-ng.* or set the keys"):
        await prepare(Settings(_env_file=None, cache=tmp_path))


async def test_a_missing_npm_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LineIncomplete, match=r"install Node\.js"):
        await browser_client(tmp_path)


def test_a_taken_port_is_said_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LineIncomplete, match=f"port {port} is taken.*--port"):
            page_socket(port)
