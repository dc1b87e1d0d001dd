"""``python -m tests.screenshots [FILE …]``: draws all pictures, or those of that name."""

from __future__ import annotations

import asyncio
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Page, async_playwright

from tests.screenshots.palette_png import palette_png
from tests.screenshots.pictures import FOLDER, MOST_BYTES, PICTURES, Picture
from tests.screenshots.shown_demo import ShownDemo, shown_demo
from tests.support.browsers import CHROMIUM, DESK, FLAGS, HEADLESS_SHELL

SCALE: Final = 2
"""Pixels of the picture for one of the page: screens have two or more."""
MARGIN: Final = 16
"""CSS pixels below the last element of a picture."""
_CHROMIUM: Final = HEADLESS_SHELL if Path(HEADLESS_SHELL).exists() else CHROMIUM


async def draw(wanted: Sequence[Picture], folder: Path) -> None:
    """Draws pictures into ``folder``, and prints their sizes."""
    with tempfile.TemporaryDirectory() as database:
        async with shown_demo(Path(database)) as demo, async_playwright() as playwright:
            flags = [*FLAGS, "--font-render-hinting=none", "--disable-lcd-text"]
            browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=flags)
            encoder = await browser.new_page()
            for picture in wanted:
                content = await palette_png(encoder, await _screenshot(browser, demo, picture))
                (folder / picture.file).write_bytes(content)
                note = "" if len(content) <= MOST_BYTES else f", more than {MOST_BYTES:,}"
                print(f"{picture.file}: {len(content):,} bytes{note}")
            await browser.close()


async def _screenshot(browser: Browser, demo: ShownDemo, picture: Picture) -> bytes:
    context = await browser.new_context(
        user_agent=DESK,
        viewport={"width": picture.width, "height": picture.height or 800},
        device_scale_factor=SCALE,
        color_scheme=picture.theme,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    page = await context.new_page()
    if picture.of == "site":
        await page.goto(demo.site_url + picture.page)
        await page.wait_for_function("() => window.grapevine?.visit")
        await page.locator("grapevine-buttons button, grapevine-buttons a").first.wait_for()
    else:
        await _sign_in(page, demo.server, demo.key if picture.of == "dashboard" else demo.new_key)
        await page.goto(demo.server + picture.page.replace("DEEPEST", demo.root).replace("LINK", demo.link))
    await page.evaluate("document.fonts.ready.then(() => undefined)")
    if picture.until is not None:
        end = await page.locator(picture.until).first.evaluate("element => element.getBoundingClientRect().bottom")
        await page.set_viewport_size({"width": picture.width, "height": math.ceil(end) + MARGIN})
    shot = await page.screenshot(animations="disabled", caret="hide")
    await context.close()
    return shot


async def _sign_in(page: Page, server: str, key: str) -> None:
    await page.goto(f"{server}/sign-in")
    await page.get_by_label("API key").fill(key)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(f"{server}/")


if __name__ == "__main__":
    names = sys.argv[1:]
    unknown = set(names) - {picture.file for picture in PICTURES}
    if unknown:
        sys.exit(f"no such picture: {', '.join(sorted(unknown))}; see tests/screenshots/pictures.py")
    asyncio.run(draw([picture for picture in PICTURES if not names or picture.file in names], FOLDER))
