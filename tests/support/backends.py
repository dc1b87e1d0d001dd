"""The backends that there are; both can be looked into with SQL of their own."""

from __future__ import annotations

from grapevine.store.postgres.store import PostgresStore
from grapevine.store.sqlite.store import SQLiteStore

Backend = SQLiteStore | PostgresStore
