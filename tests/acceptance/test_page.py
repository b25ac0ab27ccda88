"""The page in a browser: usable by keyboard, by screen reader, on a narrow screen; and real calls on it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from livekit.api import AccessToken, VideoGrants
from pydantic import SecretStr

from callers import caller_of
from services import SentNotice
from settings import LiveKitSettings, Settings
from tests.acceptance.browser import CallPage, browser, playwright
from tests.acceptance.caller import Caller
from tests.acceptance.exchange import Exchange
from tests.acceptance.line import Line
from tests.acceptance.service import Service
from tests.acceptance.together import Together
from tests.conftest import own_folder
from voice.browser_client import browser_client
from voice.local_server import LocalLiveKit
from voice.loopback.espeak import available
from voice.page_server import About, PageServer, Person

PEOPLE = (
    Person(name="Jane Doe", number="+15035550127", language="en", postal_code="97205"),
    Person(name="Lucía Fernández", number="+34910000012", language="es", postal_code="28013"),
)
HOLDFAST = str(Path(sys.executable).with_name("holdfast"))
NAMED = {"button", "textbox", "combobox", "checkbox", "meter", "log", "status", "region", "group"}
#: Seconds, on a busy machine: a caller who was cut off is missed, then waited for.
OPENS_WITHIN, SHOWN_WITHIN, CUT_WITHIN = 300.0, 60.0, 300.0
LOOKS_EVERY = 4.0  #: seconds; each look starts the command, which is work
TAB_ORDER = ["", "language", "number", "dial", "announce", "scroller", "", ""]

#: The browser's question is open until `answer()` is called.
ASKED = """
const { mediaDevices } = navigator;
const getUserMedia = mediaDevices.getUserMedia.bind(mediaDevices);
const answered = new Promise((answer) => { window.answer = answer; });
mediaDevices.getUserMedia = async (wanted) => {
  await answered;
  return getUserMedia(wanted);
};
"""
#: The microphone has a plug.
PLUGGED = """
const { mediaDevices } = navigator;
const getUserMedia = mediaDevices.getUserMedia.bind(mediaDevices);
let plugged = true;
let track = null;
mediaDevices.getUserMedia = async (wanted) => {
  if (!plugged) throw new DOMException("no device", "NotFoundError");
  const stream = await getUserMedia(wanted);
  [track] = stream.getAudioTracks();
  return stream;
};
window.plug = () => { plugged = true; };
window.unplug = () => {
  plugged = false;
  track.stop();
  track.dispatchEvent(new Event("ended"));
};
"""
DEAF = "delete window.AudioContext; delete window.webkitAudioContext;"

pytestmark = [
    pytest.mark.skipif(not shutil.which("npm"), reason="npm is not installed: no page"),
    pytest.mark.slow,
]


async def nothing(_: UUID) -> tuple[SentNotice, ...]:
    return ()


@asynccontextmanager
async def served_page(livekit: LiveKitSettings) -> AsyncIterator[str]:
    settings = Settings(_env_file=None)
    server = PageServer(
        livekit=livekit,
        voice=settings.voice,
        about=About(company="Juniper and Oak", voices="espeak", people=PEOPLE),
        client=await browser_client(Settings().cache),
        caller_of=lambda number: caller_of(number, settings),
        sent_notices=nothing,
    )
    async with TestServer(server.application(), host="127.0.0.1") as running:
        yield str(running.make_url("/"))


def reached(server: LocalLiveKit) -> LiveKitSettings:
    return LiveKitSettings(
        url=server.url, api_key=server.api_key, api_secret=SecretStr(server.api_secret)
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def opened() -> AsyncIterator[playwright.Browser]:
    """One for all pages: each is opened as by somebody new."""
    async with browser() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def opened_to_speak() -> AsyncIterator[playwright.Browser]:
    """One with a microphone."""
    async with browser(microphone=True) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def idle_page() -> AsyncIterator[str]:
    """A page whose LiveKit nobody reaches."""
    nowhere = LiveKitSettings(url="ws://127.0.0.1:9", api_key="key", api_secret=SecretStr("x" * 32))
    async with served_page(nowhere) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ringing_page(livekit_server: LocalLiveKit) -> AsyncIterator[str]:
    """A page whose calls nobody answers, unless `answered` does."""
    async with served_page(reached(livekit_server)) as url:
        yield url


@asynccontextmanager
async def answered(page: CallPage, exchange: Exchange) -> AsyncIterator[Caller]:
    """A call, with somebody in its room whom the page takes for the line: who listens, and says nothing."""
    asked: asyncio.Future[playwright.Route] = asyncio.get_running_loop().create_future()
    await page.page.route("**/token", lambda route, _: asked.set_result(route))
    await page.page.click("#dial")
    async with asyncio.timeout(SHOWN_WITHIN):
        answer = await (await asked).fetch()
    server, room = exchange.server, (await answer.json())["room"]
    token = AccessToken(server.api_key, server.api_secret).with_identity("line").with_kind("agent")
    token = token.with_grants(VideoGrants(room_join=True, room=room))
    token = token.with_attributes({"lk.agent.state": "listening"})
    async with exchange.caller(token.to_jwt()) as line:
        await asked.result().fulfill(response=answer)
        yield line


@pytest.mark.parametrize(
    ("language", "call"), [("en-US", "Call"), ("es-MX", "Llamar"), ("fr-FR", "Appeler")]
)
async def test_it_speaks_the_language_of_the_browser(
    idle_page: str, opened: playwright.Browser, language: str, call: str
) -> None:
    page = await CallPage.open(opened, idle_page, language)
    assert await page.page.inner_text("#dial") == call
    assert await page.page.get_attribute("html", "lang") == language[:2]
    assert "undefined" not in await page.page.inner_text("body")
    assert page.complaints == []


@pytest.mark.parametrize("language", ["en-US", "es-ES", "fr-FR"])
async def test_every_control_and_region_has_a_name(
    idle_page: str, opened: playwright.Browser, language: str
) -> None:
    page = await CallPage.open(opened, idle_page, language)
    devtools = await page.page.context.new_cdp_session(page.page)
    nodes = (await devtools.send("Accessibility.getFullAXTree"))["nodes"]
    shown = [node for node in nodes if not node["ignored"]]
    roles = {node["role"]["value"] for node in shown}
    assert {"main", "banner", "heading", "button", "textbox", "log", "status"} <= roles
    nameless = [
        node["role"]["value"]
        for node in shown
        if node["role"]["value"] in NAMED - {"status", "group"}
        and not node.get("name", {}).get("value")
    ]
    assert nameless == []


async def test_the_keyboard_reaches_everything_in_order_and_one_sees_where_it_is(
    idle_page: str,
    opened: playwright.Browser,
) -> None:
    page = await CallPage.open(opened, idle_page)
    for expected in TAB_ORDER:
        await page.page.keyboard.press("Tab")
        assert await page.focus() == expected
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert await page.page.evaluate(outline) != "none"


async def test_the_skip_link_leads_to_the_call(idle_page: str, opened: playwright.Browser) -> None:
    page = await CallPage.open(opened, idle_page)
    await page.page.keyboard.press("Tab")
    await page.page.keyboard.press("Enter")
    assert await page.focus() == "call"


async def test_nothing_is_cut_off_at_320_pixels(idle_page: str, opened: playwright.Browser) -> None:
    page = await CallPage.open(opened, idle_page)
    await page.page.set_viewport_size({"width": 320, "height": 640})
    for language in ("en", "es", "fr"):
        await page.page.select_option("#language", language)
        assert await page.page.evaluate("document.documentElement.scrollWidth") <= 320


async def test_a_wrong_number_is_said_at_the_field(
    idle_page: str, opened: playwright.Browser
) -> None:
    page = await CallPage.open(opened, idle_page)
    await page.page.fill("#number", "12")
    await page.page.click("#dial")
    alert = page.page.get_by_role("alert")
    await alert.filter(has_text="no phone number").wait_for()
    assert await page.focus() == "number"
    assert await page.page.get_attribute("#number", "aria-invalid") == "true"
    await page.state("idle")
    await page.page.fill("#number", "")
    await page.page.keyboard.press("Enter")
    await page.page.get_by_role("status").filter(has_text="LiveKit").wait_for()


async def test_who_presses_call_again_and_again_makes_one_call(
    idle_page: str, opened: playwright.Browser
) -> None:
    page = await CallPage.open(opened, idle_page, script=ASKED)
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url.removeprefix(idle_page)))
    await page.page.dblclick("#dial")
    await page.page.keyboard.press("Enter")
    await page.page.get_by_role("status").filter(has_text="Calling").wait_for()
    assert await page.focus() == "dial"
    assert "token" not in asked
    await page.page.evaluate("answer()")
    await page.page.get_by_role("status").filter(has_text="LiveKit").wait_for()
    assert asked.count("token") == 1


async def test_a_server_that_does_not_answer_is_said(
    idle_page: str, opened: playwright.Browser
) -> None:
    page = await CallPage.open(opened, idle_page)
    await page.page.click("#dial")
    await page.page.get_by_role("status").filter(has_text="LiveKit").wait_for()
    assert await page.focus() == "dial"


async def test_a_caller_without_a_microphone_is_told(
    ringing_page: str, opened: playwright.Browser
) -> None:
    page = await CallPage.open(opened, ringing_page)
    there = await page.page.get_by_role("status").count()  # new ones are not read out
    await page.page.click("#dial")
    await page.page.get_by_role("status").filter(has_text="No microphone").wait_for()
    assert await page.page.get_by_role("status").count() == there


async def test_a_caller_whose_microphone_is_unplugged_is_told_and_can_plug_it_in_again(
    ringing_page: str, opened_to_speak: playwright.Browser, exchange: Exchange
) -> None:
    page = await CallPage.open(opened_to_speak, ringing_page, script=PLUGGED)
    status = page.page.get_by_role("status")
    async with answered(page, exchange):
        await page.state("listening")
        await status.filter(has_text="Microphone on").wait_for()
        await page.page.evaluate("unplug()")
        await status.filter(has_text="Microphone muted").wait_for()
        await until(page, "document.getElementById('level').value === 0")
        await page.page.click("#mute")
        await status.filter(has_text="No microphone").wait_for()
        await page.page.evaluate("plug()")
        await page.page.click("#mute")
        await status.filter(has_text="Microphone on").wait_for()
        await until(page, "document.getElementById('level').value > 0")
        assert await status.filter(has_text="No microphone").count() == 0
        await page.page.click("#hang-up")
        await page.state("ended")


async def test_a_browser_that_can_measure_no_sound_calls_all_the_same(
    ringing_page: str, opened_to_speak: playwright.Browser, exchange: Exchange
) -> None:
    page = await CallPage.open(opened_to_speak, ringing_page, script=DEAF)
    async with answered(page, exchange):
        await page.state("listening")
        await page.page.get_by_text("Microphone on").wait_for()
        assert await page.page.is_hidden("#level")
        await page.page.click("#hang-up")
        await page.state("ended")
        assert page.complaints == []


async def test_a_call_that_could_not_be_made_is_left(
    ringing_page: str, opened_to_speak: playwright.Browser, exchange: Exchange
) -> None:
    page = await CallPage.open(opened_to_speak, ringing_page)
    await page.breaks("publishTrack")
    async with answered(page, exchange) as line:
        await until(page, "'fail' in window")
        await line.sees("met")
        await page.page.evaluate("fail()")
        await page.page.get_by_role("status").filter(has_text="could not be made").wait_for()
        await line.sees("missed")


@pytest.mark.parametrize("since", ["", "something else"])
async def test_words_that_do_not_reach_the_line_are_not_lost(
    ringing_page: str, opened: playwright.Browser, exchange: Exchange, since: str
) -> None:
    page = await CallPage.open(opened, ringing_page)
    not_sent = page.page.get_by_role("status").filter(has_text="did not reach")
    await page.breaks("sendText")
    async with answered(page, exchange) as line:
        await page.state("listening")
        await page.type("I moved")
        await until(page, "'fail' in window")
        await page.page.fill("#words", since)
        await page.page.evaluate("fail()")
        await not_sent.wait_for()
        assert await page.page.input_value("#words") == (since or "I moved")
        assert await page.captions("mine") == []
        await page.page.press("#words", "Enter")
        await page.page.locator("#captions .mine").wait_for()
        assert await page.captions("mine") == [since or "I moved"]
        assert await page.page.input_value("#words") == ""
        assert await not_sent.count() == 0
        await line.sees("chat", text=since or "I moved")


@pytest.mark.together
async def test_the_meter_moves_with_the_microphone_and_rests_when_muted(line: Line) -> None:
    async with served_page(reached(line.server)) as url, browser(microphone=True) as opened:
        page = await CallPage.open(opened, url)
        await page.page.click("#dial")
        await page.state("ringing")
        assert await page.focus() == "hang-up"
        await until(page, "document.getElementById('level').value > 0")
        await page.page.click("#mute")
        assert await page.page.get_attribute("#mute", "aria-pressed") == "true"
        await until(page, "document.getElementById('level').value === 0")
        # nobody answers here, and the page says so in the end
        await page.page.get_by_role("status").filter(has_text="Nobody answers").wait_for()
        assert page.complaints == []


async def until(page: CallPage, condition: str) -> None:
    """The page's policy forbids Playwright's own way of waiting, which evaluates strings inside it."""
    async with asyncio.timeout(SHOWN_WITHIN):
        while True:
            if await page.page.evaluate(condition):
                return
            await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def whole_line(
    tmp_path_factory: pytest.TempPathFactory, together: Together
) -> AsyncIterator[WholeLine]:
    """`holdfast line`, without keys."""
    if not available():
        pytest.skip("espeak-ng is not installed: the line has no voice")
    log = tmp_path_factory.mktemp("line") / "line.log"
    with own_folder() as home:
        whole = WholeLine(home)
        service = await Service.start([HOLDFAST, "line", "--port", "0"], log, whole.environment)
        try:
            opened = await service.says(r"The line is open: http://\S+", within=OPENS_WITHIN)
            whole.url = opened.split()[-1]
            yield whole
            await together.end()
        finally:
            family = service.family
            await service.end()
    assert not [process for process in family if process.is_running()]


class WholeLine:
    """Everything on this machine, as `make line` starts it."""

    def __init__(self, home: Path) -> None:
        self.url = ""
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOLDFAST_HOME": str(home),
            "HOLDFAST_CACHE": str(Settings().cache),
            "HOLDFAST_VOICE__IDLE_PROCESSES": "1",
        }

    async def interrupted(self, language: str) -> None:
        """Wait until the register has a call in this language that was cut and can be taken up again."""
        async with asyncio.timeout(CUT_WITHIN):
            while True:
                if f"interrupted\t{language}" in await self._calls():
                    return
                await asyncio.sleep(LOOKS_EVERY)

    async def _calls(self) -> str:
        listing = await asyncio.create_subprocess_exec(
            HOLDFAST, "calls", "list", env=self.environment, stdout=asyncio.subprocess.PIPE
        )
        return (await listing.communicate())[0].decode()


@pytest.mark.together
async def test_a_call_that_is_cut_and_called_again_at_once_goes_on(whole_line: WholeLine) -> None:
    """Without a microphone: the words are typed."""
    async with browser() as opened:
        page = await CallPage.open(opened, whole_line.url)
        await page.page.click("#dial")
        await page.hear("automated assistant")
        await page.page.get_by_text("No microphone").wait_for()
        await page.type("I moved and I need to change my address")
        await page.hear("postal code")
        await page.page.click("#cut")
        await page.state("cut_off")
        assert await page.focus() == "dial"
        assert await page.page.inner_text("#dial") == "Call again"
        await page.page.click("#dial")
        await page.state("listening")
        await page.type("nine seven two oh five")
        await page.hear("six-digit code")
        await page.page.click("#hang-up")
        await page.state("ended")
        assert page.complaints == []


@pytest.mark.together
async def test_a_call_that_was_cut_is_taken_up_where_it_stopped(whole_line: WholeLine) -> None:
    async with browser() as opened:
        page = await CallPage.open(opened, whole_line.url, "es-ES")
        await page.page.click("#dial")
        await page.hear("asistente")
        await page.type("quiero cambiar mi dirección")
        await page.hear("código postal")
        await page.page.click("#cut")
        await page.state("cut_off")
        await whole_line.interrupted("es")
        said = await page.lines()
        await page.page.click("#dial")
        await page.hear("Estábamos cambiando una dirección", after=said)
        assert page.complaints == []


@pytest.mark.together
async def test_a_code_that_was_sent_is_shown_and_can_be_keyed(whole_line: WholeLine) -> None:
    async with browser() as opened:
        page = await CallPage.open(opened, whole_line.url, "fr-FR")
        await page.page.click("#dial")
        await page.hear("assistant")
        await page.type("je veux changer mon adresse")
        await page.hear("code postal")
        await page.type("75002")
        await page.hear("six chiffres")
        message = page.page.locator("#messages li").first
        code = re.search(r"\b\d{6}\b", await message.inner_text())
        assert code
        await page.page.locator("#keys button").first.focus()
        await page.page.keyboard.type(code[0])  # at once: a pause would end it
        await page.hear("nouvelle adresse")
