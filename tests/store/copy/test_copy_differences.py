"""The comparison after a copy finds each row that differs, and names it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
import pytest

from grapevine.store.copy.compare import SHOWN, Difference, compare
from grapevine.store.copy.schema import copied_tables
from grapevine.store.factory import schema_version
from grapevine.store.schema_version import UNFINISHED_COPY
from tests.store.copy.copies import WORLDS, copied, everything, pair
from tests.store.databases import Databases

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("small_pages")]


CHANGES: Final = """
CREATE TRIGGER changes AFTER INSERT ON visits BEGIN
    UPDATE pages SET title = 'secret', day = 1 WHERE site_id = 7;
    DELETE FROM drops WHERE site_id = 8;
    INSERT INTO salts VALUES ('zzz', 2, 'secret') ON CONFLICT DO NOTHING;
END"""


async def test_rows_that_differ_are_named(sqlite_databases: Databases) -> None:
    async with pair((sqlite_databases, sqlite_databases), *WORLDS) as (source, target):
        pages = await source.rows("SELECT page_id, cell FROM pages WHERE site_id = 7 ORDER BY page_id")
        ((drops,),) = await source.rows("SELECT count(*) FROM drops WHERE site_id = 8")
        await target.change(CHANGES)
        done = await copied(source.settings.database, target.settings.database)
        assert not done.verified
        assert done.differing == drops + len(pages) + 1
        first = {(one.table, one.what): one for one in reversed(done.differences)}
        where = f"pages (site_id 7, page_id {pages[0][0]}, cell {pages[0][1]})"
        assert first["pages", "different"] == Difference("pages", where, "different", ("day", "title"))
        assert str(first["pages", "different"]) == f"{where}: not the same day, title"
        assert str(first["salts", "extra"]) == "salts (kind zzz, day 2): in the target alone"
        assert sum(one.table == "drops" for one in done.differences) == min(drops, SHOWN)
        assert "secret" not in msgspec.json.encode(done).decode()
        assert await schema_version(target.settings) == UNFINISHED_COPY
        await target.change("DROP TRIGGER changes")
        assert (await copied(source.settings.database, target.settings.database)).verified
        assert await everything(target) == await everything(source)


@pytest.mark.parametrize("seed", range(5))
async def test_every_difference_is_found(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    (guards,) = [table for table in copied_tables() if table.name == "guards"]
    rows = [
        (
            1,
            chance.randint(0, 2),
            number,
            0,
            9,
            chance.choice((None, 0, 1)),
            chance.randint(0, 9),
            chance.choice((None, 5)),
        )
        for number in range(400)
    ]
    rows.sort(key=guards.key_of)
    source = {guards.key_of(row): row for row in rows if chance.random() < 0.9}
    target = {guards.key_of(row): row for row in rows if chance.random() < 0.9}
    for key in chance.sample(sorted(target), 20):
        target[key] = (*target[key][:-1], 10)
    expected = [key for key in sorted(source | target) if source.get(key) != target.get(key)]

    async def pages(found: list[tuple[Any, ...]]) -> AsyncIterator[list[tuple[Any, ...]]]:
        while found:
            size = chance.randint(1, 40)
            yield found[:size]
            found = found[size:]

    advanced: list[int] = []
    done = await compare(guards, pages(list(source.values())), pages(list(target.values())), advanced.append)
    assert done.differing == len(expected) > SHOWN
    assert [one.where for one in done.differences] == [guards.describe(key) for key in expected[:SHOWN]]
    assert sum(advanced) == len(source)
