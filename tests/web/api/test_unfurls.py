"""``POST /v1/unfurls``: what a site's own server saw is recorded once, and only of preview robots and assistants."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from grapevine.domain import ids
from grapevine.domain.periods import rfc3339
from grapevine.web.agent_readings import MOST_AT_ONCE, RETRY_SECONDS
from grapevine.writer.queue import FairQueue
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.support.user_agents import CHROME
from tests.web.api.test_read_api import KeyClient, refused, three_people, with_key

pytestmark = pytest.mark.anyio

SLACK = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
CHATGPT = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot"
NOT_RECORDED = ["", CHROME, "curl/8.5.0", "Mozilla/5.0 (compatible; GPTBot/1.2)", "Googlebot/2.1", "\x00", "é" * 5_000]


@pytest.fixture
async def writer(server: Server) -> KeyClient:
    return await with_key(server, "writer", scope="write")


async def report(writer: KeyClient, *unfurls: dict[str, Any]) -> list[dict[str, Any]]:
    response = await writer.http.post("/v1/unfurls", content=msgspec.json.encode({"unfurls": unfurls}))
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    assert [each["token"] for each in results] == [each["token"] for each in unfurls]
    return results


def said(results: list[dict[str, Any]]) -> list[str | None]:
    for each in results:
        assert (each["app"] is None) == (each["error"] is not None) == (each["detail"] is not None)
    return [each["app"] or each["error"] for each in results]


@BOTH_BACKENDS
async def test_previews_and_assistants_are_recorded_once_an_hour_and_nothing_else_changes(
    server: Server, writer: KeyClient
) -> None:
    first, friend, _ = await three_people(server)
    reader = await with_key(server, "reader")
    token, other = first["tokens"]["copy"], friend["tokens"]["whatsapp"]
    before = await reader.json("/v1/stats/summary")
    tagged = f"{token}.&utm_source=x"  # what hangs on a token belongs to it
    hour_ago = rfc3339(server.clock.now - ids.HOUR_MS)
    sent = [
        {"token": token, "agent": SLACK}, {"token": token, "agent": CHATGPT}, {"token": token, "agent": SLACK},
        {"token": tagged, "agent": SLACK, "at": hour_ago}, {"token": other, "agent": SLACK + " " + "x" * 600},
        *({"token": token, "agent": agent} for agent in NOT_RECORDED),
    ]  # fmt: skip
    for results in (await report(writer, *sent), await report(writer, *sent)):
        assert said(results) == ["slack", "chatgpt", "slack", "slack", "slack", *["invalid"] * len(NOT_RECORDED)]
        assert [each["assistant"] for each in results[:3]] == [False, True, False]
        assert results[6]["detail"] == (
            "`agent` is that of a browser or a program, neither a preview robot nor an assistant that is known"
        )
    rows = "SELECT app, count(*) FROM unfurls GROUP BY app ORDER BY app"
    assert await server.store.look(rows) == [("chatgpt", 1), ("slack", 3)]
    assert (await reader.json(f"/v1/tokens/{token}"))["share"]["unfurls"] == {"chatgpt": 1, "slack": 2}
    assert await reader.json("/v1/stats/summary") == before | {"unfurls": {"slack": 3, "chatgpt": 1}}
    assert server.state.collect_api.accepted["unfurls"] == 10


async def test_what_cannot_be_is_refused_in_its_place(server: Server, writer: KeyClient) -> None:
    await server.add_site("site-b", "https://b.example")
    now, visit = server.clock.now, await server.visit()
    foreign = await server.visit(server.browser(Origin="https://b.example"), site="site-b", url="https://b.example/")
    (lost,) = (await server.state.sites.all())[0].tokens.mint(ids.pack(2500, 1, 1), [0])
    token, day = visit["tokens"]["copy"], ids.DAY_MS
    flipped = token[:-1] + ("0" if token[-1] != "0" else "1")
    (old,) = (await server.state.sites.all())[0].tokens.mint(ids.pack(2000, 1, 1), [0])
    cases = [
        (token, rfc3339(now), "slack"), (token, rfc3339(now + 50_000), "slack"),  # clocks may be a minute apart
        (token, rfc3339(now + 70_000), "invalid"), (token, rfc3339(now - 3 * day), "invalid"),
        (token, "yesterday", "invalid"), (token, "2026-02-30T00:00:00Z", "invalid"), (token, "", "invalid"),
        (old, rfc3339(now - 420 * day), "invalid"), (old, rfc3339(now), "unknown-visit"),
        (lost, rfc3339(now), "unknown-visit"), (foreign["tokens"]["copy"], None, "bad-signature"),
        (visit["session"], None, "not-a-token"), ("", None, "not-a-token"), ("\x00", None, "not-a-token"),
        (flipped, None, "bad-signature"), (token, None, "slack"),
    ]  # fmt: skip
    results = await report(
        writer, *({"token": text, "agent": SLACK} | ({"at": at} if at is not None else {}) for text, at, _ in cases)
    )
    assert said(results) == [expected for _, _, expected in cases]
    assert results[7]["detail"] == "`at` is past retention: this server keeps 400 days"
    assert await server.store.look("SELECT count(*) FROM unfurls") == [(1,)]


async def test_only_a_key_that_may_write_reports_and_no_more_than_a_thousand(server: Server, writer: KeyClient) -> None:
    token = (await server.visit())["tokens"]["copy"]
    body = {"unfurls": [{"token": token, "agent": SLACK}]}
    assert (await server.http.post("/v1/unfurls", json=body)).status_code == 401
    assert (await (await with_key(server, "reader")).http.post("/v1/unfurls", json=body)).status_code == 403
    for wrong in (
        {}, {"unfurls": None}, {"unfurls": [{"token": token}]}, {"unfurls": [{"token": token, "agent": 1}]},
        {"unfurls": [{"token": token, "agent": SLACK, "app": "slack"}]},  # the server itself reads the agent
        {"unfurls": [{"token": "x", "agent": ""}] * 1_001},
    ):  # fmt: skip
        assert refused(await writer.http.post("/v1/unfurls", json=wrong))[:2] == (422, "invalid"), wrong
    longest = [{"token": token, "agent": f"{SLACK} {number}" + "y" * 480} for number in range(1_000)]
    assert said(await report(writer, *longest)) == ["slack"] * 1_000
    large = [{"token": token, "agent": "y" * 1_100}] * 1_000
    assert (await writer.http.post("/v1/unfurls", json={"unfurls": large})).status_code == 413
    assert await server.store.look("SELECT count(*) FROM unfurls") == [(1,)]


async def test_a_full_queue_takes_all_of_them_later(server: Server, writer: KeyClient, monkeypatch: Any) -> None:
    token = (await server.visit())["tokens"]["copy"]
    body = {"unfurls": [{"token": token, "agent": agent} for agent in (SLACK, CHATGPT)]}
    with monkeypatch.context() as patched:
        patched.setattr(FairQueue, "add", lambda *_: False)
        response = await writer.http.post("/v1/unfurls", json=body)
        assert refused(response)[:2] == (503, "busy")
    assert said(await report(writer, *body["unfurls"])) == ["slack", "chatgpt"]


async def test_the_agents_of_one_call_are_read_at_a_time_and_few_calls_wait(server: Server, writer: KeyClient) -> None:
    token = (await server.visit())["tokens"]["copy"]
    body = {"unfurls": [{"token": token, "agent": SLACK}]}
    may_end, read, readings = asyncio.Event(), set[int](), server.state.agent_readings

    def slow_agents(call: int) -> Iterator[int]:
        while not may_end.is_set():
            time.sleep(0.001)
            yield call

    calls = [asyncio.create_task(readings.read(read.add, slow_agents(call))) for call in range(MOST_AT_ONCE)]
    while not read:  # noqa: ASYNC110  # the first of them has begun
        await asyncio.sleep(0)
    response = await writer.http.post("/v1/unfurls", json=body)
    assert refused(response)[:2] == (503, "busy")
    assert response.headers["retry-after"] == str(RETRY_SECONDS)
    assert (len(read), readings.refused) == (1, 1)
    may_end.set()
    await asyncio.gather(*calls)
    assert said(await report(writer, *body["unfurls"])) == ["slack"]


async def test_an_assistant_that_follows_a_short_link_is_an_unfurl(server: Server) -> None:
    token = (await server.visit())["tokens"]["copy"]
    for _ in range(2):
        response = await server.http.get(f"/s/{token}", headers={"User-Agent": CHATGPT})
        assert response.headers["location"] == f"{ORIGIN}/#gv-{token}"
    assert await server.store.look("SELECT app FROM unfurls") == [("chatgpt",)]
