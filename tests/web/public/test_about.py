"""``/about/{token}``: a link's contents for people, in their language, without other people's visits or exact times."""

from __future__ import annotations

import hashlib
import json
import re
import string
from base64 import b64encode
from datetime import date
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from grapevine.domain import ids
from grapevine.domain.channels import CODES, NAMES
from grapevine.web.public.about.languages import Words, languages, nth, preferred
from tests.support.in_process_server import ORIGIN, Server
from tests.web.api.test_read_api import with_key
from tests.web.page_markup import Page

WORDS = Path(__file__).parents[3] / "widget/translations"

pytestmark = pytest.mark.anyio


async def ask(server: Server, token: str, language: str = "en", below: str = "") -> httpx.Response:
    return await server.http.get(f"{below}/about/{token}", headers={"Accept-Language": language})


async def test_it_shows_the_contents_of_the_link_and_a_contact(server: Server) -> None:
    token = (await server.visit(channels=["whatsapp"]))["tokens"]["whatsapp"]
    answer = await ask(server, token)
    assert answer.status_code == 200
    assert answer.headers["content-language"] == "en"
    for said in ("What this link carries", token, "5 November 2026", "WhatsApp", "share 1 of that visit", "site-a"):
        assert said in answer.text, said
    assert f'<a href="{ORIGIN}/">{ORIGIN}</a>' in answer.text
    assert '<html lang="en">' in answer.text


async def test_nothing_of_the_visit_itself_is_shown(server: Server) -> None:
    """The page is the same before and after a visit through the link, and for a visit that is not stored."""
    first = await server.visit(url=f"{ORIGIN}/private/page", title="Secret", referrer="https://www.google.com/")
    token = first["tokens"]["copy"]
    before = (await ask(server, token)).text
    await server.visit(server.browser("192.0.2.9"), token=token)
    await server.share(token, url=f"{ORIGIN}/private/page")
    server.clock.now += ids.DAY_MS
    assert (await ask(server, token)).text == before
    assert not re.search(r"\d\d:\d\d", before)
    assert not {first["visit"], "private", "Secret", "google"} & set(re.findall(r"\w+", before))
    site = (await server.state.sites.all())[0]
    gone = site.tokens.mint(ids.pack(2400, 9, 9), (CODES["copy"],))[0]
    assert (await ask(server, gone)).status_code == 200


@pytest.mark.parametrize("language", languages())
async def test_of_a_minted_link_it_says_who_made_it_and_not_for_whom(server: Server, language: str) -> None:
    shop = await with_key(server, "shop", scope="write")
    made = {"url": f"{ORIGIN}/private", "label": "Secret", "external_id": "contact-1842", "campaign": "Mailing"}
    link = (await shop.http.post("/v1/links", json=made | {"places": ["door"], "channel": "print"})).json()
    words = languages()[language].of_minted()
    said = {number: unescape((await ask(server, token, language)).text) for number, token in enumerate(
        (link["token"], link["places"][0]["token"], link["qr_url"].split("/")[-2])
    )}  # fmt: skip
    for number, text in said.items():
        for field in ("lead", "not_said", "opened_text", "erase_any", "visit_value"):
            assert getattr(words, field).format(site="site-a") in text, field
        assert words.nth_value.format(n=int(number == 1)) in text
        assert words.lead != languages()[language].lead
        assert not {"private", "Secret", "contact", "1842", "Mailing", "door"} & set(re.findall(r"\w+", text))
        assert not re.search(r"\d\d:\d\d", text)
    assert (await shop.http.delete(f"/v1/links/{link['token']}")).status_code == 204
    assert languages()[language].lead.format(site="site-a") in unescape(
        (await ask(server, link["token"], language)).text
    )


@pytest.mark.parametrize(("n", "expected"), [(0, "share 1 of"), (6, "share 7 of"), (7, "share 8+ of")])
async def test_which_share_it_was(server: Server, n: int, expected: str) -> None:
    site = (await server.state.sites.all())[0]
    assert expected in (await ask(server, site.tokens.mint(ids.pack(2400, 9, 9), (0,), n)[0])).text


async def test_it_runs_nothing_and_goes_nowhere(server: Server) -> None:
    token = (await server.visit())["tokens"]["copy"]
    for answer in (await ask(server, token), await ask(server, "x" * 23)):
        policy = answer.headers["content-security-policy"]
        style = re.search("<style>(.*)</style>", answer.text, re.DOTALL)
        assert style is not None
        digest = b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
        assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
        assert "script" not in policy
        assert not re.search(r"<script|\bon\w+=|style=|src=|<link", answer.text)
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-robots-tag"] == "noindex"
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["vary"] == "Accept-Language"
        assert len(Page(answer.text).headings) == 1


@pytest.mark.parametrize(
    ("text", "status"), [("short", 404), ("-" * 23, 404), ("é" * 23, 404), ("x" * 23, 422), ("session", 422)]
)
async def test_a_bad_token_gets_a_friendly_page(server: Server, text: str, status: int) -> None:
    session = (await server.visit())["session"]
    answer = await ask(server, session if text == "session" else text)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert "nothing we know" in answer.text
    assert "site-a" not in answer.text
    assert session not in answer.text


async def test_names_and_addresses_are_texts(server: Server) -> None:
    await server.add_site("<b>{site}</b>&", "https://b.example", "http://xn--bcher-kva.example:8080")
    site = (await server.state.sites.all())[1]
    answer = await ask(server, site.tokens.mint(ids.pack(2400, 9, 9), (0,))[0])
    assert "&lt;b&gt;{site}&lt;/b&gt;&amp;" in answer.text
    assert "<b>{" not in answer.text
    for origin in site.row.origins:
        assert f'<a href="{origin}/">' in answer.text


def links(answer: httpx.Response) -> list[str]:
    """Returns the addresses of all links of a page."""
    return [value for tag, name, value in Page(answer.text).attributes if (tag, name) == ("a", "href")]


async def contacted(server: Server, contact: str | None, **changes: str) -> str:
    """Gives the site a contact, past its checks, and returns a token of it."""
    await server.store.sites.change_site(1, {"contact": contact, **changes})
    server.clock.now += 2_000
    return str((await server.visit())["tokens"]["copy"])


@pytest.mark.parametrize("language", languages())
async def test_a_mail_address_is_written_to_with_the_token(server: Server, language: str) -> None:
    words = languages()[language]
    token = await contacted(server, "o'neil+a&b?c=d@bücher.example")
    answer = await ask(server, token, language)
    (link,) = [link for link in links(answer) if link.startswith("mailto:")]
    address, _, fields = link.removeprefix("mailto:").partition("?")
    assert unquote(address) == "o'neil+a&b?c=d@bücher.example"
    assert re.fullmatch(r"[\w@%.~-]+", address, re.ASCII)
    written = dict(pair.split("=") for pair in fields.split("&"))
    assert written.keys() == {"subject", "body"}
    assert unquote(written["subject"]) == words.mail_subject.format(site="site-a")
    assert unquote(written["body"]) == words.mail_body.format(token=token).replace("\n", "\r\n")
    assert token in unquote(written["body"])
    assert words.contact_mail_text in answer.text


@pytest.mark.parametrize("language", languages())
async def test_a_page_to_ask_on_is_linked_and_the_token_stands_to_be_copied(server: Server, language: str) -> None:
    words = languages()[language]
    token = await contacted(server, "https://a.example/privacy?lang=de&topic=erase#form")
    answer = await ask(server, token, language)
    assert "https://a.example/privacy?lang=de&topic=erase#form" in links(answer)
    assert f'{words.contact_page_text} <code class="whole">{token}</code>' in answer.text
    assert "mailto:" not in answer.text


@pytest.mark.parametrize("language", languages())
async def test_without_a_contact_the_site_itself_is_named(server: Server, language: str) -> None:
    token = await contacted(server, None)
    answer = await ask(server, token, language)
    named = f'{languages()[language].contact_none.format(site="site-a")} <a href="{ORIGIN}/">{ORIGIN}</a>'
    assert named in unescape(answer.text)
    assert "mailto:" not in answer.text


@pytest.mark.parametrize("language", languages())
async def test_how_to_have_a_visit_erased(server: Server, language: str) -> None:
    words = languages()[language]
    said = unescape((await ask(server, await contacted(server, None), language)).text)
    own = words.erase_own.format(site="site-a", button=words.erase_button, call="<code>grapevine.forget()</code>")
    for text in (words.erase, own, words.erase_any.format(site="site-a")):
        assert text in said, text


@pytest.mark.parametrize(
    "contact",
    [
        'https://a.example/"><script>alert(1)</script>',
        "https://a.example/'onmouseover='alert(1)",
        '"><img src=x onerror=alert(1)>@a.example',
        "javascript:alert(1)//@a.example",
    ],
)
async def test_a_contact_is_a_text(server: Server, contact: str) -> None:
    """Even one that no check has seen."""
    token = await contacted(server, contact, name="<i>{site}</i>\"'&")
    answer = await ask(server, token)
    assert not re.search(r"<script|<img|<i>", answer.text)
    assert not [name for _, name, _ in Page(answer.text).attributes if name.startswith("on")]
    (link,) = [link for link in links(answer) if link != f"{ORIGIN}/"]
    assert link == contact or link.startswith("mailto:")


@pytest.mark.parametrize("language", languages())
def test_the_button_has_the_name_that_the_widget_gives_it(language: str) -> None:
    drawn = json.loads((WORDS / f"{language}.json").read_text()) if language != "en" else {"forget": "Erase this visit"}
    assert languages()[language].erase_button == drawn["forget"]


@pytest.mark.parametrize("language", languages())
async def test_every_language(server: Server, language: str) -> None:
    token = (await server.visit())["tokens"]["copy"]
    for answer in (await ask(server, token, language), await ask(server, "x", language)):
        assert answer.headers["content-language"] == language
        assert f'<html lang="{language}">' in answer.text
    assert languages()[language].title in (await ask(server, token, language)).text


@pytest.mark.parametrize("words", languages().values(), ids=languages())
def test_the_texts_are_whole(words: Words) -> None:
    english = languages()["en"]
    assert len(words.months) == 12
    assert words.channels.keys() == english.channels.keys()
    assert words.minted.keys() == english.minted.keys()
    for field, text in words.minted.items():
        assert text == text.strip() != ""
        assert holes(text) == holes(english.minted[field]) >= holes(getattr(english, field)), field
    for field in words.__struct_fields__:
        mine, theirs = getattr(words, field), getattr(english, field)
        if isinstance(mine, str):
            assert mine == mine.strip() != ""
            assert holes(mine) == holes(theirs), field
    for code in NAMES:
        assert words.channel(code)


def holes(text: str) -> set[str]:
    """Returns the names of the placeholders in a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize(
    ("language", "day", "expected"),
    [
        ("en", date(2026, 11, 5), "5 November 2026"),
        ("de", date(2026, 3, 1), "1. März 2026"),
        ("fr", date(2026, 8, 1), "1er août 2026"),
        ("fr", date(2026, 8, 2), "2 août 2026"),
        ("nl", date(2026, 5, 31), "31 mei 2026"),
        ("es", date(2026, 1, 1), "1 de enero de 2026"),
    ],
)
def test_dates(language: str, day: date, expected: str) -> None:
    assert languages()[language].calendar(day) == expected


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"), ("de", "de"), ("DE-ch,en;q=0.8", "de"), ("ja,nl;q=0.5,fr;q=0.7", "fr"), ("fr;q=0,es;q=0.1", "es"),
        ("*", "en"), ("pt-BR, *;q=0.5, de;q=0.2", "en"), ("en-GB,de", "en"), ("zh-Hant-TW", "en"),
        ("de;q=nonsense, nl", "nl"), (";;;,,,", "en"), ("es ; q=0.9 , de ; q=1.0", "de"), ("\u0131,fr", "fr"),
    ],
)  # fmt: skip
def test_the_language_that_is_liked_best(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


def test_shares_are_counted_from_one() -> None:
    assert [nth(n) for n in (0, 1, 7)] == ["1", "2", "8+"]


@pytest.mark.parametrize("server", ["asgi /g", "socket /g"], indirect=True)
async def test_it_stands_below_the_prefix_and_at_the_root(server: Server) -> None:
    site = (await server.state.sites.all())[0]
    token = site.tokens.mint(ids.pack(2400, 9, 9), (0,))[0]
    assert (await ask(server, token, below="/g")).text == (await ask(server, token)).text
