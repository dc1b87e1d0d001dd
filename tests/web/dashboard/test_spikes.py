"""The Overview's spikes: those of the period, the newest first, as the API has them; nothing where there is none."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from grapevine.domain import ids
from grapevine.domain.urls import page_id
from grapevine.store.repositories.spikes import SpikeRow
from grapevine.store.rows import SiteRow
from grapevine.web.dashboard.views import SPIKE_ROWS
from grapevine.webhooks.signing import event
from tests.support.in_process_server import NOON, ORIGIN, Server
from tests.web.dashboard.dashboard_browser import page, signed_in

pytestmark = pytest.mark.anyio

HEAD = ["Page, when", "Returns in the hour", "Expected", "Times"]
MINUTE_MS = 60_000


async def raise_one(
    server: Server, path: str, at: int, *, lasted: int = 0, returns: int = 52, expected: float = 2.1, peak: int = 0,
    site_id: int = 1,
) -> None:  # fmt: skip
    page = page_id(site_id, f"{ORIGIN}{path}")
    spike = SpikeRow(page_id=page, started_at=at, last_at=at, returns=returns, expected=expected, peak=returns)
    published = event(site_id, "spike.detected", at, {})
    assert await server.store.spikes.raise_spike(site_id, spike, published, lambda: "msg_1")
    await server.store.spikes.prolong(site_id, page, at, at + lasted, peak)


async def test_none_are_not_shown(server: Server) -> None:
    await server.visit(url=f"{ORIGIN}/read")
    found = await page(await signed_in(server), "/")
    assert "Spikes" not in found.tables
    assert "spikes" not in found.values("section", "aria-labelledby")


async def test_those_of_the_period_stand_in_a_table(server: Server) -> None:
    await server.visit(url=f"{ORIGIN}/read")
    await server.visit(url=f"{ORIGIN}/other")
    await raise_one(
        server, "/read", NOON - 2 * ids.DAY_MS, lasted=135 * MINUTE_MS, returns=1_052, expected=2.104, peak=1_070
    )
    await raise_one(server, "/other", NOON - 5 * MINUTE_MS, expected=0.001)
    await raise_one(server, "/gone", NOON - 3 * ids.DAY_MS, returns=40, expected=12.0)
    await raise_one(server, "/read", NOON - 40 * ids.DAY_MS)
    await server.store.sites.add_site(
        SiteRow(
            site_id=2,
            key="b",
            name="B",
            salt="00" * 16,
            param="gv",
            place="auto",
            query="*",
            created_at=0,
            origins=("https://b.example",),
        )
    )
    await raise_one(server, "/read", NOON, site_id=2)
    client = await signed_in(server)
    found = await page(client, "/")
    assert found.tables["Spikes"] == [
        HEAD,
        ["/other5 Nov 2026, 11:55, not over yet", "52", "<0.01", "–"],
        ["/read3 Nov 2026, 12:00, for 2\u202fh 15\u202fmin", "1\u202f052peak 1\u202f070", "2.10", "×501"],
        ["erased2 Nov 2026, 12:00, for minutes", "40", "12.00", "×3.3"],
    ]
    assert f"/?{urlencode({'page': f'{ORIGIN}/read'})}" in found.values("a", "href")
    old = await page(client, "/?days=90")
    assert sum(len(old.tables[caption]) - 1 for caption in ("Spikes", "Earlier spikes")) == 4


async def test_filters(server: Server) -> None:
    await server.visit(url=f"{ORIGIN}/read")
    await server.visit(url=f"{ORIGIN}/other")
    await raise_one(server, "/read", NOON - ids.HOUR_MS)
    await raise_one(server, "/other", NOON - 2 * ids.HOUR_MS)
    client = await signed_in(server)
    found = await page(client, f"/?page={ORIGIN}/other")
    assert [row[0].partition("5 Nov")[0] for row in found.tables["Spikes"]] == ["Page, when", "/other"]
    assert "Spikes" not in (await page(client, "/?source=direct-deep")).tables


async def test_many_are_folded_away(server: Server) -> None:
    await server.visit(url=f"{ORIGIN}/read")
    for day in range(1, SPIKE_ROWS + 4):
        await raise_one(server, "/read", NOON - day * 2 * ids.DAY_MS)
    found = await page(await signed_in(server), "/")
    assert len(found.tables["Spikes"]) == SPIKE_ROWS + 1
    assert len(found.tables["Earlier spikes"]) == 4
    assert "3 earlier spikes" in found.text
