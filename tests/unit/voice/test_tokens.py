"""What a caller's token lets its holder do, read from the token itself."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from livekit.api import TokenVerifier
from pydantic import SecretStr

from settings import LiveKitSettings
from voice.telephony import LANGUAGE, NUMBER
from voice.tokens import caller_token

SECRET = "a secret of more than thirty-two characters"
LIVEKIT = LiveKitSettings(url="ws://127.0.0.1:1", api_key="key", api_secret=SecretStr(SECRET))


def claims_of(language: Any = None, number: str | None = None) -> dict[str, Any]:
    token = caller_token(
        LIVEKIT, "call-1", "caller-1", language, number, agent_name="holdfast", blip=20.0
    )
    claims: dict[str, Any] = jwt.decode(token, SECRET, algorithms=["HS256"], issuer="key")
    return claims


def test_it_joins_one_room_as_one_caller() -> None:
    claims = claims_of()
    assert claims["sub"] == "caller-1"
    assert claims["video"]["roomJoin"] is True
    assert claims["video"]["room"] == "call-1"


def test_it_grants_a_microphone_listening_and_data_and_nothing_else() -> None:
    video = claims_of()["video"]
    assert video.pop("canPublishSources") == ["microphone"]
    granted = {name for name, value in video.items() if value is True}
    assert granted == {"roomJoin", "canPublish", "canSubscribe", "canPublishData"}
    assert video["canUpdateOwnMetadata"] is False


def test_no_other_service_is_granted() -> None:
    assert set(claims_of("es", "+15035550127")) == {
        "sub", "iss", "nbf", "exp", "video", "attributes", "roomConfig",
    }  # fmt: skip


def test_it_lives_five_minutes() -> None:
    claims = claims_of()
    assert claims["exp"] - claims["nbf"] in (300, 301)  # it reads the clock twice


def test_the_room_asks_for_our_agent() -> None:
    assert claims_of()["roomConfig"]["agents"] == [{"agentName": "holdfast"}]


def test_the_room_outlives_the_wait_for_a_caller_whose_network_went_away() -> None:
    assert claims_of()["roomConfig"]["departureTimeout"] > 20


@pytest.mark.parametrize(
    ("language", "number", "attributes"),
    [
        (None, None, {}),
        ("fr", None, {LANGUAGE: "fr"}),
        ("es", "+34910000012", {LANGUAGE: "es", NUMBER: "+34910000012"}),
    ],
)
def test_attributes_are_only_what_is_known(
    language: Any, number: str | None, attributes: dict[str, str]
) -> None:
    assert claims_of(language, number).get("attributes", {}) == attributes


def test_another_secret_does_not_verify() -> None:
    token = caller_token(LIVEKIT, "call-1", "caller-1", None, None, agent_name="a", blip=0)
    with pytest.raises(jwt.InvalidSignatureError):
        TokenVerifier("key", SECRET.upper()).verify(token)
