"""The writer's counts equal the numbers that the read API computes, over a random day and night."""

from __future__ import annotations

import random
from typing import Any

import pytest

from grapevine.analytics import metrics
from grapevine.analytics.breakdown import breakdown_by
from grapevine.analytics.cascades import list_cascades, read_cascade
from grapevine.analytics.metrics import EVERYTHING, Filters
from grapevine.analytics.summary import period_summary
from grapevine.analytics.token_resolution import resolve_token
from grapevine.domain import ids
from grapevine.domain.periods import Period
from tests.support.in_process_server import ORIGIN, Server
from tests.support.user_agents import CHROME

pytestmark = pytest.mark.anyio

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 "
    "Mobile/15E148 Safari/604.1"
)
FILTERS = (
    EVERYTHING,
    Filters(source="share"),
    Filters(channel="copy"),
    Filters(channel="x", source="share"),
    Filters(page=f"{ORIGIN}/page/1"),
    Filters(device="phone"),
)


async def live(server: Server, seed: int, visits: int) -> None:
    """Visits, shares and returns of all kinds, over two days."""
    chance = random.Random(seed)  # noqa: S311
    tokens: list[str] = []
    for _ in range(visits):
        server.clock.now += chance.randrange(40 * 60_000)
        client = server.browser(f"192.0.2.{chance.randrange(20)}", chance.choice((CHROME, IPHONE)))
        fields: dict[str, Any] = {"url": f"{ORIGIN}/page/{chance.randrange(3)}"}
        if tokens and chance.random() < 0.6:
            fields |= {"token": chance.choice(tokens[-20:]), "own": chance.random() < 0.25}
        elif chance.random() < 0.3:
            fields["referrer"] = "https://www.google.com/"
        answer = await server.visit(client, channels=["copy", "whatsapp", "x"], **fields)
        tokens += answer["tokens"].values()
        if chance.random() < 0.4:
            token = chance.choice(tokens[-20:])
            response = await server.share(token, client, url=f"{ORIGIN}/page/{chance.randrange(3)}")
            tokens.append(response.json()["next"])


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_counts_and_rows_agree(server: Server, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    await live(server, seed, 120)
    site = (await server.state.sites.all())[0]
    reads = server.store.reads
    today = ids.day_at(server.clock.now)

    async def everything() -> list[object]:
        found: list[object] = []
        for period in (Period(ids.day_date(today - 9), ids.day_date(today)), *_days(today)):
            for filters in FILTERS:
                found.append((period, filters, await period_summary(reads, site, period, filters)))
                for by in metrics.DIMENSIONS:
                    rows = await breakdown_by(reads, site, by, period, filters)
                    found.append((period, filters, by, sorted(rows, key=lambda row: str(row.key))))
        return found

    counted = await everything()
    monkeypatch.setattr("grapevine.analytics.count_tables.table_of", lambda *_: None)
    for one, other in zip(counted, await everything(), strict=True):
        assert one == other


def _days(today: int) -> list[Period]:
    return [Period(ids.day_date(day), ids.day_date(day)) for day in range(today - 2, today + 1)]


@pytest.mark.parametrize("seed", [4])
async def test_every_token_that_lived_resolves(server: Server, seed: int) -> None:
    await live(server, seed, 120)
    site = (await server.state.sites.all())[0]
    page = await list_cascades(server.store, site, server.clock.now, limit=200)
    assert page.cascades
    for head in page.cascades:
        tree = await read_cascade(server.store, site, head.root, server.clock.now)
        assert tree.size == len(tree.nodes) == head.size
        assert tree.max_depth == max(node.depth for node in tree.nodes)
        vias = [
            site.tokens.mint(ids.visit_number(node.parent) or 0, (0,))[0]
            for node in tree.nodes
            if node.parent is not None
        ]
        for token in vias:
            resolution = await resolve_token(server.store.reads, site, token)
            assert resolution.chain[0].visit == head.root
            assert [node.depth for node in resolution.chain] == list(range(len(resolution.chain)))
