"""``kill -9`` while reports with a key replace those of pages: an order has the page's row or the key's, never both.

Five kills in the usual run; 100 more are marked slow.
"""

from __future__ import annotations

import asyncio
import random
from typing import Final

import pytest

from tests.chaos.audit import counts_agree
from tests.chaos.order_load import OrderLoad
from tests.support.server_process import Installation

pytestmark = pytest.mark.anyio

LATEST_SOLD: Final = 25
"""A kill comes at the latest after so many reports of 56, so that the others are on their way or not yet sent."""
LONGEST_DELAY_SECONDS: Final = 0.008
"""A batch takes a few milliseconds. A kill upon a response alone would always hit the beginning of the next batch."""


@pytest.mark.parametrize("kills", [2, pytest.param(100, marks=pytest.mark.slow)])
async def test_killed_while_a_key_replaces_what_pages_reported(installation: Installation, kills: int) -> None:
    load, moments = OrderLoad(installation), random.Random(kills)  # noqa: S311
    for _ in range(kills):
        with installation.serving() as server:
            await load.report_again(server.port)
            load.check()
            async with load.selling(server.port):
                await load.sold(moments.randint(0, LATEST_SOLD))
                await asyncio.sleep(moments.uniform(0, LONGEST_DELAY_SECONDS))
                server.kill()
        load.check()
        await counts_agree(installation)
    assert load.cut > kills  # they were in the middle of it
    with installation.serving() as server:
        await load.report_again(server.port)
        await load.claim_again(server.port)
        assert server.end().status == 0
    assert not load.not_sold
    load.check()
    checked = installation.run("doctor")
    assert checked.status == 0, checked
