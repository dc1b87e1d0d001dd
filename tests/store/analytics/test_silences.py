"""Silences on a real store: told once with their event, by one process that has watched, and again after visits."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from grapevine.analytics.silence_watch import EVENT, SilenceWatch
from grapevine.background.leases import LEASE_MS, Leases
from grapevine.domain import ids
from grapevine.sites.cache import SiteCache
from grapevine.store.base import Store
from grapevine.store.repositories.webhooks import WebhookRow
from grapevine.webhooks.signing import event, new_id, new_secret
from tests.store.analytics.test_spikes import BEGAN, SITE, WatchedSite

pytestmark = pytest.mark.anyio

QUIET_FROM = BEGAN + 12 * ids.DAY_MS
HOUR = ids.HOUR_MS


class Silent(WatchedSite):
    """A site with three visits an hour until ``QUIET_FROM``, and an endpoint for silences."""

    async def begin(self) -> None:
        await super().begin()
        self.now = QUIET_FROM
        await self.arrive(range(BEGAN, QUIET_FROM, 20 * 60_000), None)
        row = WebhookRow("wh_1", SITE, "https://hook.example/", new_secret(secrets.token_bytes), EVENT, 0)
        await self.store.webhooks.add(row)

    def silence_watch(self, process: str = "one") -> SilenceWatch:
        leases = Leases(self.store.leases, lambda: self.now, process)
        sites = SiteCache(self.store.sites, [b"k" * 32], lambda: self.now)
        return SilenceWatch(self.store, sites, lambda: self.now, leases, secrets.token_bytes, self._hear)

    async def told(self) -> list[dict[str, Any]]:
        rows = await self.store.webhooks.deliveries(SITE, "wh_1", 10)
        return [json.loads(row.payload)["data"] for row in rows]


@pytest.fixture
async def silent(store: Store) -> Silent:
    made = Silent(store)
    await made.begin()
    return made


async def test_a_silence_is_told_once_ends_with_a_visit_and_the_next_one_is_told_too(silent: Silent) -> None:
    watch = silent.silence_watch()
    looks = []
    for _ in range(9):
        silent.now += HOUR
        looks.append(await watch.look())
    assert looks == [0, 0, 0, 0, 0, 1, 0, 0, 0]
    assert silent.notified == 1
    (data,) = await silent.told()
    expected, usual = data.pop("expected"), data.pop("visits_a_day")
    assert 18 <= expected <= 32
    assert 72 <= usual <= 130
    assert data == {
        "site": "site-a", "since": "2026-11-17T00:00:00.000Z", "hours": 6, "at": "2026-11-17T06:00:00.000Z",
    }  # fmt: skip
    assert await silent.store.silences.lasting() == {SITE: QUIET_FROM}
    await silent.arrive([silent.now + 60_000], None)
    silent.now += HOUR
    assert await watch.look() == 0
    assert await silent.store.silences.lasting() == {}
    assert await silent.store.silences.told(SITE, 0) == [(QUIET_FROM, QUIET_FROM + 9 * HOUR)]
    silent.now += 6 * HOUR
    assert await watch.look() == 1
    assert [one["since"] for one in await silent.told()] == ["2026-11-17T10:00:00.000Z", "2026-11-17T00:00:00.000Z"]


async def test_a_server_that_was_away_says_nothing_of_that_time(silent: Silent) -> None:
    silent.now += 20 * HOUR
    watch = silent.silence_watch()
    assert await watch.look() == 0
    for hour in range(1, 7):
        silent.now += HOUR
        assert await watch.look() == (hour == 6)
    (data,) = await silent.told()
    assert (data["since"], data["hours"]) == ("2026-11-17T20:00:00.000Z", 6)
    # Neither the part that was told nor what went before it is a usual gap: the next silence is told as soon.
    await silent.arrive([silent.now + 60_000], None)
    for hour in range(1, 8):
        silent.now += HOUR
        assert await watch.look() == (hour == 7)


async def test_several_processes_tell_it_once(silent: Silent) -> None:
    one, other = silent.silence_watch("one"), silent.silence_watch("other")
    assert await one.look() == 0
    silent.now += 7 * HOUR
    assert LEASE_MS < 7 * HOUR
    assert await other.look() == 1
    assert await one.look() == 0
    await silent.store.leases.release_lease("silences", "other")
    assert await one.look() == 0
    again = event(SITE, EVENT, silent.now, {"site": "site-a"})
    draw = lambda: new_id("msg", secrets.token_bytes)  # noqa: E731
    assert not await silent.store.silences.begin(SITE, QUIET_FROM, again, draw)
    assert len(await silent.told()) == 1


async def test_silence_and_event_are_stored_together_or_not_at_all(silent: Silent) -> None:
    def fail() -> str:
        raise ArithmeticError

    told = event(SITE, EVENT, silent.now, {"site": "site-a"})
    with pytest.raises(ArithmeticError):
        await silent.store.silences.begin(SITE, QUIET_FROM, told, fail)
    assert await silent.store.silences.lasting() == {}
    assert await silent.told() == []
