"""``ETag`` and ``If-None-Match``: who asks again is told when nothing has changed."""

from __future__ import annotations

import pytest

from tests.support.in_process_server import Server
from tests.web.api.test_read_api import KeyClient, refused, with_key

pytestmark = pytest.mark.anyio

SUMMARY = "/v1/stats/summary"
ASKED_AGAIN = (
    SUMMARY, "/v1/stats/series?metric=visits", "/v1/stats/breakdown?by=page", "/v1/stats/direct",
    "/v1/stats/rates?by=page", "/v1/spikes",
    "/v1/attribution?model=first", "/v1/cascades", "/v1/webhooks", "/v1/sites", "/v1/sites/site-a", "/v1/keys",
)  # fmt: skip


@pytest.fixture
async def asker(server: Server) -> KeyClient:
    return await with_key(server, "asker", scope="admin")


async def test_who_asks_again_gets_an_answer_without_a_body(server: Server, asker: KeyClient) -> None:
    await server.visit()
    for path in ASKED_AGAIN:
        first = await asker.get(path)
        assert first.status_code == 200, path
        tag = first.headers["etag"]
        assert len(tag) == 34
        for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await asker.http.get(path, headers={"If-None-Match": given})
            assert (again.status_code, again.content) == (304, b""), (path, given)
            assert "content-type" not in again.headers
            for name in ("etag", "cache-control", "vary"):
                assert again.headers[name] == first.headers[name]
        assert first.headers["cache-control"] == "private, no-cache"
        assert first.headers["vary"] == "Authorization"
        for given in (tag[1:-1], '"other"', ""):
            again = await asker.http.get(path, headers={"If-None-Match": given})
            assert (again.status_code, again.content) == (200, first.content)
        head = await asker.http.head(path)
        assert (head.status_code, head.headers["etag"]) == (200, tag)
        assert (await asker.http.head(path, headers={"If-None-Match": tag})).status_code == 304


async def test_a_change_changes_the_tag(server: Server, asker: KeyClient) -> None:
    before = (await asker.get(SUMMARY)).headers["etag"]
    await server.visit()
    answer = await asker.http.get(SUMMARY, headers={"If-None-Match": before})
    assert answer.status_code == 200
    assert answer.headers["etag"] != before


async def test_a_tag_opens_nothing(server: Server, asker: KeyClient) -> None:
    """Neither a key that reaches less, nor none, is told whether a tag is another's answer."""
    await server.visit()
    await server.add_site("site-b", "https://b.example")
    tag = (await asker.get(SUMMARY)).headers["etag"]
    other = await with_key(server, "other", site_id=2)
    assert (await other.http.get(SUMMARY, headers={"If-None-Match": tag})).status_code == 200
    refusal = await other.http.get(SUMMARY, params={"site": "site-a"}, headers={"If-None-Match": "*"})
    assert refused(refusal)[:2] == (403, "forbidden")
    assert "etag" not in refusal.headers
    nobody = await server.http.get(SUMMARY, headers={"If-None-Match": "*"})
    assert refused(nobody)[:2] == (401, "unauthorized")


async def test_what_makes_something_and_files_have_none(asker: KeyClient) -> None:
    for answer in (
        await asker.http.post("/v1/keys", json={"scope": "read"}, headers={"If-None-Match": "*"}),
        await asker.http.get("/v1/export/visits?format=csv", headers={"If-None-Match": "*"}),
    ):
        assert answer.status_code in (200, 201)
        assert "etag" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
