"""What every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from grapevine.store.postgres.store import PostgresStore
from tests.citus import CITUS, Cluster
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
def citus() -> Cluster:
    """The cluster that GRAPEVINE_TEST_CITUS names."""
    return Cluster(CITUS)


@pytest.fixture(scope="session")
def citus_schema(citus: Cluster) -> Iterator[str]:
    """Distributed tables for all tests of this process in turn."""
    name = citus.create()
    yield name
    citus.drop(name)


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with the schema and nothing else: the test's own, or what every test finds empty on a cluster."""
    if CITUS:
        cluster: Cluster = request.getfixturevalue("citus")
        schema: str = request.getfixturevalue("citus_schema")
        yield cluster.url(schema)
        cluster.empty(schema)
        return
    template = request.getfixturevalue("postgres_template")
    server: Postgres = request.getfixturevalue("postgres_server")
    name = server.create(template)
    yield server.url(name)
    server.drop(name)
