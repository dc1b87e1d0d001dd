"""Summaries of campaigns: one at a time, few wait, and nobody's sums are older than the question."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from grapevine.analytics import links
from grapevine.analytics.links import CampaignSummary, campaign_summary
from grapevine.errors import CutOff
from grapevine.web import campaign_summaries
from grapevine.web.campaign_summaries import MOST_AT_ONCE, RETRY_SECONDS
from tests.support.in_process_server import Server
from tests.web.api.test_read_api import refused, with_key
from tests.web.dashboard.dashboard_browser import page, signed_in
from tests.web.dashboard.test_links import LIST, make

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 30


async def test_one_is_read_at_a_time_and_few_wait(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    began, may_end, running = asyncio.Event(), asyncio.Event(), list[int]()
    await make(server, campaign="may")
    await make(server, campaign="june")
    reader, dashboard = await with_key(server, "reader"), await signed_in(server)

    async def slow(*arguments: Any) -> CampaignSummary:
        running.append(running[-1] + 1 if running else 1)
        began.set()
        await may_end.wait()
        return await campaign_summary(*arguments)

    monkeypatch.setattr(campaign_summaries, "campaign_summary", slow)

    def asked(campaign: str) -> asyncio.Task[httpx.Response]:
        return asyncio.create_task(reader.get("/v1/links/summary", campaign=campaign))

    calls = [asked("may")]
    await asyncio.wait_for(began.wait(), PATIENCE_SECONDS)
    await make(server, campaign="may")  # after the first call began: all that wait must see it
    calls += [asked("may") for _ in range(MOST_AT_ONCE + 2)]
    refusals = set[asyncio.Task[httpx.Response]]()
    while len(refusals) < 3:
        done, _ = await asyncio.wait(
            set(calls) - refusals, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        assert done
        refusals |= done
    for refusal in refusals:
        assert refused(await refusal)[:2] == (503, "busy")
        assert (await refusal).headers["Retry-After"] == str(RETRY_SECONDS)
    shown = await page(dashboard, "/links?campaign=may")
    assert len(shown.tables[LIST]) == 3
    assert "The server adds up other campaigns right now." in shown.text
    assert len(running) == 1
    may_end.set()
    assert [(await each).json()["links"] for each in calls if each not in refusals] == [2] * MOST_AT_ONCE
    assert len(running) == 2  # those that waited shared one
    assert (await asked("june")).json()["links"] == 1
    assert "Links 2 in this campaign" in (await page(dashboard, "/links?campaign=may")).text
    assert len(running) == 4
    assert server.state.campaign_summaries.refused == 4


async def test_a_campaign_that_is_too_large_is_a_list_without_sums(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make(server, campaign="may")
    monkeypatch.setattr(links, "MOST_OF_CAMPAIGN", 0)
    reader = await with_key(server, "reader")
    assert refused(await reader.get("/v1/links/summary", campaign="may")) == (422, "invalid", ["campaign"])
    shown = await page(await signed_in(server), "/links?campaign=may")
    assert len(shown.tables[LIST]) == 2
    assert "A campaign of more than 250,000 links is not added up" in shown.text


async def test_that_of_a_client_who_left_ends(server: Server) -> None:
    await make(server, campaign="may")
    site = await server.state.sites.by_key("site-a")

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert site is not None
    with pytest.raises(CutOff):
        await server.state.campaign_summaries.read(Request({"type": "http"}, receive), site, "may")
