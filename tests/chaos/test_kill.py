"""``kill -9`` under load: every acknowledged event is stored, a repeated one only once, and so is each webhook of it.

8 kills in the usual run; 100 more are marked slow.
"""

from __future__ import annotations

import json
import random

import pytest

from grapevine.domain import channels, ids
from tests.chaos.audit import holds, settled
from tests.chaos.widget_load import WidgetLoad
from tests.support.server_process import Installation

pytestmark = pytest.mark.anyio

NOWHERE = (
    "INSERT INTO webhooks (webhook_id, site_id, url, secret, events, created_at) "
    "VALUES ('wh_1', 1, 'https://127.0.0.1/', 'whsec_AAAA', 'share.proven', 0)"
)
"""An endpoint whose events are written and stay: nothing is sent to an address of this machine."""
SLOW = [pytest.param(number, 20, marks=pytest.mark.slow) for number in range(1, 6)]


@pytest.mark.parametrize(("number", "rounds"), [(0, 8), *SLOW])
async def test_killed_under_load(installation: Installation, number: int, rounds: int) -> None:
    load = WidgetLoad(installation.site, f"killed-{number}")
    with installation.serving() as server:  # makes the database
        assert server.end().status == 0
    await installation.change(NOWHERE)
    moments = random.Random(number)  # noqa: S311
    for _ in range(rounds):
        with installation.serving() as server:
            await load.settle(server.port)
            async with load.on(server.port):
                await load.reached(acknowledged=moments.randint(1, 40))
                server.kill()
    assert load.cut > rounds  # they were in the middle of it
    holds(installation.database, load)
    with installation.serving() as server:
        await load.settle(server.port)
        assert server.end().status == 0
    settled(installation.database, load)
    proven = await installation.rows("SELECT visit_id, channel, n FROM shares WHERE proven_at IS NOT NULL")
    events = [json.loads(payload)["data"] for (payload,) in await installation.rows("SELECT payload FROM deliveries")]
    told = [(ids.visit_number(each["visit"]), channels.CODES[each["channel"]], each["n"]) for each in events]
    assert sorted(told) == sorted(proven)
    assert len(proven) > rounds
