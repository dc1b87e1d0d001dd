"""A real, empty store for each test, on every backend there is."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from grapevine.store.base import Store
from grapevine.store.postgres.store import PostgresStore
from grapevine.store.sqlite.store import SQLiteStore
from tests.store.databases import Database, Databases, PostgresDatabases, SQLiteFiles
from tests.support.citus import CITUS
from tests.support.postgres import Postgres


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


@pytest.fixture(scope="session")
def sqlite_databases(empty_file: Path, tmp_path_factory: pytest.TempPathFactory) -> SQLiteFiles:
    """Makes SQLite files."""
    return SQLiteFiles(tmp_path_factory.mktemp("databases"), empty_file)


@pytest.fixture(scope="session")
def packaged_databases(postgres_server: Postgres, postgres_template: str) -> PostgresDatabases:
    """Makes databases on the packaged PostgreSQL."""
    return PostgresDatabases(postgres_server, postgres_template)


@pytest.fixture(scope="session")
def postgres_databases(request: pytest.FixtureRequest) -> PostgresDatabases:
    """Makes PostgreSQL databases, on a cluster where one is at hand."""
    if CITUS:
        return PostgresDatabases(request.getfixturevalue("citus"))
    made: PostgresDatabases = request.getfixturevalue("packaged_databases")
    return made


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def databases(request: pytest.FixtureRequest) -> Databases:
    """Makes databases, on each backend."""
    made: Databases = request.getfixturevalue(f"{request.param}_databases")
    return made


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[Database]:
    """A database with the schema and nothing else, on each backend."""
    async with databases.holding() as made:
        yield made
