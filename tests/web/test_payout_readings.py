"""Pay-outs: one period is read at a time, few wait, and the pages of a list are cut from one reading for a minute."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from grapevine.domain.periods import Period
from grapevine.errors import CutOff
from grapevine.referrals.payouts import PayoutReading, Question, read_payouts
from grapevine.referrals.terms import Terms
from grapevine.web import payout_readings
from grapevine.web.payout_readings import KEPT_MS, MOST_AT_ONCE, RETRY_SECONDS
from tests.support.in_process_server import Server
from tests.web.api.test_payouts import Shop
from tests.web.api.test_read_api import refused, with_key

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 30


@pytest.fixture
async def shop(server: Server) -> Shop:
    """Three referrers with a purchase each."""
    await with_key(server, "secret", scope="admin")
    shop = Shop(server)
    for name in ("Ada", "Bo", "Cy"):
        await shop.paid((await shop.reader(await shop.link(name)))["visit"], name, "10")
    return shop


async def test_one_is_read_at_a_time_and_few_wait(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    began, may_end, running = asyncio.Event(), asyncio.Event(), list[int]()

    async def slow(*arguments: Any) -> PayoutReading:
        running.append(len(running))
        began.set()
        await may_end.wait()
        return await read_payouts(*arguments)

    monkeypatch.setattr(payout_readings, "read_payouts", slow)

    def asked() -> asyncio.Task[httpx.Response]:
        headers = {"Authorization": "Bearer secret"}
        return asyncio.create_task(shop.server.http.get("/v1/payouts", params={"hold": 0}, headers=headers))

    calls = [asked()]
    await asyncio.wait_for(began.wait(), PATIENCE_SECONDS)
    calls += [asked() for _ in range(MOST_AT_ONCE + 2)]
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
    assert len(running) == 1
    may_end.set()
    answers = [(await each).json()["conversions"] for each in calls if each not in refusals]
    assert answers == [3] * MOST_AT_ONCE
    assert len(running) == 2  # those that waited shared one
    assert shop.server.state.payout_readings.refused == 3


async def test_pages_are_cut_from_one_reading_for_a_minute(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    read = list[str]()

    async def counted(*arguments: Any) -> PayoutReading:
        read.append("")
        return await read_payouts(*arguments)

    monkeypatch.setattr(payout_readings, "read_payouts", counted)
    first = await shop.owed(hold=0, limit=1)
    await shop.paid((await shop.reader(await shop.link("Bob")))["visit"], "B-1", "10")
    second = await shop.owed(hold=0, limit=1, cursor=first["next"])
    assert (len(read), second["referrers"][0]["external_id"], second["conversions"]) == (1, "Bo", 3)
    assert (await shop.owed(hold=0, limit=1))["conversions"] == 4  # a new list is read anew
    shop.server.clock.now += KEPT_MS + 1
    third = await shop.owed(hold=0, limit=1, cursor=second["next"])
    assert (len(read), third["referrers"][0]["external_id"]) == (3, "Bob")
    monkeypatch.setattr(payout_readings, "MOST_KEPT", 1)
    fourth = await shop.owed(hold=0, limit=2)
    await shop.owed(hold=0, limit=2, cursor=fourth["next"])
    assert len(read) == 5  # too many referrers to be kept


async def test_that_of_a_client_who_left_ends(shop: Shop) -> None:
    site = await shop.server.state.sites.by_key("site-a")

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert site is not None
    today = Question(period=Period.ending(shop.server.clock.now), terms=Terms().checked())
    with pytest.raises(CutOff):
        await shop.server.state.payout_readings.page(Request({"type": "http"}, receive), site, today, 10, None)
