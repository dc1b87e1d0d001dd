"""A SQLite file as an end of a copy: its statements run in changing threads."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grapevine.store.copy.schema import copied_tables
from grapevine.store.copy.sqlite import SQLiteEndpoint

pytestmark = pytest.mark.anyio

PAGES, ROWS = 150, 2_000


@pytest.fixture
def hasty() -> Iterator[None]:
    """Makes threads switch as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty")
async def test_a_page_leaves_nothing_behind_that_disturbs_the_next(tmp_path: Path) -> None:
    (guards,) = [table for table in copied_tables() if table.name == "guards"]
    end = SQLiteEndpoint(tmp_path / "grapevine.sqlite3")
    await end.lock()
    async with end.transaction():
        await end.create_schema()
        for page in range(PAGES):
            await end.insert(guards, [(1, 1, page * ROWS + row, 0, 0, None, None, None) for row in range(ROWS)])
    assert await end.query("SELECT count(*) FROM guards") == [(PAGES * ROWS,)]
    end.close()
