"""PostgreSQL, also with Citus: any number of server processes on one database, the same tables and the same SQL.

Several processes write at once under READ COMMITTED. A batch decides about a cascade while it holds the
cascade's root (``held_visits``), so that two batches that grow one cascade take turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from grapevine.errors import StoreError
from grapevine.store import sql_loader
from grapevine.store.base import Store
from grapevine.store.postgres.citus import CITUS_SETTINGS, has_citus
from grapevine.store.postgres.connection import Connection, ConnectionRunner, PoolRunner, drop_if_dead
from grapevine.store.postgres.errors import is_unresponsive, map_errors, shown
from grapevine.store.postgres.hosts import Hosts
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
from grapevine.store.write_batch import Batch

READERS: Final = 4
CONCURRENT_BATCHES: Final = 2
WRITERS: Final = CONCURRENT_BATCHES + 1
"""One for the repositories."""
_CONNECT_SECONDS: Final = 2.0
_WRITE_SECONDS: Final = 5.0
_READ_SECONDS: Final = 15.0
_MIGRATE_SECONDS: Final = 24 * 3600.0
_CLOSE_SECONDS: Final = 2.0
_PROBE_SECONDS: Final = 0.8
_STATEMENTS: Final = 256
_IS_THERE: Final = (
    "SELECT count(*) FROM pg_catalog.pg_class WHERE relname = 'versions' AND pg_catalog.pg_table_is_visible(oid)"
)
_MIGRATING: Final = 0x67_72_61_70_65  # "grape": the lock of a migration, held until it commits

# Whatever a batch does, it does to rows that it names by their keys, so one plan serves all sets: a look into the index
# for each. Left alone, PostgreSQL plans each set anew, and reads whole tables as long as it takes them for small. Pages
# cost nothing: where most rows were deleted, each look would seem to read many, and going through everything cheaper.
_BY_KEY: Final = {
    "enable_hashjoin": "off", "enable_mergejoin": "off", "enable_seqscan": "off", "enable_bitmapscan": "off",
    "random_page_cost": "0", "plan_cache_mode": "force_generic_plan", "jit": "off",
}  # fmt: skip

# Timeouts on the server too, so that it stops working for a client that is gone. Never a statement_timeout for writing:
# one that ends a COMMIT's wait for its standby reports success all the same. A lock timeout is safe.
_WRITING: Final = {"lock_timeout": "4s"}
# No query reads a whole table: its cost is that of the site and the days that it names.
_READING: Final = {"statement_timeout": "15s", "enable_seqscan": "off", "jit": "off"}


class _Kept(asyncpg.Connection):
    """A connection that is returned to the pool without a reset, as this product leaves no state on it."""

    def get_reset_query(self) -> str:
        return ""


class PostgresStore(Store):
    """A store in the PostgreSQL database at ``url`` (``postgresql://…``), which gets its tables when it has none.

    Several hosts in ``url`` are tried in turn; the one that takes writes is used.
    """

    shared = True
    max_concurrent_batches = CONCURRENT_BATCHES

    def __init__(self, url: str) -> None:
        self.url = url
        self.citus = False
        self._hosts = Hosts(url)
        self._writers: asyncpg.Pool | None = None
        self._readers: asyncpg.Pool | None = None

    async def open(self) -> None:
        try:
            with map_errors(self.url):
                self._writers = await self._pool(WRITERS, _WRITE_SECONDS, _BY_KEY | _WRITING)
                async with self._writers.acquire() as connection:
                    await migrate(connection, self.url)
                    self.citus = await has_citus(connection)
                if self.citus:
                    await self._writers.expire_connections()
                self._readers = await self._pool(READERS, _READ_SECONDS, _READING)
        except StoreError:
            await self.close()
            raise
        except (ValueError, asyncpg.PostgresError) as error:
            await self.close()
            raise StoreError(f"{shown(self.url)} cannot be used: {error}") from error
        asked = PoolRunner(self._readers, self.url, citus=self.citus)
        self.reads = self.quick = Reads(asked)
        self.exports = ExportReader(asked)
        self.suspects = SuspectReader(asked)
        self.floods = FloodReader(asked)
        self.erasures = ErasureReader(asked)
        self.sites = SiteRepository(asked, self._transaction)
        self.api_keys = ApiKeyRepository(asked, self._transaction)
        self.kept_answers = KeptAnswerRepository(asked, self._transaction)
        self.sessions = SessionRepository(asked, self._transaction)
        self.salts = SaltRepository(asked, self._transaction)
        self.leases = LeaseRepository(asked, self._transaction)
        self.links = LinkRepository(asked, self._transaction, asked)
        self.link_expiry = LinkExpiryRepository(asked, self._transaction)
        self.live = LiveRepository(asked, self._transaction)
        self.fingerprints = FingerprintRepository(asked, self._transaction)
        self.guards = GuardRepository(asked, self._transaction)
        self.answers = AnswerRepository(asked, self._transaction)
        self.receipts = ReceiptRepository(asked, self._transaction)
        self.link_words = LinkWordRepository(asked, self._transaction)
        self.retention = RetentionRepository(asked, self._transaction)
        self.page_joins = PageJoinRepository(asked, self._transaction, partial(self._transaction, durable=False))
        self.site_deletion = SiteDeletionRepository(asked, self._transaction, partial(self._transaction, durable=False))
        self.webhooks = WebhookRepository(asked, self._transaction)
        self.feeds = FeedRepository(asked, self._transaction)
        self.mentions = MentionRepository(asked, self._transaction)
        self.webmentions = WebmentionRepository(asked, self._transaction)
        self.spikes = SpikeRepository(asked, self._transaction)
        self.silences = SilenceRepository(asked, self._transaction)
        self.widget_files = WidgetFileRepository(asked, self._transaction)

    async def close(self) -> None:
        for pool in (self._readers, self._writers):
            if pool is not None:
                try:
                    async with asyncio.timeout(_CLOSE_SECONDS):
                        await pool.close()
                except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    pool.terminate()  # skip the graceful close: the server does not respond
        self._readers = self._writers = None

    @asynccontextmanager
    async def batch(self, *, durable: bool = True) -> AsyncIterator[Batch]:
        async with self._transaction(durable=durable) as runner:
            batch = Batch(runner)
            yield batch
        batch.committed()

    def truncate_log(self) -> None:
        """Does nothing: the log is the database server's."""

    async def writable(self) -> bool:
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                return await prove_writable(self._transaction)
        except (StoreError, TimeoutError, asyncpg.PostgresError):
            return False

    async def look(self, text: str) -> list[tuple[Any, ...]]:
        """Returns the rows of a reading statement in PostgreSQL's dialect, for tools and tests."""
        if self._readers is None:
            raise StoreError("the store is closed")
        with map_errors(self.url):
            return [tuple(record) for record in await self._readers.fetch(text)]

    @asynccontextmanager
    async def _transaction(self, *, durable: bool = True) -> AsyncIterator[ConnectionRunner]:
        if self._writers is None:
            raise StoreError("the store is closed")
        with map_errors(self.url, citus=self.citus):
            async with self._writers.acquire() as connection:
                with drop_if_dead(connection):
                    transaction = connection.transaction(isolation="read_committed")
                    await transaction.start()
                    try:
                        if not durable:
                            await connection.execute("SET LOCAL synchronous_commit = off")
                        yield ConnectionRunner(connection, citus=self.citus)
                    except Exception as error:
                        if not is_unresponsive(error):
                            await transaction.rollback()
                        raise
                    await transaction.commit()

    async def _pool(self, size: int, seconds: float, settings: dict[str, str]) -> asyncpg.Pool:
        """Creates a pool that connects when needed; each statement is limited to ``seconds``."""
        connect: Any = self._hosts.connect
        pool: asyncpg.Pool = await asyncpg.create_pool(
            self.url,
            connect=connect,
            min_size=0,
            max_size=size,
            connection_class=_Kept,
            init=partial(self._prepare, settings),
            timeout=_CONNECT_SECONDS,
            command_timeout=seconds,
            statement_cache_size=_STATEMENTS,
            max_cached_statement_lifetime=0,
            max_inactive_connection_lifetime=0,
            target_session_attrs=SessionAttribute.primary,
        )
        return pool

    async def _prepare(self, settings: Mapping[str, str], connection: Connection) -> None:
        """Applies the settings of a new connection: durable whatever the server's default is, and those of Citus.

        They are not startup parameters, as PgBouncer refuses those that it does not know.
        """
        wanted = dict(settings) | (CITUS_SETTINGS if self.citus else {})
        await connection.execute(
            "SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS wanted(name, value) "
            "WHERE name <> 'synchronous_commit' OR current_setting(name) = 'off'",
            [*wanted, "synchronous_commit"],
            [*wanted.values(), "on"],
        )


async def version(connection: Connection) -> int:
    """Returns the schema version of a database; 0 when it is empty.

    Read from the catalogue as any table is: ``to_regclass`` may go on saying for a while that there is no such table,
    since a server process remembers that there was none.
    """
    if not await connection.fetchval(_IS_THERE):
        return 0
    return int(await connection.fetchval("SELECT version FROM versions WHERE name = 'schema'") or 0)


async def migrate(connection: Connection, url: str) -> None:
    """Brings the schema up to date. Of several that start at once one does, and the others wait for it.

    Raises StoreError when the database was used by a newer version, or is an unfinished copy.
    """
    newest = newest_version()
    if await version(connection) == newest:
        return
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = 0")
        if await has_citus(connection):
            await connection.execute("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'")
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATING, timeout=_MIGRATE_SECONDS)
        found = await version(connection)
        refuse_unusable(shown(url), found)
        for migration in sql_loader.migrations():
            if migration.number > found:
                await connection.execute(sql_loader.for_dialect("postgres", migration.text), timeout=_MIGRATE_SECONDS)
        await connection.execute(
            "INSERT INTO versions (name, version) VALUES ('schema', $1) "
            "ON CONFLICT (name) DO UPDATE SET version = excluded.version",
            newest,
        )
