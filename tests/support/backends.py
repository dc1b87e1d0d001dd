"""The store classes of both backends."""

from __future__ import annotations

from grapevine.store.postgres.store import PostgresStore
from grapevine.store.sqlite.store import SQLiteStore

Backend = SQLiteStore | PostgresStore
