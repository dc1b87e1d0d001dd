"""A store without a site."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from grapevine.store.sqlite.store import SQLiteStore


@pytest.fixture
async def store(tmp_path: Path, anyio_backend: str) -> AsyncIterator[SQLiteStore]:
    assert anyio_backend == "asyncio"
    store = SQLiteStore(tmp_path / "grapevine.sqlite3")
    await store.open()
    yield store
    await store.close()
