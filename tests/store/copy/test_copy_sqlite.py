"""A SQLite file as an end of a copy, whose work is done by threads in turn."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grapevine.store.copy.schema import moved_tables
from grapevine.store.copy.sqlite import FileEnd

pytestmark = pytest.mark.anyio

PAGES, ROWS = 150, 2_000


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads that give way to each other as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty")
async def test_a_page_leaves_nothing_behind_that_disturbs_the_next(tmp_path: Path) -> None:
    (guards,) = [table for table in moved_tables() if table.name == "guards"]
    end = FileEnd(tmp_path / "grapevine.sqlite3")
    await end.make()
    async with end.transaction():
        for page in range(PAGES):
            await end.insert(guards, [(1, 1, page * ROWS + row, 0, 0) for row in range(ROWS)])
    assert await end.ask("SELECT count(*) FROM guards") == [(PAGES * ROWS,)]
    end.close()
