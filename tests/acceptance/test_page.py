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
from pydantic import SecretStr

from callers import caller_of
from services import SentNotice
from settings import LiveKitSettings, Settings
from tests.acceptance.browser import CallPage, browser, playwright
from tests.acceptance.line import Line
from tests.acceptance.service import Service
from tests.acceptance.together import Together
from tests.conftest import own_folder
from voice.browser_client import browser_client
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


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def opened() -> AsyncIterator[playwright.Browser]:
    """One for all pages on which nobody calls: each is opened as by somebody new."""
    async with browser() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def idle_page() -> AsyncIterator[str]:
    """A page whose LiveKit nobody reaches."""
    nowhere = LiveKitSettings(url="ws://127.0.0.1:9", api_key="key", api_secret=SecretStr("x" * 32))
    async with served_page(nowhere) as url:
        yield url


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


async def test_a_server_that_does_not_answer_is_said(
    idle_page: str, opened: playwright.Browser
) -> None:
    page = await CallPage.open(opened, idle_page)
    await page.page.click("#dial")
    await page.page.get_by_role("status").filter(has_text="LiveKit").wait_for()
    assert await page.focus() == "dial"


@pytest.mark.together
async def test_the_meter_moves_with_the_microphone_and_rests_when_muted(line: Line) -> None:
    livekit = LiveKitSettings(
        url=line.server.url,
        api_key=line.server.api_key,
        api_secret=SecretStr(line.server.api_secret),
    )
    async with served_page(livekit) as url, browser(microphone=True) as opened:
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
