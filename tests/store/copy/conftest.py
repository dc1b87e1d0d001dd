"""Pairs of backends to copy between, and pages of 20 rows."""

from __future__ import annotations

import pytest

from grapevine.store.copy import postgres as postgres_module
from grapevine.store.copy import sqlite as sqlite_module
from tests.store.databases import Databases


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a table is many pages."""
    for module in (sqlite_module, postgres_module):
        monkeypatch.setattr(module, "PAGE", 20)


@pytest.fixture(params=["sqlite-postgres", "postgres-sqlite", "sqlite-sqlite", "postgres-postgres"])
def ways(request: pytest.FixtureRequest) -> tuple[Databases, Databases]:
    """The makers of the source's and the target's databases."""
    source, target = (request.getfixturevalue(f"{kind}_databases") for kind in request.param.split("-"))
    return source, target


@pytest.fixture
def away(sqlite_databases: Databases, postgres_databases: Databases) -> tuple[Databases, Databases]:
    """From SQLite to PostgreSQL."""
    return sqlite_databases, postgres_databases
