"""Distributing on Citus: which tables go where, in which order, what a second run finds, and what is refused.

No Citus is needed: ``STAND_IN`` is a test double, SQL functions and catalogue tables with Citus's names that record
what they are asked and keep the books that Citus keeps. It shows what Grapevine asks for, not that Citus does it.
A filled database is distributed on a cluster in test_citus.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from grapevine.cli import main
from grapevine.cli.context import CommandContext
from grapevine.cli.migrate import migrate
from grapevine.errors import StoreError
from grapevine.store.postgres import citus
from grapevine.store.postgres.citus import STAYS, Step, distribute
from grapevine.store.sql_loader import migrations, table_names
from tests.support.citus import Cluster
from tests.support.postgres import Postgres
from tests.support.truncate import empty

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000
EVENTS = {
    "visits", "pages", "shares", "unfurls", "conversions", "answers", "suspects", "counts_hour", "counts_day",
    "counts_page", "counts_week", "counts_device", "counts_shared", "drops", "cascades", "guards",
    "suspected_floods", "names", "bound_hits", "kept_shares", "deleted_counts", "later_views",
    "links", "link_names", "link_words", "link_clicks", "log_joins", "receipts", "receipt_sharers", "mentions",
}  # fmt: skip
REFERENCES = {
    "sites", "origins", "api_keys", "webhooks", "deliveries", "spikes", "versions", "retention", "page_joins",
    "deleted_sites", "key_sites", "receipt_keys", "webmentions", "fetch_hosts", "feeds", "silences",
}  # fmt: skip

STAND_IN = """
SET allow_system_table_mods = on;
INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
    VALUES (999999, 'citus', 10, 11, false, 'a test double');
CREATE TABLE pg_dist_partition (
    logicalrelid regclass PRIMARY KEY, partmethod "char", partkey text, colocationid integer, repmodel "char"
);
CREATE TABLE pg_dist_shard (logicalrelid regclass, shardid bigint);
CREATE TABLE asked (number serial, call text);
CREATE TABLE sick (name text);
CREATE FUNCTION column_to_column_name(regclass, text) RETURNS text LANGUAGE sql AS 'SELECT $2';

CREATE FUNCTION create_distributed_table(
    table_name regclass, distribution_column text, distribution_type text DEFAULT 'hash',
    colocate_with text DEFAULT 'default', shard_count integer DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    colocated pg_dist_partition;
    shards integer := COALESCE(shard_count, 32);
    colocation integer := 1 + (SELECT count(*) FROM pg_dist_partition);
BEGIN
    EXECUTE format('LOCK TABLE %s IN EXCLUSIVE MODE', table_name);
    IF EXISTS (SELECT FROM pg_dist_partition p WHERE p.logicalrelid = table_name) THEN
        RAISE EXCEPTION 'table "%" is already distributed', table_name;
    END IF;
    IF EXISTS (SELECT FROM sick WHERE name = table_name::text) THEN
        RAISE EXCEPTION 'no worker nodes are available for placing shards' USING HINT = 'Add more worker nodes.';
    END IF;
    IF colocate_with NOT IN ('none', 'default') THEN
        IF shard_count IS NOT NULL THEN
            RAISE EXCEPTION 'Cannot use colocate_with with a table and shard_count at the same time';
        END IF;
        SELECT * INTO STRICT colocated FROM pg_dist_partition p WHERE p.logicalrelid = colocate_with::regclass;
        colocation := colocated.colocationid;
        shards := (SELECT count(*) FROM pg_dist_shard s WHERE s.logicalrelid = colocated.logicalrelid);
    END IF;
    INSERT INTO pg_dist_partition VALUES (table_name, 'h', distribution_column, colocation, 's');
    INSERT INTO pg_dist_shard SELECT table_name, generate_series(1, shards);
    INSERT INTO asked (call)
        VALUES (format('distribute %s by %s with %s', table_name, distribution_column, colocate_with));
END $$;

CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('LOCK TABLE %s IN EXCLUSIVE MODE', table_name);
    INSERT INTO pg_dist_partition VALUES (table_name, 'n', NULL, 1000, 't');
    INSERT INTO pg_dist_shard VALUES (table_name, 1);
    EXECUTE format('CREATE TABLE %1$s_shard () INHERITS (%1$s)', table_name);  -- what is read when the copy is gone
    EXECUTE format('INSERT INTO %1$s_shard SELECT * FROM ONLY %1$s', table_name);
    INSERT INTO asked (call) VALUES (format('replicate %s', table_name));
END $$;

CREATE FUNCTION truncate_local_data_after_distributing_table(function_name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_dist_partition p WHERE p.logicalrelid = function_name) THEN
        RAISE EXCEPTION 'supplied parameter is not a distributed relation';
    END IF;
    EXECUTE format('TRUNCATE ONLY %s', function_name);
    INSERT INTO asked (call) VALUES (format('clean %s', function_name));
END $$;
"""


class StandInDatabase:
    """A database with the schema and the stand-in."""

    def __init__(self, url: str, connection: asyncpg.Connection) -> None:
        self.url = url
        self.run = connection.execute
        self.value = connection.fetchval
        self._connection = connection

    async def distribute(self, shards: int | None = None, done: list[Step] | None = None) -> list[Step]:
        """The steps; those before an error are in ``done``."""
        done = [] if done is None else done
        async for step in distribute(self.url, NOW, shards):
            done.append(step)
        return done

    async def asked(self) -> list[str]:
        return [row[0] for row in await self._connection.fetch("SELECT call FROM asked ORDER BY number")]


@pytest.fixture
async def plain(postgres_server: Postgres, postgres_template: str) -> AsyncIterator[StandInDatabase]:
    """A database without Citus, whatever the other tests run on."""
    name = postgres_server.create(postgres_template)
    connection = await asyncpg.connect(postgres_server.url(name))
    yield StandInDatabase(postgres_server.url(name), connection)
    await connection.close()
    postgres_server.drop(name)


@pytest.fixture
async def database(plain: StandInDatabase) -> StandInDatabase:
    """A database that looks as if it had Citus."""
    await plain.run(STAND_IN)
    return plain


async def fill(database: StandInDatabase, table: str = "drops") -> None:
    await database.run(
        f"INSERT INTO {table} (site_id, hour, reason, cell, drops) SELECT 1, n, 'robot', 7, 1 "
        "FROM generate_series(1, 1000) n"
    )


# Which table goes where -----------------------------------------------------------------------------------------------


async def test_every_table_is_an_event_table_a_reference_table_or_stays(plain: StandInDatabase) -> None:
    tables = {
        row[0]: row[1]
        for row in await plain._connection.fetch(  # noqa: SLF001
            "SELECT relname::text, EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'cell') "
            "FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
    }
    assert table_names() == tables.keys()
    assert {name for name, has_cell in tables.items() if has_cell} == EVENTS
    assert {name for name, has_cell in tables.items() if not has_cell} == REFERENCES | STAYS
    assert {
        "kept_answers", "key_fingerprints", "key_processes", "leases", "live_batches", "live_lanes", "live_watches",
        "readiness", "salts", "sessions", "widget_files",
    } == STAYS  # fmt: skip


async def test_all_tables_are_distributed(database: StandInDatabase) -> None:
    steps = await database.distribute()
    assert {step.table for step in steps if step.did == "distributed"} == EVENTS
    assert {step.table for step in steps if step.did == "replicated"} == REFERENCES
    assert {step.shards for step in steps if step.did == "distributed"} == {32}
    kinds = "SELECT count(DISTINCT colocationid) FROM pg_dist_partition WHERE partmethod = 'h' AND partkey = 'cell'"
    assert await database.value(kinds) == 1
    asked = await database.asked()
    first = asked.index("distribute visits by cell with none")
    assert all(call.startswith(("replicate", "clean")) for call in asked[:first])
    assert {call for call in asked[first + 1 :] if not call.startswith("clean")} == {
        f"distribute {name} by cell with visits" for name in EVENTS - {"visits"}
    }


async def test_a_second_run_does_nothing(database: StandInDatabase) -> None:
    await database.distribute()
    asked = await database.asked()
    assert await database.distribute() == []
    assert await database.distribute(32) == []
    assert await database.asked() == asked


async def test_filled_tables_are_moved_and_the_copies_go(database: StandInDatabase) -> None:
    await fill(database)
    (drops,) = [step for step in await database.distribute() if step.table == "drops"]
    assert drops.bytes > 30_000
    assert await database.value("SELECT pg_relation_size('drops')") == 0
    asked = await database.asked()
    assert asked.index("clean drops") == asked.index("distribute drops by cell with visits") + 1


async def test_foreign_tables_are_left_alone(database: StandInDatabase) -> None:
    await database.run("CREATE TABLE their_events (cell smallint)")
    await database.distribute()
    assert not [call for call in await database.asked() if "their_events" in call]


async def test_a_number_of_shards(database: StandInDatabase) -> None:
    steps = await database.distribute(12)
    assert {step.shards for step in steps if step.did == "distributed"} == {12}
    with pytest.raises(StoreError, match=r"there are 12 shards already.*alter_distributed_table"):
        await database.distribute(13)


# Interruptions --------------------------------------------------------------------------------------------------------


async def test_it_carries_on_where_it_was_interrupted(database: StandInDatabase) -> None:
    await database.run("INSERT INTO sick VALUES ('guards')")
    done: list[Step] = []
    with pytest.raises(StoreError, match=r"refused for the table guards: no worker nodes.*Add more worker nodes"):
        await database.distribute(done=done)
    assert "visits" in {step.table for step in done}
    await database.run("DELETE FROM sick")
    rest = await database.distribute()
    assert rest[0].table == "guards"
    assert {step.table for step in done} | {step.table for step in rest} == EVENTS | REFERENCES
    assert len(done) + len(rest) == len(EVENTS | REFERENCES)


async def test_a_copy_that_was_left_is_cleaned(database: StandInDatabase) -> None:
    await database.distribute()
    await fill(database)  # stands for what is left where a run ended between moving and cleaning
    (step,) = await database.distribute()
    assert (step.table, step.did) == ("drops", "cleaned")
    assert await database.distribute() == []


async def test_a_new_table_joins_the_others(database: StandInDatabase) -> None:
    await database.distribute()
    for book in ("pg_dist_partition", "pg_dist_shard"):
        await database.run(f"DELETE FROM {book} WHERE logicalrelid = 'drops'::regclass")
    (step,) = await database.distribute()
    assert (step.table, step.did, step.shards) == ("drops", "distributed", 32)
    assert (await database.asked())[-2] == "distribute drops by cell with visits"


# What is refused ------------------------------------------------------------------------------------------------------


async def test_a_database_without_citus(plain: StandInDatabase) -> None:
    with pytest.raises(StoreError, match=r"has no Citus: install it.*CREATE EXTENSION citus"):
        await plain.distribute()


async def test_servers_have_to_be_stopped(database: StandInDatabase) -> None:
    await database.run("INSERT INTO leases VALUES ('slot 0', 'somebody', 1800000000001), ('slot 1', 'dead', 5)")
    with pytest.raises(StoreError, match=r"server processes use this database \(1\): stop them"):
        await database.distribute()
    assert await database.asked() == []
    await database.run("DELETE FROM leases WHERE name = 'slot 0'")
    assert await database.distribute()


async def test_a_table_in_use(database: StandInDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(citus, "_LOCK_TIMEOUT", "50ms")
    other = await asyncpg.connect(database.url)
    async with other.transaction():
        await other.execute("LOCK TABLE visits IN ROW EXCLUSIVE MODE")
        with pytest.raises(StoreError, match="the table visits is in use"):
            await database.distribute()
    await other.close()
    assert (await database.distribute())[0].table == "visits"


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ("create_distributed_table('visits', 'site_id')", r"visits is other and has to be distributed.*undistribute"),
        ("create_distributed_table('sites', 'site_id')", "sites is other and has to be reference"),
        ("create_reference_table('pages')", "pages is reference and has to be distributed"),
        ("create_reference_table('leases')", "leases is reference and has to be local"),
        (
            "create_distributed_table('visits', 'cell'), create_distributed_table('shares', 'cell')",
            "not co-located.*update_distributed_table_colocation",
        ),
    ],
)
async def test_what_was_distributed_by_hand(made: str, says: str, database: StandInDatabase) -> None:
    await database.run(f"SELECT {made}")
    before = await database.asked()
    with pytest.raises(StoreError, match=says):
        await database.distribute()
    assert await database.asked() == before


# The command ----------------------------------------------------------------------------------------------------------


async def test_the_command(database: StandInDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    await fill(database)
    context = CommandContext({"GRAPEVINE_DATABASE": database.url}, None)
    arguments = Namespace(json=False, distribute=True, shards=None)
    assert await migrate(context, arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "is up to date (version" in lines[0]
    assert lines[1] == "api_keys: replicated to every node"
    assert "visits: distributed by cell, 32 shards" in lines
    assert [line for line in lines if line.startswith("drops: distributed by cell, 32 shards, ") and "moved" in line]
    assert await migrate(context, arguments) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["All tables are distributed: there is nothing to do."]


async def test_the_command_as_json(database: StandInDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    context = CommandContext({"GRAPEVINE_DATABASE": database.url}, None)
    arguments = Namespace(json=True, distribute=True, shards=4)
    assert await migrate(context, arguments) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {"table": "shares", "did": "distributed", "shards": 4, "bytes": 0} in answer["tables"]
    assert await migrate(context, arguments) == 0
    assert json.loads(capsys.readouterr().out)["tables"] == []


def test_sqlite_is_not_distributed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRAPEVINE_DATABASE", f"sqlite:///{tmp_path}/grapevine.sqlite3")
    assert main(["migrate", "--distribute"]) == 2
    assert "cannot be distributed, only a PostgreSQL database with the extension citus can" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    assert main(["migrate", "--shards", "4"]) == 2
    assert capsys.readouterr().err == "grapevine: `--shards` goes with --distribute.\n"


# A cluster ------------------------------------------------------------------------------------------------------------


async def _left_alone(_: str) -> None:
    """Stands for distributing, where plain PostgreSQL stands for a cluster."""


async def test_what_tests_find_on_a_cluster(plain: StandInDatabase) -> None:
    cluster = Cluster(plain.url, _left_alone)
    one = cluster.create()
    first = await asyncpg.connect(cluster.url(one))
    await fill(StandInDatabase(cluster.url(one), first))
    await first.execute("UPDATE versions SET version = version + 1 WHERE name = 'sites'")
    two = cluster.create(one)
    second = await asyncpg.connect(cluster.url(two))
    empty(cluster.url(one))
    schema = f"schema{migrations()[-1].number}"
    versions = "SELECT string_agg(name || version, ' ' ORDER BY name) FROM versions"
    assert await first.fetchval("SELECT count(*) FROM drops") == 0
    assert await first.fetchval(versions) == f"erasures1 live1 page_joins1 {schema} sites1"
    assert await second.fetchval("SELECT sum(drops) FROM drops") == 1000
    assert await second.fetchval(versions) == f"erasures1 live0 page_joins0 {schema} sites2"
    assert await plain.value("SELECT count(*) FROM drops") == 0
    await first.close()
    await second.close()
    for name in (one, two):
        cluster.drop(name)
    assert await plain.value("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'grapevine%'") == 0
