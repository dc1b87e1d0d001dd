"""Spikes on a real store: what counts, raised once with its event, by one process, and again after a calm day."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from typing import Any

import pytest

from grapevine.analytics.spike_watch import EVENT, LOOK_MS, SpikeWatch
from grapevine.background.leases import LEASE_MS, Leases
from grapevine.domain import ids
from grapevine.domain.channels import CODES
from grapevine.domain.enums import SOURCES
from grapevine.domain.events import VisitEvent, VisitOutcome
from grapevine.domain.tokens import Token
from grapevine.domain.urls import Page, page_id
from grapevine.sites.cache import SiteCache
from grapevine.store.base import Store
from grapevine.store.repositories.spikes import SpikeRow
from grapevine.store.repositories.webhooks import Event, WebhookRow
from grapevine.store.rows import SiteRow
from grapevine.webhooks.signing import event, new_id, new_secret
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import EventRecorder
from tests.store.databases import Database

pytestmark = pytest.mark.anyio

SITE = 7
PAGE = "https://a.example/bread"
DAYS = 8
BEGAN = ids.day_start(2500)
NOON = BEGAN + DAYS * ids.DAY_MS + 12 * ids.HOUR_MS
MINUTE = 60_000


class WatchedSite:
    """A site with a page that two people an hour come back to, watched by as many processes as a test makes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOON
        self.notified = 0
        self._recorder = EventRecorder(store, Nonces(b"n" * 32))
        self._drawn = 0
        self._share: Token | None = None

    async def begin(self) -> None:
        """The site, and its usual days."""
        await self.store.sites.add_site(
            SiteRow(
                site_id=SITE, key="site-a", name="a", salt="00" * 32, param="gv", place="auto", query="*",
                created_at=BEGAN, origins=("https://a.example",),
            )
        )  # fmt: skip
        (first,) = await self.arrive([BEGAN], None)
        self._share = Token(first.visit_id, CODES["copy"], 0)
        await self.arrive(range(BEGAN + MINUTE, NOON, 30 * MINUTE))

    def watch(self, process: str = "one") -> SpikeWatch:
        leases = Leases(self.store.leases, lambda: self.now, process)
        sites = SiteCache(self.store.sites, [b"k" * 32], lambda: self.now)
        return SpikeWatch(self.store, sites, lambda: self.now, leases, secrets.token_bytes, self._hear)

    def _hear(self) -> None:
        self.notified += 1

    async def arrive(
        self, times: Iterable[int], through: Token | str | None = "share", **fields: Any
    ) -> list[VisitOutcome]:
        shared = self._share if through == "share" else through
        events = [self._arrival(at, shared, fields) for at in times]
        return [landed for landed in await self._recorder.record(events) if isinstance(landed, VisitOutcome)]

    async def rush(self, returns: int, **fields: Any) -> list[VisitOutcome]:
        """So many returns in the hour before now."""
        return await self.arrive((self.now - 1 - index * 40_000 for index in range(returns)), **fields)

    def _arrival(self, at: int, token: Any, fields: dict[str, Any]) -> VisitEvent:
        self._drawn += 1
        made: dict[str, Any] = {
            "site_id": SITE, "nonce": f"nonce{self._drawn:011}", "day": ids.day_at(at), "at": at,
            "page": Page(page_id(SITE, PAGE), PAGE, is_home=False), "title": "Bread", "source": SOURCES["search"],
            "device": 1, "app": None, "visitor": 1000 + self._drawn, "visitor_before": -self._drawn, "token": token,
            "reason": None, "own": False,
        }  # fmt: skip
        return VisitEvent(**(made | fields))

    async def endpoint(self) -> str:
        row = WebhookRow(
            new_id("wh", secrets.token_bytes), SITE, "https://hook.example/", new_secret(secrets.token_bytes), EVENT, 0
        )
        await self.store.webhooks.add(row)
        return row.webhook_id

    async def raised(self) -> list[SpikeRow]:
        return await self.store.spikes.raised(SITE, 0, 1 << 60, 100)


@pytest.fixture
async def watched(store: Store) -> WatchedSite:
    made = WatchedSite(store)
    await made.begin()
    return made


async def test_a_spike_is_raised_once_with_its_event(watched: WatchedSite) -> None:
    webhook = await watched.endpoint()
    watch = watched.watch()
    await watched.rush(50)
    watched.now += 7
    assert await watch.look() == 1
    for _ in range(3):
        watched.now += LOOK_MS
        await watched.arrive([watched.now - 1 - index for index in range(10)])
        assert await watch.look() == 0
    (spike,) = await watched.raised()
    assert (spike.page_id, spike.started_at, spike.returns) == (page_id(SITE, PAGE), NOON, 52)
    assert spike.last_at == NOON + 3 * LOOK_MS
    assert spike.peak > spike.returns
    assert 1.5 < spike.expected < 2.5
    assert watched.notified == 1
    (delivery,) = await watched.store.webhooks.deliveries(SITE, webhook, 10)
    payload = json.loads(delivery.payload)
    assert (payload["type"], payload["timestamp"]) == ("spike.detected", "2026-11-13T12:00:00.000Z")
    probability = payload["data"].pop("probability")
    assert 0 < probability < 1e-5
    expected = round(spike.expected, 2)
    assert payload["data"] == {
        "site": "site-a",
        "page": PAGE,
        "at": "2026-11-13T12:00:00.000Z",
        "minutes": 60,
        "returns": 52,
        "expected": expected,
        "times": round(52 / spike.expected, 1),
    }


async def test_what_is_usual_is_not_raised(watched: WatchedSite) -> None:
    assert await watched.watch().look() == 0
    watched.now += 1
    assert await watched.watch("other").look() == 0
    assert await watched.raised() == []


async def test_self_returns_visits_without_a_share_and_visits_of_programs_do_not_count(watched: WatchedSite) -> None:
    await watched.rush(50, own=True)
    await watched.rush(50, through=None)
    assert await watched.watch().look() == 0
    assert await watched.raised() == []


async def test_a_page_without_a_past_has_no_rate_to_rise_above(watched: WatchedSite) -> None:
    new = "https://a.example/new"
    await watched.rush(90, page=Page(page_id(SITE, new), new, is_home=False))
    assert await watched.watch().look() == 0


async def test_a_spike_over_midnight(watched: WatchedSite) -> None:
    watched.now = BEGAN + DAYS * ids.DAY_MS + 10 * MINUTE
    await watched.rush(50)
    assert await watched.watch().look() == 1


async def test_one_process_looks_and_another_takes_over(watched: WatchedSite) -> None:
    one, other = watched.watch("one"), watched.watch("other")
    assert await one.look() == 0
    await watched.rush(50)
    assert await other.look() == 0
    watched.now += LEASE_MS
    assert await other.look() == 1
    assert await one.look() == 0
    assert len(await watched.raised()) == 1


async def test_two_that_think_they_are_alone_raise_it_once(watched: WatchedSite) -> None:
    """As where clocks differ by more than a lease."""
    webhook = await watched.endpoint()
    await watched.rush(50)
    assert await watched.watch("one").look() == 1
    await watched.store.leases.release_lease("spikes", "one")
    watched.now += LOOK_MS - 1
    (spike,) = await watched.raised()
    assert not await watched.store.spikes.raise_spike(SITE, spike, _event(), lambda: "msg_again")
    assert await watched.watch("two").look() == 0
    assert len(await watched.store.webhooks.deliveries(SITE, webhook, 10)) == 1


async def test_spike_and_event_are_stored_together_or_not_at_all(watched: WatchedSite) -> None:
    await watched.endpoint()

    def fail() -> str:
        raise ArithmeticError

    spike = SpikeRow(page_id=page_id(SITE, PAGE), started_at=NOON, last_at=NOON, returns=50, expected=2.0, peak=50)
    with pytest.raises(ArithmeticError):
        await watched.store.spikes.raise_spike(SITE, spike, _event(), fail)
    assert await watched.raised() == []
    assert await watched.store.spikes.raise_spike(SITE, spike, _event(), lambda: "msg_1")


async def test_after_a_calm_day_it_is_another_one(watched: WatchedSite) -> None:
    watch = watched.watch()
    await watched.rush(50)
    assert await watch.look() == 1
    watched.now += 20 * ids.HOUR_MS
    await watched.rush(60)
    assert await watch.look() == 0
    watched.now += 25 * ids.HOUR_MS
    await watched.rush(70)
    assert await watch.look() == 1
    assert [spike.returns for spike in await watched.raised()] == [70, 52]


async def test_returns_by_hour(watched: WatchedSite) -> None:
    page = page_id(SITE, PAGE)
    assert await watched.store.spikes.returns(SITE, [page, 5], NOON, 3) == {page: [2, 2, 2], 5: [0, 0, 0]}
    assert await watched.store.spikes.returns(SITE, [], NOON, 2) == {}


async def test_visits_that_a_verdict_took_out_do_not_count(database: Database) -> None:
    store = database.store()
    await store.open()
    watched = WatchedSite(store)
    await watched.begin()
    await watched.rush(50)
    await database.change("UPDATE visits SET verdict = 2 WHERE at > ?", NOON - ids.HOUR_MS)
    assert await watched.watch().look() == 0
    await store.close()


def _event() -> Event:
    return event(SITE, EVENT, NOON, {})
