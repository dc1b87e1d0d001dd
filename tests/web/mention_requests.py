"""Requests about mentions and feeds, from a webmention to the last page of a list, on both backends."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from grapevine.domain.urls import page_id
from grapevine.mentions import checking
from grapevine.mentions.feeds import polling
from grapevine.mentions.pages import KnownPage
from grapevine.mentions.recording import mention_event
from grapevine.store.repositories.mentions import FEED, WEBMENTION, mention_row
from grapevine.store.rows import SiteRow
from tests.support.in_process_server import Server
from tests.web.backend_pair import Pair
from tests.web.paged_lists import go_on, turn_pages
from tests.web.read_requests import ReadClient, sign_in

SEEN_OF_MENTIONS: Final = {
    "POST /webmention 202", "POST /webmention 400", "GET /v1/mentions 200", "GET /v1/mentions 422", "GET /mentions 200",
    "GET /mentions 422", "GET /v1/feeds 200", "GET /v1/feeds 403", "POST /v1/feeds 201", "POST /v1/feeds 422",
    "GET /v1/feeds/… 200", "GET /v1/feeds/… 404", "PATCH /v1/feeds/… 200", "PATCH /v1/feeds/… 404",
    "PATCH /v1/feeds/… 422", "DELETE /v1/feeds/… 204", "DELETE /v1/feeds/… 404",
}  # fmt: skip
_JSON: Final = ("Content-Type", "application/json")
_FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")
_MENTIONS: Final = 30


async def mention(pair: Pair, site: SiteRow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Webmentions arrive, feeds come and go, and the mentions of a page are read in every way; no source is read."""
    monkeypatch.setattr(checking, "MOST_AT_ONCE", 0)
    monkeypatch.setattr(polling, "_DUE_AT_ONCE", 0)
    page = f"{site.origins[0]}/deep/page"
    public = ReadClient()
    for fields in (
        {"source": "https://blog.example/one", "target": page},
        {"source": "https://blog.example/one", "target": page},
        {"source": "https://Blog.Example/ä?b=%20#part", "target": f"{page}#x"},
        {"source": f"{site.origins[0]}/other", "target": page},
        {"source": "http://10.0.0.1/", "target": page},
        {"source": "https://blog.example/one", "target": f"{site.origins[0]}/nowhere"},
        {"source": "https://blog.example/one", "target": "https://nobody.example/"},
        {"source": "https://blog.example/one"},
    ):
        await pair.ask(public.post("/webmention", urlencode(fields).encode(), _FORM))
    await pair.on_both(lambda server: plant_mentions(server, site, page))
    await pair.change(["UPDATE mentions SET gone_at = at + 1, title = NULL, author = NULL WHERE source_url LIKE '%9'"])
    await pair.compare_rows()
    stored = {table: pair.rows[table] for table in ("webmentions", "mentions")}
    assert stored == {"webmentions": 2, "mentions": _MENTIONS}, stored
    await read_mentions(pair, site, page)
    await keep_feeds(pair, site, monkeypatch)


async def plant_mentions(server: Server, site: SiteRow, page: str) -> None:
    """Stores mentions of a page; several became known at once, texts are of any script, and some are gone."""
    known = server.state.sites.numbered(site.site_id)
    assert known is not None
    number = page_id(site.site_id, page)
    texts = ("On bread", "Ω z\u0301", None, "=1+1", "<b>&")
    for each in range(_MENTIONS):
        row = mention_row(
            site.site_id,
            number,
            (WEBMENTION, FEED)[each % 2],
            f"https://blog{each % 7}.example/{each}",
            server.clock.now - each // 4 * 3_600_000,
            feed_id="feed_x" if each % 2 else None,
            title=texts[each % 5],
            author=texts[each % 3],
            published_at=server.clock.now - each if each % 4 else None,
        )
        told = mention_event(known, KnownPage(number, page), row, row.at)
        added = await server.store.mentions.add(row, told, lambda: "msg_none")
        assert added


async def read_mentions(pair: Pair, site: SiteRow, page: str) -> None:
    """Every filter of the list, to its end, in the API and on the dashboard."""
    reader = ReadClient(f"secret-{site.site_id}")
    filters: list[dict[str, Any]] = [
        {}, {"page": page}, {"page": f"{page}?utm_source=x"}, {"page": f"{site.origins[0]}/nowhere"},
        {"kind": "feed"}, {"kind": "webmention", "page": page}, {"gone": "true"}, {"gone": "false", "page": page},
    ]  # fmt: skip
    for chosen in filters:
        await go_on(pair, reader, reader.get("/v1/mentions", limit=4, **chosen))
        await pair.ask(reader.get("/v1/mentions", **chosen))
    for wrong in ({"kind": "x"}, {"limit": 0}, {"cursor": "x"}, {"gone": "maybe"}, {"page": "x"}):
        await pair.ask(reader.get("/v1/mentions", **wrong))
    answer = await pair.ask(sign_in(f"secret-{site.site_id}"))
    seen = ReadClient(cookie=dict(answer.headers)["set-cookie"].partition(";")[0])
    for chosen in filters:
        await turn_pages(pair, seen, seen.get("/mentions", site=site.key, **chosen))
    for wrong in ({"kind": "x"}, {"gone": "maybe"}):
        await pair.ask(seen.get("/mentions", site=site.key, **wrong))


async def keep_feeds(pair: Pair, site: SiteRow, monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed from its beginning to its end."""
    owner = ReadClient(f"admin-{site.site_id}")

    def body(**fields: str) -> bytes:
        return json.dumps(fields).encode()

    with monkeypatch.context() as patched:
        patched.setattr("secrets.token_bytes", lambda size: bytes([site.site_id]) * size)  # both draw the same
        added = (await pair.ask(owner.post("/v1/feeds", body(url="https://feeds.example/Ω", name="Ω"), _JSON))).json
    path = f"/v1/feeds/{added['id']}"
    await pair.compare_rows()
    assert pair.rows["feeds"] == 1
    for call in (
        ReadClient(f"secret-{site.site_id}").get("/v1/feeds"),
        *(owner.post("/v1/feeds", body(url=url), _JSON) for url in ("https://feeds.example/Ω", "http://10.0.0.1/")),
        owner.get("/v1/feeds"),
        *(owner.get(each) for each in (path, "/v1/feeds/none")),
        *(owner.post(path, body(name=name), _JSON, method="PATCH") for name in ("b", "\0")),
        owner.post("/v1/feeds/none", body(name="b"), _JSON, method="PATCH"),
        owner.get(path),
        *(owner.post(path, b"", method="DELETE") for _ in range(2)),
        owner.get("/v1/feeds"),
    ):
        await pair.ask(call)
    await pair.compare_rows()
    assert not pair.rows["feeds"]
