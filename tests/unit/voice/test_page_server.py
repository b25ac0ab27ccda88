"""The page's server: what it hands out, to whom, and what it says to everybody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import jwt
import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from callers import caller_of
from services import SentNotice
from settings import LiveKitSettings, Settings, VoiceSettings
from tools.errors import BackendDown
from voice import page_server
from voice.page_server import About, PageServer, Person, security_headers
from voice.telephony import LANGUAGE, NUMBER

SECRET = "a secret of more than thirty-two characters"
LIVEKIT = LiveKitSettings(url="ws://127.0.0.1:7880", api_key="key", api_secret=SecretStr(SECRET))
JANE = Person(name="Jane Doe", number="+15035550127", language="en", postal_code="97205")
CALL = uuid4()

Client = TestClient[object, object]


async def sent_notices(call: UUID) -> tuple[SentNotice, ...]:
    if call != CALL:
        raise BackendDown
    return (SentNotice(to="***0127", channel="sms", body="your code is 1", kind="code"),)


@pytest.fixture
def server(tmp_path: Path) -> PageServer:
    client = tmp_path / "livekit-client.mjs"
    client.write_text("export {};")
    settings = Settings(_env_file=None)
    return PageServer(
        livekit=LIVEKIT,
        voice=VoiceSettings(),
        about=About(company="Juniper and Oak", voices="espeak", people=(JANE,)),
        client=client,
        caller_of=lambda number: caller_of(number, settings),
        sent_notices=sent_notices,
    )


@pytest.fixture
async def page(server: PageServer) -> AsyncIterator[Client]:
    async with TestClient(TestServer(server.application(), host="127.0.0.1")) as opened:
        yield opened


def own(page: Client) -> dict[str, str]:
    return {"Origin": str(page.make_url("")).rstrip("/")}


async def ask(page: Client, path: str, body: object) -> tuple[int, dict[str, str]]:
    answer = await page.post(path, json=body, headers=own(page))
    return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/line.css", "text/css"),
        ("/line.js", "text/javascript"),
        ("/call.js", "text/javascript"),
        ("/captions.js", "text/javascript"),
        ("/texts.js", "text/javascript"),
        ("/livekit-client.mjs", "text/javascript"),
        ("/icon.svg", "image/svg+xml"),
        ("/line.json", "application/json"),
    ],
)
async def test_a_file_is_served_as_what_it_is(page: Client, path: str, kind: str) -> None:
    answer = await page.get(path)
    assert answer.status == 200
    assert answer.content_type == kind
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/line.js", "/nothing", "/token", "/../tokens.py"])
async def test_every_answer_carries_the_policy(page: Client, path: str) -> None:
    policy = (await page.get(path)).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_the_page_has_no_script_or_style_inside(page: Client) -> None:
    html = await (await page.get("/")).text()
    assert "<script>" not in html
    assert "<style" not in html
    assert "style=" not in html
    assert " onclick" not in html
    assert "://" not in html  # nothing from elsewhere


async def test_it_speaks_with_its_livekit_only() -> None:
    assert "connect-src 'self' ws://127.0.0.1:7880 http://127.0.0.1:7880;" in policy_for(
        "ws://127.0.0.1:7880"
    )
    assert "wss://own.example https://own.example;" in policy_for("wss://own.example")
    assert "wss://*.livekit.cloud" in policy_for("wss://x.livekit.cloud")


def policy_for(url: str) -> str:
    return security_headers(url)["Content-Security-Policy"]


async def test_a_caller_gets_a_token_for_a_room_of_their_own(page: Client) -> None:
    status, first = await ask(page, "/token", {"language": "es", "number": "+1 503 555 0127"})
    assert status == 200
    assert first["url"] == LIVEKIT.url
    claims = jwt.decode(first["token"], SECRET, algorithms=["HS256"])
    assert claims["video"]["room"] == first["room"]
    assert claims["attributes"] == {LANGUAGE: "es", NUMBER: "+15035550127"}
    _, second = await ask(page, "/token", {})
    assert second["room"] != first["room"]


async def test_whoever_was_cut_off_comes_back_as_the_same_caller(page: Client) -> None:
    _, first = await ask(page, "/token", {"language": "fr", "number": "+33639981204"})
    status, again = await ask(page, "/token", {"again": first["room"]})
    assert status == 200
    same = ("sub", "attributes", "video")
    one, other = (jwt.decode(a["token"], SECRET, algorithms=["HS256"]) for a in (first, again))
    assert {name: one[name] for name in same} == {name: other[name] for name in same}


async def test_a_room_that_was_not_given_out_is_nobodys(page: Client) -> None:
    status, answer = await ask(page, "/token", {"again": "call-somebody-elses"})
    assert status == 404
    assert "begin a new one" in answer["error"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"language": "de"}, "language"),
        ({"number": 5}, "number"),
        ({"number": "1" * 25}, "number"),
        ({"room": "call-1"}, "room"),
        ([], "body"),
        ("hello", "body"),
    ],
)
async def test_a_bad_request_is_told_what_is_wrong(page: Client, body: object, named: str) -> None:
    status, answer = await ask(page, "/token", body)
    assert status == 400
    assert answer["error"].startswith(named)


async def test_no_phone_number_is_refused_without_repeating_it(page: Client) -> None:
    status, answer = await ask(page, "/token", {"number": "12"})
    assert status == 422
    assert "not a phone number" in answer["error"]


async def test_broken_json_is_refused(page: Client) -> None:
    headers = {**own(page), "Content-Type": "application/json"}
    answer = await page.post("/token", data=b"{", headers=headers)
    assert answer.status == 400
    assert (await answer.json())["error"].startswith("body")


async def test_a_form_of_another_site_is_refused(page: Client) -> None:
    answer = await page.post("/token", data={"language": "en"}, headers=own(page))
    assert answer.status == 415


@pytest.mark.parametrize("origin", [{}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
async def test_only_the_page_itself_gets_tokens(page: Client, origin: dict[str, str]) -> None:
    answer = await page.post("/token", json={}, headers=origin)
    assert answer.status == 403


async def test_another_name_for_this_machine_is_refused(page: Client) -> None:
    answer = await page.get("/line.json", headers={"Host": "rebound.example"})
    assert answer.status == 421


async def test_a_body_too_long_is_refused(page: Client) -> None:
    status, _ = await ask(page, "/token", {"number": "1" * 4000})
    assert status == 413


async def test_too_many_calls_wait(page: Client) -> None:
    statuses = [(await ask(page, "/token", {}))[0] for _ in range(page_server.CALLS_A_MINUTE + 1)]
    assert statuses.count(200) == page_server.CALLS_A_MINUTE
    assert statuses[-1] == 429


async def test_only_so_many_rooms_are_remembered(server: PageServer, page: Client) -> None:
    server.rooms_known = 1
    _, first = await ask(page, "/token", {})
    await ask(page, "/token", {})
    assert (await ask(page, "/token", {"again": first["room"]}))[0] == 404


async def test_messages_of_a_call_are_shown_masked(page: Client) -> None:
    answer = await page.post("/messages", json={"call": str(CALL)}, headers=own(page))
    assert answer.headers["Cache-Control"] == "no-store"
    message = {"type": "notice", "to": "***0127", "channel": "sms", "body": "your code is 1"}
    assert await answer.json() == {"messages": [message]}


async def test_messages_wait_for_the_database(page: Client) -> None:
    status, answer = await ask(page, "/messages", {"call": str(uuid4())})
    assert status == 503
    assert answer["error"] == "the database does not answer"


async def test_what_is_not_there_says_so_in_json(page: Client) -> None:
    answer = await page.get("/nothing")
    assert answer.status == 404
    assert "error" in await answer.json()
    answer = await page.get("/token")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
