"""What every test may use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from grapevine.store.postgres import PostgresStore
from tests.citus import CITUS, distributed, emptied
from tests.postgres import Postgres, postgres


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder of pyproject.toml."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests of this process."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
async def postgres_template(postgres_server: Postgres) -> str:
    """A database with the schema and nothing else, to be copied for each test."""
    name = postgres_server.create()
    store = PostgresStore(postgres_server.url(name))
    await store.open()
    await store.close()
    return name


@pytest.fixture(scope="session")
async def citus_url() -> AsyncIterator[str]:
    """Distributed tables on the cluster that GRAPEVINE_TEST_CITUS names, for all tests of this process in turn."""
    async with distributed(CITUS) as url:
        yield url


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with the schema and nothing else: the test's own, or what every test finds empty on a cluster."""
    if CITUS:
        url: str = request.getfixturevalue("citus_url")
        yield url
        asyncio.run(emptied(url))
        return
    template = request.getfixturevalue("postgres_template")
    server: Postgres = request.getfixturevalue("postgres_server")
    name = server.create(template)
    yield server.url(name)
    server.drop(name)
