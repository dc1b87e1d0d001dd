"""``GET /v1/counts``: the shares of a page, for its buttons."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from grapevine.errors import StoreError
from tests.support.in_process_server import ORIGIN, Server

pytestmark = pytest.mark.anyio

PAGE = f"{ORIGIN}/deep/page"


async def ask(server: Server, url: str = PAGE, headers: dict[str, str] | None = None, **more: str) -> httpx.Response:
    return await server.http.get("/v1/counts", params={"site": "site-a", "url": url} | more, headers=headers)


async def share(server: Server, channels: dict[str, int], url: str = PAGE) -> Any:
    """A visit in which the page is shared so often through each channel."""
    visit = await server.visit(channels=list(channels))
    for channel, times in channels.items():
        token = visit["tokens"][channel]
        for _ in range(times):
            token = (await server.share(token, url=url)).json()["next"]
    return visit


async def test_the_shares_of_a_page_by_channel(server: Server) -> None:
    await share(server, {"whatsapp": 2, "copy": 1})
    await share(server, {"x": 1})
    await share(server, {"email": 3}, f"{ORIGIN}/another")
    answer = await ask(server)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.content == b'{"total":4,"channels":{"copy":1,"whatsapp":2,"x":1}}'
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=60"


async def test_a_page_has_one_number_however_its_address_is_written(server: Server) -> None:
    await share(server, {"copy": 1})
    for url in (f"{PAGE}#gv={'x' * 23}", f"{PAGE}?utm_source=letter&gv={'x' * 23}", f"{PAGE}#part"):
        assert (await ask(server, url)).json()["total"] == 1
    for url in (f"{PAGE}?id=1", f"{PAGE}/", f"{ORIGIN}/"):
        assert (await ask(server, url)).json() == {"total": 0, "channels": {}}


async def test_a_proven_share_counts_and_a_self_return_does_not(server: Server) -> None:
    visit = await server.visit(channels=["copy", "sms"])
    await server.visit(server.browser("192.0.2.9"), token=visit["tokens"]["copy"])
    await server.visit(token=visit["tokens"]["sms"], own=True)
    assert (await ask(server)).json() == {"total": 1, "channels": {"copy": 1}}


async def test_an_answer_is_good_for_ten_seconds(server: Server) -> None:
    assert (await ask(server)).json()["total"] == 0
    await share(server, {"copy": 1})
    server.clock.now += 9_999
    assert (await ask(server)).json()["total"] == 0
    server.clock.now += 1
    assert (await ask(server)).json()["total"] == 1


async def test_a_cached_response_is_not_sent_again(server: Server) -> None:
    await share(server, {"copy": 1})
    tag = (await ask(server)).headers["etag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}'):
        again = await ask(server, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["access-control-allow-origin"] == "*"
        assert again.headers["cache-control"] == "public, max-age=60"
    await share(server, {"copy": 1})
    server.clock.now += 10_000
    changed = await ask(server, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["total"]) == (200, 2)


@pytest.mark.parametrize(
    ("params", "status", "code", "field"),
    [
        ({}, 422, "invalid", "site url"),
        ({"site": "site-a"}, 422, "invalid", "url"),
        ({"url": PAGE}, 422, "invalid", "site"),
        ({"site": "nobody", "url": PAGE}, 404, "unknown-site", None),
        ({"site": "\0", "url": PAGE}, 404, "unknown-site", None),
        ({"site": "site-a", "url": "https://foreign.example/"}, 422, "invalid", "url"),
        ({"site": "site-a", "url": ""}, 422, "invalid", "url"),
        ({"site": "site-a", "url": f"{ORIGIN}/a\0b"}, 422, "invalid", "url"),
        ({"site": "site-a", "url": "https://me:secret@a.example/"}, 422, "invalid", "url"),
        ({"site": "site-a", "url": f"{ORIGIN}/{'x' * 3_000}"}, 422, "invalid", "url"),
    ],
)
async def test_what_cannot_be_answered(
    server: Server, params: dict[str, str], status: int, code: str, field: str | None
) -> None:
    answer = await server.http.get("/v1/counts", params=params)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert [error["field"] for error in answer.json().get("errors", [])] == (field or "").split()
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-store"
    assert await server.drops() == {}


async def test_a_store_that_is_away_says_so_to_other_origins_too(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StoreError("away")

    monkeypatch.setattr(server.store.quick.shares, "shares_of_page", away)
    answer = await ask(server)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (503, "*")
    assert answer.headers["retry-after"] == "5"


async def test_what_else_is_asked_along_is_ignored(server: Server) -> None:
    assert (await ask(server, _="1700000000")).status_code == 200
    foreign = await ask(server, headers={"Origin": "https://elsewhere.example"})
    assert (foreign.status_code, foreign.headers["access-control-allow-origin"]) == (200, "*")


@pytest.mark.parametrize("server", ["asgi /g"], indirect=True)
async def test_behind_a_prefix_it_stands_below(server: Server) -> None:
    asked = {"site": "site-a", "url": PAGE}
    assert (await server.http.get("/g/v1/counts", params=asked)).json() == {"total": 0, "channels": {}}
    assert (await server.http.get("/v1/counts", params=asked)).status_code == 404
