"""Each part of a minted link that is lost is found by the recount, and nothing else."""

from __future__ import annotations

import pytest

from grapevine.domain import ids
from tests.store.databases import Databases
from tests.store.doctor.damaged_worlds import planted
from tests.store.world import FIRST_DAY, LINK, SITE
from tests.support.differences import Differences

pytestmark = pytest.mark.anyio


async def test_minted_links_that_lost_a_part(databases: Databases) -> None:
    differences = Differences()
    link = ids.pack(FIRST_DAY, 5, 9)
    of_it = f"WHERE (site_id, visit_id) = ({SITE}, {link})"
    rows = f"VALUES ({SITE}, {link}, {ids.cell_of(link)}"
    visit = "site_id, visit_id, cell, nonce_check, at, next_view, page_id, source, device, depth, flags"
    named = "site_id, visit_id, cell, channel, url, places, keep, created_at"
    damages: tuple[tuple[str, dict[str, tuple[int, int]]], ...] = (
        (f"INSERT INTO visits ({visit}) {rows}, 0, 0, 1, 1, {LINK}, 0, 0, 0)", {"link": (0, 1)}),
        (f"INSERT INTO links ({named}) {rows}, 1, 'https://example.org/', '', 0, 0)", {}),
        (f"INSERT INTO link_clicks {rows}, 1, 0, 5, 0)", {}),
        (f"INSERT INTO link_names VALUES ({SITE}, 1, 17, 3, {link})", {"names": (1, 0)}),
        (f"UPDATE links SET external_id = 'contact', word = 'wine' {of_it}", {"word": (0, 1)}),
        (f"INSERT INTO link_words VALUES (5, 1, {SITE}, {link}, NULL)", {}),
        (f"DELETE FROM link_names {of_it}", {"names": (0, 1)}),
        (f"UPDATE links SET external_id = NULL {of_it}", {}),
        (f"DELETE FROM links {of_it}", {"link": (0, 1), "word": (1, 0), "clicks": (1, 0)}),
        (f"UPDATE link_words SET visit_id = NULL, freed_at = 1 {of_it}", {"link": (0, 1), "clicks": (1, 0)}),
        (f"DELETE FROM link_clicks {of_it}", {"link": (0, 1)}),
        (f"DELETE FROM visits {of_it}", {}),
    )
    async with planted(databases, 1) as filled:
        for damage, expected in damages:
            assert await filled.change(damage) == 1
            found = (await filled.recount()).get("links")
            with differences.case(damage):
                shown = {one.measure: (one.stored, one.counted) for one in found.differences} if found else {}
                assert shown == expected
                assert {one.key for one in found.differences} == {(("visit", link),)} if found else not expected
    differences.check(len(damages))
