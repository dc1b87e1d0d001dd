"""Everything that only Citus needs: connection settings, and the distribution of the tables over its workers.

Each table is distributed in a transaction of its own, which Citus commits on all nodes or on none. An interrupted run
leaves whole tables, and the next run carries on; one transaction for all would hold every lock and twice the space
until the last row is there. Servers have to be stopped meanwhile: a statement over two tables of which one is
distributed may be refused. They start again with the settings that Citus needs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from grapevine.errors import StoreError
from grapevine.store import sql_loader
from grapevine.store.postgres.connection import Connection
from grapevine.store.postgres.errors import map_errors, shown
from grapevine.store.postgres.hosts import Hosts

STAYS: Final = frozenset(
    {
        "kept_answers",
        "key_fingerprints",
        "key_processes",
        "leases",
        "live_batches",
        "live_lanes",
        "live_watches",
        "readiness",
        "salts",
        "sessions",
        "widget_files",
    }
)
"""Tables that stay on the coordinator. A reference table takes no write while a worker is away, which is when a server
has to take over another writer's slot, a new day needs its salt (docs/decisions/0014), the owner signs in to see, it
is asked whether it is ready, it says which keys it accepts, it keeps the files of its widget, a batch announces
what it stores to the live feed, or an answer is kept for a repeat."""

_ANCHOR: Final = "visits"
_LOCK: Final = 0x67_72_61_70_66  # advisory lock: only one distribute runs at a time
_CONNECT_SECONDS: Final = 5.0
_LOCK_TIMEOUT: Final = "15s"

# Settings of every connection to a database with Citus; each was measured to matter.
CITUS_SETTINGS: Final = {
    "citus.max_adaptive_executor_pool_size": "1", "citus.max_cached_conns_per_worker": "8",
    "citus.override_table_visibility": "off",
    "citus.node_connection_timeout": "2s",  # sooner than a statement is given up, which says nothing about a part
    "citus.enable_deadlock_prevention": "off",  # it would let one batch at a time write to a table
    "plan_cache_mode": "auto",  # Citus plans most of these texts only when it knows their values
}  # fmt: skip

_STATE: Final = """
SELECT c.relname::text,
    EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'cell' AND NOT a.attisdropped),
    p.partmethod::text, p.repmodel::text, column_to_column_name(p.logicalrelid, p.partkey), p.colocationid,
    (SELECT count(*) FROM pg_dist_shard s WHERE s.logicalrelid = c.oid), pg_relation_size(c.oid)
FROM unnest($1::text[]) AS named (name)
JOIN pg_class c ON c.oid = to_regclass(named.name)
LEFT JOIN pg_dist_partition p ON p.logicalrelid = c.oid
ORDER BY c.relname
"""


class Kind(StrEnum):
    """Where a table's rows live."""

    LOCAL = "local"  # on the coordinator alone
    REFERENCE = "reference"  # whole, on every node
    DISTRIBUTED = "distributed"  # a shard by `cell`
    OTHER = "other"  # in a way that is not ours


class CitusTable(NamedTuple):
    """One of our tables as it stands. ``local_bytes`` are the rows that lie on the coordinator outside of any shard:
    all of them as long as the table is local, and afterwards the copy that Citus leaves behind."""

    name: str
    has_cell: bool
    kind: Kind
    group: int | None
    shards: int
    local_bytes: int

    @property
    def wanted(self) -> Kind:
        """Returns the kind that it has to have on Citus."""
        if self.name in STAYS:
            return Kind.LOCAL
        return Kind.DISTRIBUTED if self.has_cell else Kind.REFERENCE


class Step(NamedTuple):
    """The work done on one table: ``did`` is ``distributed``, ``replicated`` or, where only the copy that was left on
    the coordinator had to go, ``cleaned``; ``bytes`` were moved or freed."""

    table: str
    did: str
    shards: int
    bytes: int


async def has_citus(connection: Connection) -> bool:
    """Whether the database has the ``citus`` extension."""
    return bool(await connection.fetchval("SELECT count(*) FROM pg_extension WHERE extname = 'citus'"))


async def distribute(url: str, now: int, shards: int | None = None) -> AsyncGenerator[Step]:
    """Distributes the remaining tables of the database at ``url``, which has the newest schema, and tells each
    step when it is committed; no step when there is nothing to do.

    ``now`` are UTC milliseconds, ``shards`` the number of pieces when there are none yet (None: the server's
    ``citus.shard_count``). Raises StoreError.
    """
    with map_errors(url):
        try:
            connection = await Hosts(url).connect(
                timeout=_CONNECT_SECONDS, target_session_attrs=SessionAttribute.primary
            )
        except ValueError as error:
            raise StoreError(f"{shown(url)} cannot be used: {error}") from error
        try:
            await _must_have_citus(connection, url)
            tables = await _tables(connection)
            todo = _todo(tables, shards)
            if todo:
                await _must_be_alone(connection, now)
            for table in todo:
                step = await _take(connection, table, shards)
                if step:
                    yield step
        finally:
            await connection.close()


async def _must_have_citus(connection: asyncpg.Connection, url: str) -> None:
    if await has_citus(connection):
        return
    if await connection.fetchval("SELECT count(*) FROM pg_available_extensions WHERE name = 'citus'"):
        raise StoreError(f"{shown(url)} has no citus extension yet; run in it, as a superuser: CREATE EXTENSION citus")
    raise StoreError(
        f"the server of {shown(url)} has no Citus: install it there and on every worker (https://docs.citusdata.com), "
        "put citus first into shared_preload_libraries, restart, and run in the database: CREATE EXTENSION citus"
    )


async def _must_be_alone(connection: asyncpg.Connection, now: int) -> None:
    servers = await connection.fetchval("SELECT count(*) FROM leases WHERE name LIKE 'slot %' AND expires_at > $1", now)
    if servers:
        raise StoreError(
            f"server processes use this database ({servers}): stop them and run this again; one that was killed is "
            "forgotten within a minute"
        )


def _todo(tables: Sequence[CitusTable], shards: int | None) -> list[CitusTable]:
    """Returns the tables left to do: small tables first, then visits, then the tables co-located with them."""
    for table in tables:
        if table.kind not in (Kind.LOCAL, table.wanted):
            raise StoreError(
                f"the table {table.name} is {table.kind} and has to be {table.wanted}: it was distributed by hand. "
                f"Undo that and run this again: SELECT undistribute_table('{table.name}')"
            )
    placed = [table for table in tables if table.kind is Kind.DISTRIBUTED]
    if len({(table.group, table.shards) for table in placed}) > 1:
        raise StoreError(
            "the tables are not co-located, so that chains cannot be followed; run for each that is not in "
            f"{placed[0].name}'s group: SELECT update_distributed_table_colocation('TABLE', '{placed[0].name}')"
        )
    if placed and shards not in (None, placed[0].shards):
        raise StoreError(
            f"there are {placed[0].shards} shards already; to have another number run: SELECT alter_distributed_table("
            f"'{placed[0].name}', shard_count := {shards}, cascade_to_colocated := true)"
        )
    left = [table for table in tables if table.kind is not table.wanted or _copy_left(table)]
    return sorted(left, key=lambda table: (table.has_cell, table.name != _ANCHOR, table.name))


async def _take(connection: asyncpg.Connection, table: CitusTable, shards: int | None) -> Step | None:
    """Distributes one table. Returns None when another run did it meanwhile."""
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            await connection.execute("SELECT set_config('lock_timeout', $1, true)", _LOCK_TIMEOUT)
            tables = {each.name: each for each in await _tables(connection)}
            before = tables[table.name]
            if before.kind is not before.wanted:
                await _place(connection, before, tables.values(), shards)
        if before.kind is before.wanted and not _copy_left(before):
            return None
        async with connection.transaction():
            await connection.execute("SELECT set_config('lock_timeout', $1, true)", _LOCK_TIMEOUT)
            await connection.execute(
                "SELECT truncate_local_data_after_distributing_table($1::text::regclass)", table.name
            )
        (after,) = [each for each in await _tables(connection) if each.name == table.name]
    except asyncpg.LockNotAvailableError as error:
        raise StoreError(
            f"the table {table.name} is in use: stop what uses the database and run this again; it carries on where it "
            "stopped"
        ) from error
    except asyncpg.PostgresError as error:
        raise StoreError(f"Citus refused for the table {table.name}: {' '.join(str(error).split())}") from error
    return Step(table.name, _did(before), after.shards, before.local_bytes)


async def _place(
    connection: asyncpg.Connection, table: CitusTable, tables: Iterable[CitusTable], shards: int | None
) -> None:
    if table.wanted is Kind.REFERENCE:
        await connection.execute("SELECT create_reference_table($1::text::regclass)", table.name)
        return
    placed = [each.name for each in tables if each.kind is Kind.DISTRIBUTED]
    if placed:
        anchor = _ANCHOR if _ANCHOR in placed else placed[0]
        await connection.execute(
            "SELECT create_distributed_table($1::text::regclass, 'cell', colocate_with => $2)", table.name, anchor
        )
    else:  # a co-location group of our own, which no other tables join by chance
        await connection.execute(
            "SELECT create_distributed_table($1::text::regclass, 'cell', colocate_with => 'none', shard_count => $2)",
            table.name,
            shards,
        )


async def _tables(connection: asyncpg.Connection) -> list[CitusTable]:
    rows = await connection.fetch(_STATE, sorted(sql_loader.table_names()))
    return [
        CitusTable(name, has_cell, _kind(method, model, column, group), group, shards, size)
        for name, has_cell, method, model, column, group, shards, size in rows
    ]


def _kind(method: str | None, model: str | None, column: str | None, group: int | None) -> Kind:
    """Returns a table's kind from its row of ``pg_dist_partition``, as Citus's view ``citus_tables`` reads it."""
    if method is None or (method == "n" and model != "t" and group == 0):  # the latter: local, but known to Citus
        return Kind.LOCAL
    if method == "h":
        return Kind.DISTRIBUTED if column == "cell" else Kind.OTHER
    return Kind.REFERENCE if (method, model) == ("n", "t") else Kind.OTHER


def _copy_left(table: CitusTable) -> bool:
    return table.kind in (Kind.DISTRIBUTED, Kind.REFERENCE) and table.local_bytes > 0


def _did(before: CitusTable) -> str:
    if before.kind is before.wanted:
        return "cleaned"
    return "distributed" if before.has_cell else "replicated"
