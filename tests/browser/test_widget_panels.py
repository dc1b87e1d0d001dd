"""The panels: which Mastodon server a reader means and how to correct it, and a QR code that can be kept."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import pytest
import segno
from playwright.sync_api import Page, expect

from tests.browser.conftest import snippet
from tests.browser.fake_collect_api import HOME, Recorder, token, until
from tests.support.page_server import Site

MODULES: Final = """async bytes => {
  const picture = await createImageBitmap(new Blob([Uint8Array.from(bytes)], {type: 'image/png'}));
  const canvas = document.createElement('canvas');
  Object.assign(canvas, {width: picture.width, height: picture.height});
  const context = canvas.getContext('2d');
  context.drawImage(picture, 0, 0);
  const rows = [];
  for (let y = 8; y < picture.height; y += 16) {
    rows.push([]);
    for (let x = 8; x < picture.width; x += 16) rows.at(-1).push(context.getImageData(x, y, 1, 1).data[0] < 128);
  }
  return rows;
}"""


def shown(page: Page, site: Site, channel: str, **attributes: str) -> None:
    site.page(
        "/p", f"<grapevine-buttons channels='{channel}'></grapevine-buttons>", snippet=snippet(buttons="", **attributes)
    )
    page.goto(site.origin + "/p")
    page.wait_for_selector("[part=button]")
    until(page, lambda: page.evaluate(f"() => grapevine.url('{channel}')"), lambda url: token(1, channel) in url)


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("mastodon.social", "mastodon.social"),
        ("münchen.social", "xn--mnchen-3ya.social"),
        ("https://MÜNCHEN.social/home", "xn--mnchen-3ya.social"),
        ("@me@münchen.social", "xn--mnchen-3ya.social"),
        ("straße.example", "xn--strae-oqa.example"),
        ("お名前.example", "xn--t8jx73hngb.example"),
        ("مثال.example", "xn--mgbh0fb.example"),
        ("mastodon。social", "mastodon.social"),
        ("  http://social.example:8443/@me/1  ", "social.example:8443"),
        ("me@social.example", "social.example"),
    ],
)
def test_a_server_may_be_international(page: Page, site: Site, typed: str, host: str) -> None:
    opened: list[str] = []
    page.context.on("request", lambda request: opened.append(request.url))
    shown(page, site, "mastodon")
    page.click("[title=Mastodon]")
    page.get_by_label("Your Mastodon server").fill(typed)
    with page.context.expect_page():
        page.keyboard.press("Enter")
    until(
        page, lambda: [urlsplit(url).netloc for url in opened if "/share?text=" in url], lambda hosts: hosts == [host]
    )


@pytest.mark.parametrize("typed", ["my server", "https://", "social.example:port", "@", "a<b>.example"])
def test_what_is_no_server_is_asked_for_again(page: Page, site: Site, recorder: Recorder, typed: str) -> None:
    shown(page, site, "mastodon")
    page.click("[title=Mastodon]")
    field = page.get_by_label("Your Mastodon server")
    field.fill(typed)
    page.keyboard.press("Enter")
    page.wait_for_timeout(50)
    expect(field).to_be_focused()
    assert not field.evaluate("field => field.validity.valid")
    assert recorder.of("shares") == []
    field.fill("social.example")
    assert field.evaluate("field => field.validity.valid")


def test_a_server_can_be_corrected(page: Page, site: Site, recorder: Recorder) -> None:
    page.context.route("https://*.example/**", lambda route: route.fulfill(body="Mastodon"))
    shown(page, site, "mastodon")
    page.click("[title=Mastodon]")
    page.get_by_label("Your Mastodon server").fill("wrong.example")
    with page.context.expect_page():
        page.keyboard.press("Enter")
    expect(page.locator("grapevine-panel")).to_have_count(0)
    with page.context.expect_page() as second:
        page.click("[title=Mastodon]")
    assert urlsplit(second.value.url).netloc == "wrong.example", "the server of before, at once"
    field = page.get_by_label("Not your server? Correct it")
    expect(field).to_have_value("wrong.example")
    field.fill("right.example")
    with page.context.expect_page() as third:
        page.keyboard.press("Enter")
    assert urlsplit(third.value.url).netloc == "right.example"
    page.reload()
    page.wait_for_selector("[part=button]")
    with page.context.expect_page() as fourth:
        page.click("[title=Mastodon]")
    assert urlsplit(fourth.value.url).netloc == "right.example", "which the tab remembers"
    page.keyboard.press("Escape")
    expect(page.locator("grapevine-panel")).to_have_count(0)
    assert len(recorder.wait(page, "shares", 4)) == 4


POLICY: Final = (
    f"default-src 'none'; script-src {HOME}; connect-src {HOME}; style-src 'none'; img-src 'none'; "
    "require-trusted-types-for 'script'"
)


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_qr_code_says_what_to_do_and_can_be_saved(page: Page, site: Site, language: str) -> None:
    body = "<grapevine-buttons channels='qr'></grapevine-buttons>"
    site.page("/p", body, snippet=snippet(buttons="", lang=language), headers={"Content-Security-Policy": POLICY})
    page.goto(site.origin + "/p")
    until(page, lambda: page.evaluate("() => window.grapevine?.url?.('qr')"), lambda url: token(1, "qr") in (url or ""))
    page.click("[data-channel=qr]")
    expect(page.locator("dialog [part=hint]")).to_contain_text({"en": "camera", "de": "Kamera"}[language])
    with page.expect_download() as download:
        page.get_by_role("button", name={"en": "Save as a picture", "de": "Als Bild speichern"}[language]).click()
    assert download.value.suggested_filename == "127.0.0.1.png"
    content = download.value.path().read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    site.page("/look", snippet="")
    page.goto(site.origin + "/look")
    modules = page.evaluate(MODULES, list(content))
    code = segno.make(f"{HOME}s/{token(1, 'qr')}/qr.svg", error="m")  # what the stand-in draws
    assert modules == [list(map(bool, row)) for row in code.matrix_iter(border=4)]
