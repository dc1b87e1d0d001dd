"""A server with many sites: each one's cascades begin in its own cells, and its tokens are known wherever they come."""

from __future__ import annotations

import pytest

from grapevine.domain import ids
from grapevine.store.rows import SiteRow
from tests.support.in_process_server import NOON, Server

pytestmark = pytest.mark.anyio

SITES = 12


@pytest.fixture
async def many(server: Server) -> Server:
    """A server with twelve sites, the first of which has `https://a.example`."""
    for number in range(2, SITES + 1):
        await server.add_site(f"site-{number}", f"https://site{number}.example")
    return server


def page(number: int) -> dict[str, str]:
    return {"site": f"site-{number}", "url": f"https://site{number}.example/page"}


async def test_a_site_has_two_cells_and_its_returns_stay_in_that_of_their_root(many: Server) -> None:
    client = many.browser(Origin="https://site9.example")
    own = {ids.cell_of_site(9, ids.SITE_CELLS, number) for number in range(ids.SITE_CELLS)}
    visits = [await many.visit(client, **page(9)) for _ in range(20)]
    assert {ids.cell_of(ids.visit_number(visit["visit"]) or 0) for visit in visits} == own
    root = visits[0]
    friend = await many.visit(client, **page(9), token=root["tokens"]["copy"])
    assert friend["returned"] == {"valid": True, "depth": 1, "self": False, "same_network": True, "channel": "copy"}
    assert ids.cell_of(ids.visit_number(friend["visit"]) or 0) == ids.cell_of(ids.visit_number(root["visit"]) or 0)


async def test_the_first_sites_begin_everywhere(many: Server) -> None:
    client = many.browser(Origin="https://site3.example")
    visits = [await many.visit(client, **page(3)) for _ in range(20)]
    assert len({ids.cell_of(ids.visit_number(visit["visit"]) or 0) for visit in visits}) > 10


@pytest.mark.parametrize("number", [2, 5, SITES])
async def test_a_token_of_another_site_is_told_from_a_forged_one(many: Server, number: int) -> None:
    other = many.browser(Origin=f"https://site{number}.example")
    token = (await many.visit(other, **page(number)))["tokens"]["copy"]
    client = many.browser(Origin="https://site9.example")
    assert (await many.visit(client, **page(9), token=token))["returned"]["reason"] == "unknown-site-token"
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    assert (await many.visit(client, **page(9), token=forged))["returned"]["reason"] == "bad-signature"
    assert (await many.http.get(f"/s/{token}")).status_code == 302
    assert (await many.http.get(f"/s/{forged}")).status_code == 404
    assert (await many.http.get(f"/about/{token}")).status_code == 200
    assert (await many.http.get(f"/s/{token}/qr.svg")).status_code == 200


async def test_links_of_a_site_from_before_its_cells_stay_good(many: Server) -> None:
    await many.store.sites.add_site(
        SiteRow(
            site_id=99,
            key="old",
            name="Old",
            salt="99" * 32,
            param="gv",
            place="auto",
            query="*",
            created_at=NOON,
            origins=("https://old.example",),
            cells=ids.CELLS,
        )
    )
    many.clock.now += 1_000
    site = await many.state.sites.by_key("old")
    assert site is not None
    for cell in range(0, ids.CELLS, 97):
        token = site.tokens.mint(ids.pack(2400, cell, 7), [0])[0]
        assert (await many.http.get(f"/s/{token}")).headers["location"].startswith("https://old.example/")
