"""A real, empty store for each test, on every backend there is."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from grapevine.store.base import Store
from grapevine.store.sqlite import SQLiteStore


@pytest.fixture(scope="session")
async def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the schema and nothing else, made once and copied for each test."""
    store = SQLiteStore(tmp_path_factory.mktemp("template") / "grapevine.sqlite3")
    await store.open()
    await store.close()
    return store.path


@pytest.fixture(params=["sqlite"])
async def store(request: pytest.FixtureRequest, empty_file: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """An open store."""
    assert request.param == "sqlite"
    opened = SQLiteStore(Path(shutil.copy(empty_file, tmp_path)))
    await opened.open()
    yield opened
    await opened.close()
