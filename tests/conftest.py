"""Fixtures and hooks of all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from grapevine.store.postgres.store import PostgresStore
from tests.support import markers
from tests.support.citus import CITUS, Cluster
from tests.support.postgres import Postgres, postgres
from tests.support.scheduling import SharedFixtureScheduling
from tests.support.truncate import empty

collect_ignore = [] if CITUS else ["chaos/test_citus.py", "store/postgres/test_citus.py"]


# How long an example takes is the machine's matter, not the code's.
settings.register_profile("grapevine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("grapevine")


def pytest_configure(config: pytest.Config) -> None:
    """Starts the guard against processes that no marker admits."""
    config.pluginmanager.register(markers.ProcessGuard())


def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than there are cores: many tests wait for a browser, a disk or another process."""
    return (os.cpu_count() or 1) + 2


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharedFixtureScheduling:
    """Makes each costly fixture of a module once."""
    return SharedFixtureScheduling(config, log)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks a test by its folder and fixtures, before any is deselected or sent to a worker."""
    markers.mark(item)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests come first: one that begins last keeps a single worker busy while the others have ended."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


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


@pytest.fixture(scope="session", autouse=True)
def _citus_is_no_setting() -> None:
    """Commands refuse variables that they do not know."""
    os.environ.pop("GRAPEVINE_TEST_CITUS", None)


@pytest.fixture(scope="session")
def citus() -> Iterator[Cluster]:
    """The cluster that GRAPEVINE_TEST_CITUS names."""
    cluster = Cluster(CITUS)
    yield cluster
    cluster.clear()


@pytest.fixture(scope="session")
def emptied_url(request: pytest.FixtureRequest) -> str:
    """A database for all tests of this process in turn, or distributed tables where a cluster is at hand."""
    if CITUS:
        cluster: Cluster = request.getfixturevalue("citus")
        return cluster.url(cluster.create())
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.url(server.create(request.getfixturevalue("postgres_template")))


@pytest.fixture
def postgres_url(emptied_url: str) -> Iterator[str]:
    """A database with the schema and nothing else."""
    yield emptied_url
    empty(emptied_url)


@pytest.fixture
def packaged_postgres_url(postgres_server: Postgres, postgres_template: str) -> Iterator[str]:
    """A database of the test's own with the schema and nothing else, on the packaged PostgreSQL."""
    name = postgres_server.create(postgres_template)
    yield postgres_server.url(name)
    postgres_server.drop(name)
