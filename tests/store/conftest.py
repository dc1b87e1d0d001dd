"""A real, empty store for each test, on every backend there is."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from grapevine.store.base import Store
from grapevine.store.postgres import PostgresStore
from grapevine.store.sqlite import SQLiteStore


@pytest.fixture(scope="session")
async def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the schema and nothing else, made once and copied for each test."""
    store = SQLiteStore(tmp_path_factory.mktemp("template") / "grapevine.sqlite3")
    await store.open()
    await store.close()
    return store.path


@pytest.fixture
async def sqlite_store(empty_file: Path, tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    """An open store in a SQLite file."""
    store = SQLiteStore(Path(shutil.copy(empty_file, tmp_path)))
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def postgres_store(postgres_url: str) -> AsyncIterator[PostgresStore]:
    """An open store in a PostgreSQL database."""
    store = PostgresStore(postgres_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Store:
    """An open store on each backend."""
    opened: Store = request.getfixturevalue(f"{request.param}_store")
    return opened
