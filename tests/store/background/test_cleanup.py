"""The cleanup deletes salts and guards when they expire, and nothing else."""

from __future__ import annotations

import pytest

from grapevine.background.cleanup import tidy
from grapevine.store.base import Store
from tests.store.writer.test_batch import NOON
from tests.support.backends import Backend

pytestmark = pytest.mark.anyio


async def test_expired_guards_go_however_many_there_are(store: Store) -> None:
    assert isinstance(store, Backend)
    guards = [
        (site, kind, key * 7919 % 10_007 - 5_000, 0, NOON + (1 if key % 3 else -1))
        for site in (1, 2)
        for kind in (1, 2)
        for key in range(1_500)
    ]
    async with store.batch() as batch:
        assert len(await batch.guard(guards)) == 6_000
    await tidy(store, NOON)
    assert await store.look("SELECT count(*), min(expires_at) FROM guards") == [(4_000, NOON + 1)]
    await tidy(store, NOON + 2)
    assert await store.look("SELECT count(*) FROM guards") == [(0,)]
    await tidy(store, NOON + 2)


async def test_salts_of_the_day_before_yesterday_are_destroyed(store: Store) -> None:
    assert isinstance(store, Backend)
    for day in (2497, 2498, 2499, 2500):
        await store.salts.salt("visitor", day, "00")
    await store.salts.salt("nonce", 0, "00")
    await tidy(store, NOON)
    assert await store.look("SELECT kind, day FROM salts ORDER BY kind, day") == [
        ("nonce", 0),
        ("visitor", 2499),
        ("visitor", 2500),
    ]
