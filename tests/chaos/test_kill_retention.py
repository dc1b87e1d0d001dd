"""``kill -9`` while the server deletes visits past retention: numbers agree, and the next server goes on."""

from __future__ import annotations

import asyncio
import random
from typing import Final

import pytest

from grapevine.domain import ids
from grapevine.serving.app import system_clock
from tests.chaos.audit import counts_agree
from tests.chaos.old_world import fill
from tests.store.world import DAYS, FIRST_DAY
from tests.support.server_process import Installation, PostgresInstallation

pytestmark = pytest.mark.anyio

VISITS: Final = 1_000
KEPT: Final = FIRST_DAY + DAYS - 1
"""The first day that the servers keep: the last one of the world."""
OLD: Final = (
    f"SELECT count(*) FROM visits v WHERE visit_id < {ids.pack(KEPT, 0, 0)} AND NOT EXISTS (SELECT 1 FROM links l "
    "WHERE l.site_id = v.site_id AND l.visit_id = v.visit_id AND l.expires_at IS NULL)"
)
"""How many visits are left that are past retention and have to go; the nodes of links that are in use stay."""
LATEST_SECONDS: Final = 0.2
"""A kill comes at the latest so long after the server is ready, in the middle of the deletion or before it."""


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
async def test_killed_while_it_deletes(installation: Installation, kills: int) -> None:
    await fill(installation, VISITS)
    await killed_while_it_deletes(installation, kills)


@pytest.mark.slow
async def test_killed_while_it_deletes_in_postgres(postgres_installation: PostgresInstallation) -> None:
    await fill(postgres_installation, VISITS)
    await killed_while_it_deletes(postgres_installation, 20)


async def killed_while_it_deletes(installation: Installation, kills: int) -> None:
    """Kills one server after the other while it deletes; the last one ends the work."""
    installation.more_settings["GRAPEVINE_RETENTION_DAYS"] = str(ids.day_at(system_clock()) - KEPT)
    moments = random.Random(kills)  # noqa: S311
    left = [await number_old(installation)]
    for _ in range(kills):
        with installation.serving() as server:
            await asyncio.sleep(moments.uniform(0, LATEST_SECONDS))
            server.kill()
        await counts_agree(installation)
        await installation.change("DELETE FROM leases")  # a minute passes, and the killed server's lease with it
        left.append(await number_old(installation))
    assert left == sorted(left, reverse=True)
    with installation.serving() as server:
        while await number_old(installation):  # noqa: ASYNC110  # no process tells another one of it
            await asyncio.sleep(0.05)
        assert server.end().status == 0
    await counts_agree(installation)
    assert set(left) - {left[0], 0}, f"no kill came in the middle: {left}"


async def number_old(installation: Installation) -> int:
    ((number,),) = await installation.rows(OLD)
    return int(number)
