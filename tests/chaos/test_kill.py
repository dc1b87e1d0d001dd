"""``kill -9`` under load: every acknowledged event is stored, a repeated one only once.

20 kills in the usual run; 100 more are marked slow.
"""

from __future__ import annotations

import random

import pytest

from tests.chaos.audit import holds, settled
from tests.chaos.widget_load import WidgetLoad
from tests.support.server_process import Installation

pytestmark = pytest.mark.anyio

ROUNDS_EACH = 20
SLOW = [pytest.param(number, marks=pytest.mark.slow) for number in range(1, 6)]


@pytest.mark.parametrize("number", [0, *SLOW])
async def test_killed_under_load(installation: Installation, number: int) -> None:
    load = WidgetLoad(installation.site, f"killed-{number}")
    moments = random.Random(number)  # noqa: S311
    for _ in range(ROUNDS_EACH):
        with installation.serving() as server:
            await load.settle(server.port)
            async with load.on(server.port):
                await load.reached(acknowledged=moments.randint(1, 40))
                server.kill()
    assert load.cut > ROUNDS_EACH  # they were in the middle of it
    holds(installation.database, load)
    with installation.serving() as server:
        await load.settle(server.port)
        assert server.end().status == 0
    settled(installation.database, load)
