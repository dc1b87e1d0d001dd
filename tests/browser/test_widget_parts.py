"""The lazy parts of the widget: pages load the files that they use, and no others."""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route

from grapevine.domain.channels import CODES
from tests.browser.conftest import Built, Visitor, snippet
from tests.browser.fake_collect_api import CORS, HOME, Recorder, token, until
from tests.support.browsers import copy
from tests.support.page_server import Site

BODY = '<p id="x">Read <a href="/a">this</a></p>'
HEAR = "<script>window.heard = []; document.addEventListener('grapevine:share', e => heard.push(e.detail))</script>"


def opened(page: Page, site: Site, body: str = BODY, *, part: str = "", **attributes: str) -> None:
    """Opens a page whose widget is known and, if a part is named, drawn."""
    site.page("/p", body, head=HEAR, title="Tea & cake", snippet=snippet(**attributes))
    page.goto(site.origin + "/p")
    page.wait_for_function("() => window.grapevine?.visit")
    if part:
        page.wait_for_selector(f"[part={part}]", state="attached")


CLIPBOARD = ["clipboard.js", "copyText.js"]
"""The second one writes what the first one cannot leave to the browser."""


def parts(recorder: Recorder) -> list[str]:
    """The names of the files that the script loaded later."""
    return [name.split(".", 2)[2] for name in recorder.asked if name.count(".") > 1]


def test_tracking_and_copying_alone_load_nothing_else(page: Page, site: Site, recorder: Recorder) -> None:
    opened(page, site, buttons="")
    page.wait_for_timeout(150)
    assert recorder.asked == ["widget.js"]
    copied = copy(page, "#x")
    assert f'href="{site.origin}/a#gv={token(1, "copy")}"' in copied["text/html"]
    recorder.wait(page, "shares")
    assert set(parts(recorder)) <= set(CLIPBOARD), "what a page itself might put on the clipboard"
    assert page.locator("grapevine-buttons").count() == 0


def test_default_buttons_load_one_part(page: Page, site: Site, recorder: Recorder) -> None:
    opened(page, site, part="button")
    page.wait_for_timeout(150)
    assert parts(recorder) == ["buttons.js"]


def test_a_page_that_shows_a_url_has_its_part_before_the_tokens(page: Page, site: Site, recorder: Recorder) -> None:
    opened(page, site, f'<p id="x">Read {site.origin}/b</p>', buttons="")
    assert parts(recorder) == CLIPBOARD
    assert copy(page, "#x")["text/plain"] == f"Read {site.origin}/b#gv={token(1, 'copy')}"


def test_a_url_that_comes_later_is_seen_when_something_is_selected(page: Page, site: Site, recorder: Recorder) -> None:
    opened(page, site, "<script>const u = 'https://e.org'</script>" + BODY, buttons="")
    assert parts(recorder) == []
    page.evaluate("() => { document.querySelector('#x').textContent = location.origin + '/late' }")
    page.evaluate("() => getSelection().selectAllChildren(document.querySelector('#x'))")
    until(page, lambda: parts(recorder), lambda names: names == CLIPBOARD)
    page.wait_for_load_state("networkidle")
    assert copy(page, "#x")["text/plain"] == f"{site.origin}/late#gv={token(1, 'copy')}"


def test_a_page_without_buttons_can_share_all_the_same(page: Page, site: Site, recorder: Recorder) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, site, "<button onclick='grapevine.share(\"signal\")'>Share</button>", buttons="")
    page.click("text=Share")
    page.wait_for_function("() => heard.length")
    assert parts(recorder) == ["buttons.js", "signal.json"]


@pytest.mark.parametrize("right", [True, False])
def test_parts_can_be_pinned(page: Page, site: Site, built: Built, *, right: bool) -> None:
    [name] = [name for name in built.loaded_later if name.endswith(".buttons.js")]
    digest = base64.b64encode(hashlib.sha384(built.loaded_later[name] + (b"" if right else b" ")).digest()).decode()
    pin = f'<link rel="modulepreload" href="{HOME}{name}" integrity="sha384-{digest}" crossorigin>'
    site.page("/p", pin + BODY)
    page.goto(site.origin + "/p")
    page.wait_for_function("() => window.grapevine?.visit")
    if right:
        page.wait_for_selector("[part=button]", state="attached")
    page.wait_for_timeout(150)
    assert (page.locator("[part=button]").count() > 0) is right
    assert token(1, "copy") in copy(page, "#x")["text/html"]


def test_a_part_that_cannot_be_had_costs_the_page_nothing(page: Page, site: Site, recorder: Recorder) -> None:
    page.context.route("**/*.buttons.js", lambda route: route.abort())
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    opened(page, site)
    assert token(1, "copy") in copy(page, "#x")["text/html"]
    recorder.wait(page, "shares")
    assert page.evaluate("() => grapevine.share('copy').then(shared => !shared)")
    assert problems == []


@pytest.mark.parametrize(
    ("lang", "html", "copy_label", "loads"),
    [
        ("de", "en", "Link kopieren", ["de.json"]),
        ("auto", "fr-CA", "Copier le lien", ["fr.json"]),
        ("ar", "en", "نسخ الرابط", ["ar.json"]),
        ("tlh", "en", "Copy link", []),
        ("en-GB", "de", "Copy link", []),
    ],
)
def test_words_of_a_language_are_loaded_when_it_is_spoken(
    page: Page, site: Site, recorder: Recorder, lang: str, html: str, copy_label: str, loads: list[str]
) -> None:
    opened(page, site, f"<script>document.documentElement.lang = '{html}'</script>", part="button", lang=lang)
    assert page.locator("[part=button]").first.get_attribute("title") == copy_label
    assert parts(recorder) == ["buttons.js", *loads]


def test_counts_stand_on_the_buttons_and_are_read_out(page: Page, site: Site, recorder: Recorder) -> None:
    recorder.counts = {"total": 1234, "channels": {"copy": 5, "whatsapp": 22}}
    opened(page, site, part="total", counts="on", lang="pl")
    assert page.locator("[part=count]").all_inner_texts() == ["5", "22"]
    assert page.get_by_role("region", name="Udostępnij tę stronę, 1234 udostępnienia").count() == 1
    assert page.get_by_role("button", name="Kopiuj link, 5 udostępnień").count() == 1
    assert page.get_by_role("link", name="WhatsApp, 22 udostępnienia").count() == 1
    assert parts(recorder)[-1] == "counts.js"
    assert recorder.asked[-1] == "v1/counts"


def test_counts_wait_for_consent(page: Page, site: Site, recorder: Recorder) -> None:
    recorder.counts = {"total": 3, "channels": {}}
    site.page("/p", BODY, snippet=snippet(counts="on", consent="required"))
    page.goto(site.origin + "/p")
    page.wait_for_selector("[part=button]", state="attached")
    until(page, lambda: parts(recorder), lambda names: "counts.js" in names)
    page.wait_for_timeout(150)
    assert "v1/counts" not in recorder.asked
    page.evaluate("() => grapevine.consent(true)")
    page.wait_for_selector("[part=total]", state="attached")


def test_follow_links_lead_to_profiles_and_are_no_shares(page: Page, site: Site, recorder: Recorder) -> None:
    page.context.route("https://x.com/**", lambda route: route.fulfill(body="X"))
    accounts = "x:handle linkedin:company/acme mastodon:@me@example.social bluesky:https://bsky.app/profile/a"
    opened(page, site, f'<grapevine-follow accounts="{accounts}"></grapevine-follow>', part="link", buttons="")
    assert page.get_by_role("group", name="Follow").count() == 1
    found = [(link.get_attribute("title"), link.get_attribute("href")) for link in page.locator("[part=link]").all()]
    assert found == [
        ("Follow: X", "https://x.com/handle"),
        ("Follow: LinkedIn", "https://www.linkedin.com/company/acme"),
        ("Follow: Mastodon", "https://example.social/@me"),
        ("Follow: Bluesky", "https://bsky.app/profile/a"),
    ]
    with page.context.expect_page():
        page.locator("[part=link]").first.click()
    page.wait_for_timeout(100)
    assert recorder.of("shares") == []


def test_follow_links_can_stand_at_the_end_of_the_bar(page: Page, site: Site) -> None:
    opened(page, site, part="link", follow="x:handle")
    assert page.locator("grapevine-buttons [part=bar] [part=follow] [part=link]").count() == 1


def test_the_survey_element_sends_one_answer(page: Page, site: Site, recorder: Recorder) -> None:
    opened(page, site, "<grapevine-survey></grapevine-survey>", part="field", buttons="")
    page.get_by_label("How did you hear about us?").fill("  a friend on Signal ")
    page.get_by_role("button", name="Send").click()
    [answer] = recorder.wait(page, "answers")
    assert re.fullmatch(r"[0-9A-Za-z_-]{16,64}", answer.pop("nonce"))
    assert answer == {"site": "sitekey", "session": "session1", "text": "a friend on Signal"}
    assert page.get_by_role("status").inner_text() == "Thank you!"


def test_a_survey_in_a_form_never_gets_in_its_way(page: Page, site: Site, recorder: Recorder) -> None:
    form = "<form id='f' action='/done'><input name='mail'><p><button>Sign up</button></p></form>"
    site.page("/done")
    opened(page, site, form, survey="#f", buttons="")
    page.get_by_label("How did you hear about us?").wait_for()
    page.fill("[name=mail]", "a@example.com")
    page.get_by_label("How did you hear about us?").fill("the radio")
    page.click("text=Sign up")
    page.wait_for_url("**/done?mail=a%40example.com")
    assert recorder.wait(page, "answers")[0]["text"] == "the radio"


def test_no_question_before_consent(page: Page, site: Site, recorder: Recorder) -> None:
    body = "<form id='f' action='/p'><button>Go</button></form><grapevine-survey></grapevine-survey>"
    site.page("/p", body, snippet=snippet(buttons="", survey="#f", consent="required"))
    page.goto(site.origin + "/p")
    until(page, lambda: parts(recorder), lambda names: "survey.js" in names)
    page.wait_for_timeout(150)
    asked = page.get_by_label("How did you hear about us?")
    assert asked.count() == 0
    page.evaluate("() => grapevine.consent(true)")
    until(page, asked.count, lambda count: count == 2)
    asked.last.fill("a flyer")
    page.get_by_role("button", name="Send").click()
    assert recorder.wait(page, "answers")[0]["text"] == "a flyer"


def test_an_empty_survey_is_not_sent(page: Page, site: Site, recorder: Recorder) -> None:
    opened(page, site, "<form id='f' action='/p'><button>Go</button></form>", survey="#f", buttons="")
    page.get_by_label("How did you hear about us?").wait_for()
    page.click("text=Go")
    page.wait_for_url("**/p?")
    assert recorder.of("answers") == []


def test_a_qr_code_is_drawn_from_the_servers_and_counted(page: Page, site: Site, recorder: Recorder) -> None:
    opened(page, site, "<grapevine-buttons channels='qr'></grapevine-buttons>", part="button", buttons="")
    until(page, lambda: page.evaluate("() => grapevine.url('qr')"), lambda url: token(1, "qr") in url)
    page.get_by_role("button", name="QR code").click()
    page.wait_for_selector("dialog [part=code] path")
    assert recorder.wait(page, "shares")[0]["token"] == token(1, "qr")
    assert f"s/{token(1, 'qr')}/qr.svg" in recorder.asked
    page.keyboard.press("Escape")
    until(page, lambda: page.locator("grapevine-panel").count(), lambda count: count == 0)


def test_mastodon_asks_for_the_server_once(page: Page, site: Site, recorder: Recorder) -> None:
    page.context.route("https://example.social/**", lambda route: route.fulfill(body="Mastodon"))
    opened(page, site, "<grapevine-buttons channels='mastodon'></grapevine-buttons>", part="button", buttons="")
    page.click("[title=Mastodon]")
    page.get_by_label("Your Mastodon server").fill("https://example.social/home")
    with page.context.expect_page() as first:
        page.keyboard.press("Enter")
    url = urlsplit(first.value.url)
    assert (url.netloc, url.path) == ("example.social", "/share")
    assert parse_qs(url.query)["text"] == [f"Tea & cake {site.origin}/p#gv={token(1, 'mastodon')}"]
    assert recorder.wait(page, "shares")[0]["token"] == token(1, "mastodon")
    with page.context.expect_page() as second:
        page.click("[title=Mastodon]")
    assert second.value.url.startswith("https://example.social/share?")


def test_a_printed_page_says_where_it_came_from(page: Page, site: Site, recorder: Recorder) -> None:
    page.add_init_script(
        "window.print = () => { window.printed = document.querySelector('grapevine-print').shadowRoot.textContent }"
    )
    opened(page, site, "<grapevine-buttons channels='print'></grapevine-buttons>", part="button", buttons="")
    until(page, lambda: page.evaluate("() => grapevine.url('print')"), lambda url: token(1, "print") in url)
    page.click("[title=Print]")
    assert page.wait_for_function("() => window.printed").json_value() == f"{site.origin}/p#gv={token(1, 'print')}"
    assert recorder.wait(page, "shares")[0]["token"] == token(1, "print")
    assert page.locator("grapevine-print").count() == 0


def test_inline_buttons_take_the_colour_of_the_page(visitor: Visitor, site: Site, recorder: Recorder) -> None:
    context = visitor(color_scheme="dark")
    recorder.attach(context)
    page = context.new_page()
    body = "<style>body{color:rgb(1,2,3)}</style><grapevine-buttons channels='copy'></grapevine-buttons>"
    opened(page, site, body, part="button", position="inline")
    assert page.locator("[part=button]").evaluate("b => getComputedStyle(b).color") == "rgb(1, 2, 3)"


def test_every_channel_has_a_button(page: Page, site: Site) -> None:
    names = [name for name in CODES if name not in ("address", "link", "native")]
    opened(
        page, site, f"<grapevine-buttons channels='{' '.join(names)}'></grapevine-buttons>", part="button", buttons=""
    )
    assert page.locator("[part=button]").count() == len(names)
    drawn = page.locator("[part=button] path").evaluate_all("all => all.map(path => path.getAttribute('d'))")
    assert len(set(drawn)) == len(names)


def test_a_wrong_language_file_leaves_english(page: Page, site: Site) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=500, headers=CORS, body="")

    page.context.route("**/*.de.json", refuse)
    opened(page, site, part="button", lang="de")
    assert page.locator("[part=button]").first.get_attribute("title") == "Copy link"


def test_the_address_bar_carries_the_readers_own_token(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/q", BODY)
    opened(page, site, "<a id='part' href='#part'>Part</a>" + BODY, address_bar="on", buttons="")
    own = token(1, "address")
    page.wait_for_url(f"**/p#gv={own}")
    page.reload()
    page.wait_for_url(f"**/p#gv={own}")
    page.evaluate("() => history.pushState(null, '', '/p/two?a=1')")
    page.wait_for_url(f"**/p/two?a=1#gv={own}")
    page.click("#part")
    page.wait_for_url(f"**/p/two?a=1&gv={own}#part")
    page.wait_for_timeout(200)  # a jump within the page is no view, although the address bar has a token
    page.go_back()
    page.wait_for_url(f"**/p/two?a=1#gv={own}")
    page.wait_for_timeout(200)
    page.go_back()
    page.wait_for_url(f"**/p#gv={own}")
    recorder.wait(page, "views", 3)  # the last one after the second in which a title may come
    page.wait_for_timeout(200)
    assert {path for path in recorder.paths if path != "views"} == {"visits"}
    assert len({visit["nonce"] for visit in recorder.of("visits")}) == 1
    assert all("gv=" not in view["url"] for view in recorder.of("views"))
    assert len(recorder.of("views")) == 3, "the reload, the route and the way back"


def test_the_token_in_the_address_is_remembered_as_ones_own(page: Page, site: Site) -> None:
    opened(page, site, address_bar="on", buttons="")
    page.wait_for_url(f"**/p#gv={token(1, 'address')}")
    memory = page.evaluate("() => JSON.parse(sessionStorage['grapevine:sitekey'])")
    assert token(1, "address") in memory["ownTokens"]


def test_someone_elses_token_gives_way_to_ones_own(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/p", BODY, snippet=snippet(address_bar="on"))
    page.goto(f"{site.origin}/p?gv=0123456789abcdefghijkLM#part")
    page.wait_for_url(f"**/p?gv={token(1, 'address')}#part")
    assert recorder.of("visits")[0]["token"] == "0123456789abcdefghijkLM"


@pytest.mark.parametrize("attributes", [{"address_bar": "off"}, {"address_bar": "on", "storage": "none"}])
def test_the_address_bar_stays_clean_otherwise(page: Page, site: Site, attributes: dict[str, str]) -> None:
    opened(page, site, buttons="", **attributes)
    page.wait_for_timeout(200)
    assert page.url == f"{site.origin}/p"


def test_the_address_bar_is_clean_again_when_consent_is_taken_back(page: Page, site: Site) -> None:
    opened(page, site, address_bar="on", buttons="")
    page.wait_for_url("**/p#gv=*")
    page.evaluate("() => grapevine.consent(false)")
    page.wait_for_url(f"{site.origin}/p")
