"""SQLite: the embedded default, one file, durable at every commit.

One connection writes; a few others read through aiosqlite (with the write-ahead log neither waits for the other).
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from grapevine.config.private_files import advice, make_file, make_folder, tighten
from grapevine.errors import StoreError
from grapevine.store.base import Store
from grapevine.store.readers.exports import ExportReader
from grapevine.store.readers.reads import Reads
from grapevine.store.repositories.answers import AnswerRepository
from grapevine.store.repositories.api_keys import ApiKeyRepository
from grapevine.store.repositories.erasures import ErasureReader
from grapevine.store.repositories.feeds import FeedRepository
from grapevine.store.repositories.fingerprints import FingerprintRepository
from grapevine.store.repositories.floods import FloodReader
from grapevine.store.repositories.guards import GuardRepository
from grapevine.store.repositories.kept_answers import KeptAnswerRepository
from grapevine.store.repositories.leases import LeaseRepository
from grapevine.store.repositories.link_removals import LinkExpiryRepository
from grapevine.store.repositories.link_words import LinkWordRepository
from grapevine.store.repositories.links import LinkRepository
from grapevine.store.repositories.live import LiveRepository
from grapevine.store.repositories.mentions import MentionRepository
from grapevine.store.repositories.page_joins import PageJoinRepository
from grapevine.store.repositories.readiness import prove_writable
from grapevine.store.repositories.receipts import ReceiptRepository
from grapevine.store.repositories.retention import RetentionRepository
from grapevine.store.repositories.salts import SaltRepository
from grapevine.store.repositories.sessions import SessionRepository
from grapevine.store.repositories.silences import SilenceRepository
from grapevine.store.repositories.site_deletion import SiteDeletionRepository
from grapevine.store.repositories.sites import SiteRepository
from grapevine.store.repositories.spikes import SpikeRepository
from grapevine.store.repositories.verdicts import SuspectReader
from grapevine.store.repositories.webhooks import WebhookRepository
from grapevine.store.repositories.webmentions import WebmentionRepository
from grapevine.store.repositories.widget_files import WidgetFileRepository
from grapevine.store.schema_version import newest_version, refuse_unusable
from grapevine.store.sqlite.checkpointer import Checkpointer
from grapevine.store.sqlite.connections import InlineConnection, Pool, ReadConnection, WriteConnection
from grapevine.store.sqlite.errors import store_error
from grapevine.store.sqlite.files import database_files
from grapevine.store.sqlite.unused_room import UnusedRoom
from grapevine.store.sqlite.version import apply_migrations
from grapevine.store.write_batch import Batch

READERS = 2


class SQLiteStore(Store):
    """A store in the SQLite file at ``path``, made with its schema when it is missing.

    One process serves a file (docs/decisions/0023). Others, such as commands, may write to it meanwhile: SQLite's own
    lock keeps their transactions apart.
    """

    shared = False
    max_concurrent_batches = 1

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: WriteConnection | None = None
        self._quick: InlineConnection | None = None
        self._checkpoints: Checkpointer | None = None
        self._room: UnusedRoom | None = None
        self._readers: asyncio.Queue[ReadConnection] = asyncio.Queue()
        self._writing = asyncio.Lock()

    async def open(self) -> None:
        try:
            make_folder(self.path.parent)
            make_file(self.path)  # SQLite gives the log and its index the same mode
            self._writer = WriteConnection(self.path)
            self._migrate(self._writer)
            for file in database_files(self.path):
                tighten(file)
            self._room = UnusedRoom(self.path) if hasattr(os, "pread") else None
            self._checkpoints = Checkpointer(self.path, self._writing, self._writer.forget_pages, self._room)
            self._quick = InlineConnection(self.path)
            for _ in range(READERS):
                self._readers.put_nowait(await ReadConnection.open(self.path))
        except StoreError:
            await self.close()
            raise
        except (OSError, sqlite3.Error) as error:
            await self.close()
            raise StoreError(f"cannot use the database file {self.path}: {error}{advice(error)}") from error
        pool = Pool(self._readers, self._quick)
        self.reads = Reads(pool)
        self.quick = Reads(self._quick)
        self.exports = ExportReader(pool)
        self.suspects = SuspectReader(pool)
        self.floods = FloodReader(pool)
        self.erasures = ErasureReader(pool)
        self.sites = SiteRepository(self._quick, self._transaction)
        self.api_keys = ApiKeyRepository(self._quick, self._transaction)
        self.kept_answers = KeptAnswerRepository(self._quick, self._transaction)
        self.sessions = SessionRepository(self._quick, self._transaction)
        self.salts = SaltRepository(self._quick, self._transaction)
        self.leases = LeaseRepository(self._quick, self._transaction)
        self.links = LinkRepository(self._quick, self._transaction, pool)
        self.link_expiry = LinkExpiryRepository(pool, self._transaction)
        self.live = LiveRepository(self._quick, self._transaction)
        self.fingerprints = FingerprintRepository(self._quick, self._transaction)
        self.guards = GuardRepository(self._quick, self._transaction)
        self.answers = AnswerRepository(self._quick, self._transaction)
        self.receipts = ReceiptRepository(self._quick, self._transaction)
        self.link_words = LinkWordRepository(self._quick, self._transaction)
        self.retention = RetentionRepository(self._quick, self._transaction)
        self.page_joins = PageJoinRepository(pool, self._transaction, partial(self._transaction, durable=False))
        self.site_deletion = SiteDeletionRepository(pool, self._transaction, partial(self._transaction, durable=False))
        self.webhooks = WebhookRepository(self._quick, self._transaction)
        self.feeds = FeedRepository(self._quick, self._transaction)
        self.mentions = MentionRepository(pool, self._transaction)
        self.webmentions = WebmentionRepository(self._quick, self._transaction)
        self.spikes = SpikeRepository(pool, self._transaction)
        self.silences = SilenceRepository(pool, self._transaction)
        self.widget_files = WidgetFileRepository(self._quick, self._transaction)

    async def close(self) -> None:
        while not self._readers.empty():
            await (await self._readers.get()).close()
        if self._quick is not None:
            self._quick.close()
            self._quick = None
        if self._checkpoints is not None:
            await self._checkpoints.close()
            self._checkpoints = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._room is not None:  # after every connection
            self._room.close()
            self._room = None

    @asynccontextmanager
    async def batch(self, *, durable: bool = True) -> AsyncIterator[Batch]:
        async with self._transaction(durable=durable) as connection:
            batch = Batch(connection)
            yield batch
        batch.committed()

    async def writable(self) -> bool:
        try:
            return await prove_writable(self._transaction)
        except (StoreError, sqlite3.Error):
            return False

    def truncate_log(self) -> None:
        if self._checkpoints is not None:
            self._checkpoints.truncate_soon()

    async def look(self, text: str) -> list[tuple[Any, ...]]:
        """Returns the rows of a reading statement in SQLite's dialect, for tools and tests."""
        connection = await self._readers.get()
        try:
            return await connection.plain(text)
        finally:
            self._readers.put_nowait(connection)

    async def writer_setting(self, pragma: str) -> int:
        """Returns the value of a PRAGMA of the writing connection, for tools and tests."""
        if self._writer is None:
            raise StoreError("the store is closed")
        ((value,),) = self._writer.plain(f"PRAGMA {pragma}")
        return int(value)

    @asynccontextmanager
    async def _transaction(self, *, durable: bool = True) -> AsyncIterator[WriteConnection]:
        if self._writer is None:
            raise StoreError("the store is closed")
        async with self._writing:
            try:
                await self._writer.begin(durable=durable)
                yield self._writer
                await self._writer.commit()
            except BaseException as error:
                self._writer.rollback()
                found = store_error(self.path, "written to", error)
                if found is not None:
                    raise found from error
                raise
            if self._checkpoints is not None:
                self._checkpoints.changed(self._writer.changes)

    def _migrate(self, writer: WriteConnection) -> None:
        if writer.plain("PRAGMA user_version") != [(newest_version(),)]:
            # Of several that start at once one migrates, and the others find nothing left to do.
            writer.plain("BEGIN IMMEDIATE")
            try:
                ((version,),) = writer.plain("PRAGMA user_version")
                refuse_unusable(f"the database file {self.path}", version)
                apply_migrations(writer.plain, version)
                writer.plain("COMMIT")
            finally:
                writer.rollback()
        writer.plain("PRAGMA busy_timeout=0")
