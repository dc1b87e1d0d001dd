"""Clicks on minted links, on a real store: each counts once, and on no link that is gone."""

from __future__ import annotations

import asyncio

import pytest

from grapevine.domain import ids
from grapevine.domain.channels import CODES
from grapevine.domain.events import Click, Stored, VisitNotFound
from grapevine.domain.tokens import Token
from grapevine.links.minting import mint
from grapevine.links.new_links import check_links
from grapevine.links.schemas import NewLink
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.store.rows import SiteRow
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import EventRecorder
from tests.store.writer.test_batch import NOON, SITE, BatchScene

pytestmark = pytest.mark.anyio

LINK, QR = CODES["link"], CODES["qr"]
KEYS = (b"k" * 32,)


class Scene(BatchScene):
    """A world with a minted link."""

    async def open(self) -> Token:
        row = SiteRow(
            site_id=SITE, key="s", name="s", salt="00" * 16, param="gv", place="auto", query="*", created_at=NOON,
            origins=("https://a.example",),
        )  # fmt: skip
        site = Site(row, KEYS)
        wanted = await check_links(site, [NewLink(url="https://a.example/x")], NOON, is_list=False)
        (link,) = await mint(self.store, Nonces(b"n" * 32), site, wanted, NOON, "nonce")
        return Token(link.visit_id, LINK, 0)

    async def clicks(self) -> list[tuple[int, ...]]:
        return await self.table("SELECT channel, n, clicks, clicked_at FROM link_clicks ORDER BY 1, 2")


def click(token: Token, nonce: int, at: int = NOON) -> Click:
    return Click(site_id=SITE, token=token, nonce=f"{nonce:016}", at=at)


async def test_each_click_counts_once_by_its_token(store: Store) -> None:
    world = Scene(store)
    token = await world.open()
    scan, place = token._replace(channel=QR), token._replace(n=3)
    events = [click(token, 1, NOON + 9), click(token, 2, NOON + 5), click(scan, 3), click(place, 4), click(token, 1)]
    outcomes = await world.play(*events)
    assert outcomes == [Stored()] * 4 + [Stored(duplicate=True)]
    assert await world.clicks() == [(LINK, 0, 2, NOON + 9), (LINK, 3, 1, NOON), (QR, 0, 1, NOON)]
    assert await world.play(*events) == [Stored(duplicate=True)] * 5  # a batch whose commit was not heard of
    assert await world.play(click(token, 5, NOON + 7), click(token, 6, NOON + 11)) == [Stored()] * 2
    assert await world.clicks() == [(LINK, 0, 4, NOON + 11), (LINK, 3, 1, NOON), (QR, 0, 1, NOON)]
    assert await world.totals() == {}  # a click is no visit, no view, no share


async def test_clicks_on_what_is_no_link_are_none(store: Store) -> None:
    world = Scene(store)
    token = await world.open()
    visit = await world.land(world.arrival())
    gone = Token(ids.pack(2400, 1, 1), LINK, 0)
    events = [click(Token(visit.visit_id, LINK, 0), 1), click(gone, 2), click(token, 3)]
    assert await world.play(*events) == [VisitNotFound(), VisitNotFound(), Stored()]
    assert await world.clicks() == [(LINK, 0, 1, NOON)]


async def test_concurrent_batches_lose_no_click(store: Store) -> None:
    world, other = Scene(store), Scene(store, EventRecorder(store, Nonces(b"n" * 32), 1))
    token = await world.open()
    tokens = [token, token._replace(channel=QR), token._replace(n=1)]
    batches = [
        each.play(*(click(tokens[(number + turn) % 3], 1_000 * turn + number) for number in range(30)))
        for turn, each in enumerate([world, other] * 5)
    ]
    await asyncio.gather(*batches)
    assert sorted(row[2] for row in await world.clicks()) == [100, 100, 100]
