"""The LiveKit server of this machine: nobody else reaches it, and what can't be had is said in a sentence."""

from __future__ import annotations

import stat
from pathlib import Path

import psutil
import pytest

from voice import local_server
from voice.local_server import LiveKitUnavailable, LocalLiveKit, livekit_binary, local_livekit


async def test_server_listens_on_loopback_alone(livekit_server: LocalLiveKit) -> None:
    places = psutil.Process(livekit_server.pid).net_connections(kind="inet")
    listening = [one for one in places if not one.raddr]
    assert {(one.laddr.ip, one.laddr.port) for one in listening} == {
        ("127.0.0.1", livekit_server.ports.http),
        ("127.0.0.1", livekit_server.ports.media),
    }


async def test_secret_is_long_new_and_readable_by_us_alone(livekit_server: LocalLiveKit) -> None:
    config = livekit_server.log.with_name("livekit.yaml")
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert livekit_server.api_secret in config.read_text("utf-8")
    assert len(livekit_server.api_secret) >= 32
    assert livekit_server.api_secret not in repr(livekit_server)


async def test_server_ends_with_its_block(livekit_server: LocalLiveKit, tmp_path: Path) -> None:
    cache = Path(psutil.Process(livekit_server.pid).exe()).parent
    async with local_livekit(tmp_path, cache=cache) as server:
        assert server.api_secret != livekit_server.api_secret
        assert psutil.pid_exists(server.pid)
    assert not psutil.pid_exists(server.pid)


async def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(local_server, "GO_WHEEL", tmp_path / "none.txt")
    said: list[str] = []
    with pytest.raises(LiveKitUnavailable, match=r"building it needs Go 1\.26: install either"):
        await livekit_binary(tmp_path, said.append)
    assert len(said) == 1


async def test_failed_build_names_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"
    go.write_text(
        '#!/bin/sh\n[ "$1" = env ] && echo go1.26.1 && exit\necho no network >&2\nexit 1\n'
    )
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    with pytest.raises(LiveKitUnavailable, match=r"can't be built: .*no network"):
        await livekit_binary(tmp_path / "cache", lambda _: None)
