"""Webmentions over HTTP, from a form to the API, the dashboard, an export and the metrics."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from grapevine.config.settings import Settings
from grapevine.domain.urls import page_id
from grapevine.mentions.pages import KnownPage
from grapevine.mentions.recording import mention_event, message_ids
from grapevine.store.repositories.mentions import FEED, MentionRow, mention_row
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server, serving
from tests.support.source_server import SourceServer, serving_sources
from tests.web.api.test_read_api import refused, with_key
from tests.web.dashboard.dashboard_browser import page, signed_in

pytestmark = pytest.mark.anyio

TARGET = f"{ORIGIN}/bread"
DEADLINE = 30


@pytest.fixture
async def server(database: str) -> AsyncIterator[Server]:
    """A server whose site takes webmentions, also from this machine."""
    settings = Settings(database=database, secret_keys=(b"k" * 32,), rate_limit=0, mention_networks=("127.0.0.0/8",))
    async with serving(settings) as server:
        await server.add_site("site-a", ORIGIN, webmention="on")
        await server.visit(url=TARGET)
        yield server
        await server.hang_up()


@pytest.fixture
async def sources() -> AsyncIterator[SourceServer]:
    async with serving_sources() as found:
        yield found


async def send(server: Server, address: str = "192.0.2.7", **fields: str) -> httpx.Response:
    """A webmention from an address."""
    return await server.browser(address).post("/webmention", data=fields)


async def store(server: Server, row: MentionRow) -> None:
    """Stores a mention."""
    site = server.state.sites.numbered(row.site_id)
    assert site is not None
    told = mention_event(site, KnownPage(row.page_id, TARGET), row, row.at)
    await server.store.mentions.add(row, told, message_ids(secrets.token_bytes))


async def came(server: Server, number: int) -> None:
    """Waits until so many sources were read."""
    async with asyncio.timeout(DEADLINE):
        while sum(server.state.webmention_reader.results.values()) < number:
            server.state.webmention_reader.notify()
            await asyncio.sleep(0.01)


@BOTH_BACKENDS
async def test_from_a_form_to_the_api(server: Server, sources: SourceServer) -> None:
    sources.page("/post", f"<title>On bread</title><p class=p-author>Ann</p><a href='{TARGET}'>x</a>")
    answer = await send(server, source=sources.url("/post"), target=f"{TARGET}#part")
    assert (answer.status_code, answer.headers["cache-control"]) == (202, "no-store")
    await came(server, 1)
    reader = await with_key(server, "reader")
    found = (await reader.http.get("/v1/mentions")).json()
    (mention,) = found["mentions"]
    assert "next" not in found
    at = mention.pop("at")
    assert mention == {
        "source": sources.url("/post"), "page": TARGET, "kind": "webmention", "feed": None, "title": "On bread",
        "author": "Ann", "published_at": None, "gone_at": None, "effect": None,
    }  # fmt: skip
    line = (await reader.http.get("/v1/export/mentions?format=ndjson")).json()
    del mention["effect"]
    assert line == {**mention, "at": at}
    csv = (await reader.http.get("/v1/export/mentions?format=csv")).text
    assert "On bread,Ann" in csv
    (by_client,) = [
        each async for each in server.api("reader").mentions.list(page=TARGET, kind="webmention", gone=False)
    ]
    assert (by_client.source, by_client.at) == (mention["source"], at)

    sources.pages.clear()
    server.clock.now += 60_000
    assert (await send(server, source=sources.url("/post"), target=TARGET)).status_code == 202
    await came(server, 2)
    (gone,) = (await reader.http.get("/v1/mentions?gone=true")).json()["mentions"]
    assert (gone["title"], gone["gone_at"] is None) == (None, False)
    assert (await reader.http.get("/v1/mentions?gone=false")).json() == {"mentions": []}


async def test_refusals_say_which_field_is_wrong_and_why(server: Server) -> None:
    good = "https://blog.example/post"
    for fields, field in (
        ({"source": good}, "target"),
        ({"target": TARGET}, "source"),
        ({"source": good, "target": f"{ORIGIN}/unknown"}, "target"),
        ({"source": good, "target": "https://b.example/"}, "target"),
        ({"source": f"{ORIGIN}/other", "target": TARGET}, "source"),
        ({"source": "http://10.0.0.1/", "target": TARGET}, "source"),
        ({"source": good, "target": TARGET + "\0"}, "target"),
    ):
        answer = await send(server, **fields)
        assert refused(answer) == (400, "webmention-refused", [field]), fields
        server.clock.now += 60_000
    twice = f"source={quote(good)}&source={quote(good)}&target={quote(TARGET)}"
    form = {"content-type": "application/x-www-form-urlencoded"}
    for content, headers, status, code in (
        (twice, form, 400, "webmention-refused"),
        ("source=%FF&target=x", form, 400, "malformed"),
        ("&".join(f"a{n}=1" for n in range(21)), form, 400, "malformed"),
        ("x" * 20_000, form, 413, "too-large"),
        ('{"source": "x"}', {"content-type": "application/json"}, 400, "malformed"),
        ("source=x", {}, 400, "malformed"),
    ):
        answer = await server.browser().post("/webmention", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), content[:30]
        server.clock.now += 60_000
    assert (await server.http.get("/webmention")).status_code == 405


async def test_a_network_sends_ten_a_minute_even_without_a_rate_limit(server: Server) -> None:
    sent = [await send(server, source="https://b.example/", target="x") for _ in range(12)]
    assert [answer.status_code for answer in sent] == [400] * 10 + [429] * 2
    assert int(sent[-1].headers["retry-after"]) >= 1
    assert (await send(server, "192.0.2.8", source="x", target="x")).status_code == 400
    # A /64 is one network, and a /48 has ten times as many.
    wide = [
        (await send(server, f"2001:db8:1:{net:x}::{host}", source="x", target="x")).status_code
        for net in range(12)
        for host in range(10)
    ]
    assert (wide.count(400), wide.count(429)) == (100, 20)
    assert server.state.rate_limit.hits["rate-webmentions"] == 22


async def test_texts_of_strangers_are_shown_as_texts(server: Server) -> None:
    site = server.state.sites.known("site-a")
    assert site is not None
    here = page_id(site.site_id, TARGET)
    hostile: list[dict[str, Any]] = [
        {"source_url": 'https://b.example/"><script>alert(1)</script>', "title": "<script>alert(1)</script>"},
        {"source_url": "https://b.example/'onmouseover='alert(1)", "title": '" onclick="alert(1)', "author": "</bdi>"},
        {"source_url": "https://b.example/{{ 7*7 }}", "title": "{{ 7*7 }}{% raw %}", "author": "javascript:alert(1)"},
        {"source_url": "https://b.example/\u202egnp", "title": "\u202egnp.exe\x1b[31m", "author": "\u2066x"},
        {"source_url": "https://b.example/csv", "title": '=HYPERLINK("http://x")', "author": "@SUM(1)"},
    ]
    for number, each in enumerate(hostile):
        row = mention_row(
            1, here, FEED, each["source_url"], server.clock.now - number, title=each["title"], author=each.get("author")
        )
        await store(server, row)
    first = await server.visit(url=TARGET)
    await server.share(first["tokens"]["copy"], url=TARGET)
    await server.visit(server.browser("192.0.2.2"), url=TARGET, token=first["tokens"]["copy"])
    client = await signed_in(server)
    for path in ("/mentions", f"/mentions?page={quote(TARGET)}", f"/cascades/{first['visit']}"):
        shown = await page(client, path)
        assert len([1 for tag, name, _ in shown.attributes if (tag, name) == ("bdi", "class")]) == 0
        outside = 0
        for tag, name, value in shown.attributes:
            assert not name.startswith("on"), path
            assert tag not in ("img", "iframe") or value.startswith("/static") or not value or name != "src"
            if name == "href" and "b.example" in value:
                outside += 1
        assert shown.values("a", "rel").count("nofollow noopener noreferrer") == outside
        assert "<script>alert(1)</script>" in shown.text  # as text
        assert "49" not in shown.text.split("b.example")[1][:40]
        assert not any(character in shown.text for character in "\u202e\u2066\x1b")
    csv = (await client.get("/v1/export/mentions?format=csv", headers={"Authorization": "Bearer gv_secret1"})).text
    assert "'=HYPERLINK" in csv
    assert "'@SUM" in csv


async def test_the_list_goes_on_where_a_page_of_it_ends(server: Server) -> None:
    here = page_id(1, TARGET)
    for number in range(30):
        row = mention_row(1, here, FEED, f"https://b.example/{number}", server.clock.now - number // 4, feed_id="f")
        await store(server, row)
    reader = await with_key(server, "reader")
    seen: list[str] = []
    query = "limit=7"
    while True:
        found = (await reader.http.get(f"/v1/mentions?{query}")).json()
        seen += [each["source"] for each in found["mentions"]]
        if "next" not in found:
            break
        query = f"limit=7&cursor={found['next']}"
    assert (len(seen), len(set(seen))) == (30, 30)
    other = await reader.http.get(f"/v1/mentions?kind=feed&cursor={query.partition('cursor=')[2]}")
    assert other.status_code == 422
    client = await signed_in(server)
    shown = await page(client, "/mentions")
    assert len(shown.tables["Mentions, newest first"]) == 26
    assert "Next page" in shown.text


async def test_metrics_count_what_arrives_and_what_is_read(server: Server, sources: SourceServer) -> None:
    sources.page("/post", f"<a href='{TARGET}'>x</a>")
    await send(server, source=sources.url("/post"), target=TARGET)
    await send(server, source="x", target=TARGET)
    await came(server, 1)
    owner = await with_key(server, "all", site_id=0)
    text = (await owner.http.get("/metrics")).text
    assert 'grapevine_webmentions_received_total{result="accepted"} 1.0' in text
    assert 'grapevine_webmentions_received_total{result="source"} 1.0' in text
    assert 'grapevine_webmention_attempts_total{result="new"} 1.0' in text
