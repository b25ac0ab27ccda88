"""The page in a real browser: Debian's Chromium, driven by Playwright, with or without a microphone."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

ANSWERED_WITHIN = 60_000.0  #: milliseconds, on a busy machine

ALONE = (  # no question to anybody outside this machine
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
MICROPHONE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")  # it beeps

BREAKS = """async (method) => {
  const { LocalParticipant: { prototype } } = await import("/livekit-client.mjs");
  const works = prototype[method];
  prototype[method] = async () => {
    prototype[method] = works;
    await new Promise((fail) => { window.fail = fail; });
    throw new Error(`${method} fails`);
  };
}"""

playwright = pytest.importorskip(
    "playwright.async_api", reason="playwright is not installed: no browser can be driven"
)


@asynccontextmanager
async def browser(*, microphone: bool = False) -> AsyncIterator[playwright.Browser]:
    """A browser that nobody has used before."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("chromium is not installed: the page is not tried in a browser")
    arguments = [*ALONE, *(MICROPHONE if microphone else ())]
    async with playwright.async_playwright() as driver:
        opened = await driver.chromium.launch(executable_path=chromium, args=arguments)
        try:
            yield opened
        finally:
            await opened.close()


class CallPage:
    """The page as somebody uses it."""

    def __init__(self, page: playwright.Page) -> None:
        self.page = page
        self.complaints: list[str] = []  #: errors in the console, the policy's among them
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._note)
        page.set_default_timeout(ANSWERED_WITHIN)

    @classmethod
    async def open(
        cls, of: playwright.Browser, url: str, language: str = "en-US", *, script: str = ""
    ) -> CallPage:
        """
        Args:
            script: makes the browser another one, before the page sees it.
        """
        context = await of.new_context(locale=language, viewport={"width": 1100, "height": 900})
        await context.add_init_script(script)
        opened = cls(await context.new_page())
        await opened.page.goto(url)
        await opened.page.locator("#people li").first.wait_for()
        return opened

    def _note(self, message: playwright.ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    async def focus(self) -> str:
        return str(await self.page.evaluate("document.activeElement.id"))

    async def state(self, *states: str) -> None:
        """Wait until the call is in one of these states."""
        wanted = ", ".join(f"#state[data-state={state}]" for state in states)
        await self.page.locator(wanted).wait_for()

    async def breaks(self, method: str) -> None:
        """This one of LiveKit's client, when it is next used: it is under way until `fail()` is called."""
        await self.page.evaluate(BREAKS, method)

    async def captions(self, of: str = "theirs") -> list[str]:
        """All that was said, by `theirs` or `mine`, finished lines only."""
        lines = self.page.locator(f"#captions p.{of} span[lang]")
        return [text.strip() for text in await lines.all_text_contents()]

    async def lines(self) -> int:
        """How many there are, of both sides and in between."""
        return int(await self.page.locator("#captions > p").count())

    async def hear(self, words: str, *, after: int = 0) -> None:
        """Wait for a line of theirs with these words, behind the first `after` lines."""
        new = f"#captions p.theirs:nth-child(n + {after + 1})"
        await self.page.locator(new, has_text=words).first.wait_for()

    async def type(self, words: str) -> None:
        await self.page.fill("#words", words)
        await self.page.press("#words", "Enter")
