"""``kill -9`` at any moment of an import of conversions, and again: a line is stored once, and no refund too many."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from grapevine.domain import ids
from tests.chaos.audit import counts_agree
from tests.chaos.old_world import fill
from tests.support.server_process import PATIENCE_SECONDS, Installation, PostgresInstallation

pytestmark = pytest.mark.anyio

ORDERS: Final = 1_200
REFUNDED: Final = 4
"""Every fourth order is refunded, in two parts."""
OF_THE_FILE: Final = "(external_id LIKE 'A-%' OR external_id LIKE 'R-%')"
"""The world from before has conversions of its own."""
STORED: Final = f"SELECT count(*) FROM conversions WHERE {OF_THE_FILE}"


@pytest.mark.parametrize("kills", [1, pytest.param(12, marks=pytest.mark.slow)])
async def test_killed_while_it_imports(installation: Installation, kills: int) -> None:
    await _killed_again_and_again(installation, kills)


@pytest.mark.slow
async def test_killed_while_it_imports_into_postgres(postgres_installation: PostgresInstallation) -> None:
    await _killed_again_and_again(postgres_installation, 6)


async def _killed_again_and_again(installation: Installation, kills: int) -> None:
    installation.more_settings["GRAPEVINE_RETENTION_DAYS"] = "0"
    world = await fill(installation, 150)
    chance = random.Random(kills)  # noqa: S311
    path = installation.logs / "orders.csv"
    _write(path, [ids.visit_text(visit.visit_id) for visit in world.visits], chance)
    lines = ORDERS + 2 * len(range(0, ORDERS, REFUNDED))
    for kill in range(kills):
        # Each is killed a little further in the file, in the midst of a batch or between two.
        least = lines * (kill + 1) // (kills + 2)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "grapevine", "conversions", "import", installation.site, str(path), "--json",
            env=installation._environ, stdout=asyncio.subprocess.PIPE,  # noqa: SLF001
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE_SECONDS):
            while process.returncode is None and (await installation.rows(STORED))[0][0] < least:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        await asyncio.sleep(chance.uniform(0, 0.02))
        process.kill()
        assert await process.wait() == -signal.SIGKILL
        ((stored,),) = await installation.rows(STORED)
        assert least <= stored < lines
    for _ in range(2):
        assert installation.run("conversions", "import", installation.site, str(path)).status == 0
    rows = await installation.rows(
        f"SELECT external_id, visit_id, value, refund_of FROM conversions WHERE {OF_THE_FILE}"
    )
    assert len(rows) == len({row[0] for row in rows}) == lines
    visits = {name: visit for name, visit, _, refunded in rows if refunded is None}
    left = Counter({name: value for name, _, value, refunded in rows if refunded is None})
    for _, visit, value, refunded in rows:
        if refunded is not None:
            assert visit == visits[refunded]
            left[refunded] += value
    assert [left[f"A-{number}"] for number in range(ORDERS)] == [
        (number % 7 + 1 if number % REFUNDED == 0 else number % 7 + 3) * 1_000_000 for number in range(ORDERS)
    ]
    await counts_agree(installation)


def _write(path: Path, visits: list[str], chance: random.Random) -> None:
    lines = [f"order,A-{number},{number % 7 + 3},EUR,{visits[number % len(visits)]}," for number in range(ORDERS)]
    for number in range(0, ORDERS, REFUNDED):
        lines += [f"order,R-{number}-{part},-1.00,EUR,,A-{number}" for part in range(2)]
    chance.shuffle(lines)
    path.write_text("\n".join(["goal,id,value,currency,visit,refund_of", *lines]) + "\n")
