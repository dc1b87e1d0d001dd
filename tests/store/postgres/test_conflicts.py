"""Transactions that PostgreSQL aborts are retried; connections to a silent server time out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest

from grapevine.domain.events import Event, Outcome, VisitOutcome
from grapevine.errors import Interrupted
from grapevine.store.postgres.hosts import urls_of
from grapevine.store.postgres.store import PostgresStore
from grapevine.store.write_batch import Batch
from grapevine.writer.counts import Drop, Drops
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import NO_DROPS, EventRecorder
from grapevine.writer.writer import Writer
from tests.store.writer.submitting import submit
from tests.store.writer.test_batch import NOON, SITE, BatchScene
from tests.support.postgres import Postgres

pytestmark = pytest.mark.anyio

SOON_SECONDS = 2.5
FAILS_TWICE = """
CREATE SEQUENCE tries;
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('tries') <= 2 THEN RAISE EXCEPTION 'twice' USING ERRCODE = '{state}'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fail BEFORE INSERT ON visits FOR EACH STATEMENT EXECUTE FUNCTION fail();
"""


@pytest.fixture
def postgres_url(packaged_postgres_url: str) -> str:
    """Never on a cluster: triggers, locks that are looked at and a server that is frozen are the packaged one's."""
    return packaged_postgres_url


@pytest.fixture
async def rival(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Another client's connection to the same database."""
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


@pytest.mark.parametrize("state", ["40001", "40P01", "53300", "55P03", "57P03", "08006", "25006"])
async def test_what_may_pass_is_tried_again(
    postgres_store: PostgresStore, rival: asyncpg.Connection, state: str
) -> None:
    await rival.execute(FAILS_TWICE.format(state=state))
    world = BatchScene(postgres_store)
    async with Writer(EventRecorder(postgres_store, Nonces(b"n" * 32)), Drops(), lambda: NOON) as writer:
        assert isinstance(await submit(writer, world.arrival()), VisitOutcome)
    assert await rival.fetchval("SELECT last_value FROM tries") == 3
    assert (await world.totals())["visits"] == 1


@pytest.mark.parametrize("state", ["22012", "23514"])
async def test_what_is_wrong_with_an_event_is_not(
    postgres_store: PostgresStore, rival: asyncpg.Connection, state: str
) -> None:
    await rival.execute(FAILS_TWICE.format(state=state))
    async with Writer(EventRecorder(postgres_store, Nonces(b"n" * 32)), Drops(), lambda: NOON) as writer:
        with pytest.raises(asyncpg.PostgresError):
            await submit(writer, BatchScene(postgres_store).arrival())
    assert await rival.fetchval("SELECT last_value FROM tries") == 1


class Meeting(EventRecorder):
    """Keeps its first transaction open until the test lets it go on, then writes drops, which the rival has locked."""

    def __init__(self, store: PostgresStore) -> None:
        super().__init__(store, Nonces(b"n" * 32))
        self.written = asyncio.Event()
        self.go_on = asyncio.Event()
        self.attempts = 0

    async def record_in(
        self, batch: Batch, events: Sequence[Event], drops: Mapping[Drop, int] = NO_DROPS, slot_offset: int = 0
    ) -> list[Outcome]:
        self.attempts += 1
        outcomes = await super().record_in(batch, events, slot_offset=slot_offset)
        self.written.set()
        await self.go_on.wait()
        await super().record_in(batch, (), drops, slot_offset)
        return outcomes


async def test_a_batch_that_is_the_victim_of_a_deadlock_is_tried_again(
    postgres_store: PostgresStore, postgres_url: str, rival: asyncpg.Connection
) -> None:
    """The rival holds the drops and waits for the batch's counts; the batch holds these and waits for the drops."""
    drops, recorder, world = Drops(), Meeting(postgres_store), BatchScene(postgres_store)
    await world.play(world.arrival())
    drops.add(SITE, "robot", NOON)
    async with Writer(EventRecorder(postgres_store, Nonces(b"n" * 32)), drops, lambda: NOON):
        pass
    drops.add(SITE, "robot", NOON)
    await rival.execute("SET deadlock_timeout = '1h'")  # so that it is the batch that finds the circle and gives up
    async with Writer(recorder, drops, lambda: NOON) as writer:
        async with _open(rival):
            await rival.execute("UPDATE drops SET drops = drops")
            sent = asyncio.create_task(submit(writer, world.arrival()))
            await recorder.written.wait()
            waiting = asyncio.create_task(rival.execute("UPDATE counts_hour SET views = views"))
            await _waits(postgres_url, rival.get_server_pid())
            recorder.go_on.set()
            await waiting
        assert isinstance(await sent, VisitOutcome)
    assert recorder.attempts >= 2
    assert (await world.totals())["visits"] == 2
    assert await postgres_store.look("SELECT sum(drops) FROM drops") == [(2,)]


class Held(EventRecorder):
    """Holds one batch before its COMMIT, with all that it has written, until the test lets it go on."""

    def __init__(self, store: PostgresStore) -> None:
        super().__init__(store, Nonces(b"n" * 32))
        self.holds = False
        self.written = asyncio.Event()
        self.go_on = asyncio.Event()

    async def record_in(
        self, batch: Batch, events: Sequence[Event], drops: Mapping[Drop, int] = NO_DROPS, slot_offset: int = 0
    ) -> list[Outcome]:
        outcomes = await super().record_in(batch, events, drops, slot_offset)
        if self.holds:
            self.holds = False
            self.written.set()
            await self.go_on.wait()
        return outcomes


async def test_batches_on_their_way_at_once_do_not_wait_for_each_others_counts(postgres_store: PostgresStore) -> None:
    """They count in slots of their own; one after the other, all in the first."""
    drops, recorder, world = Drops(), Held(postgres_store), BatchScene(postgres_store)
    async with Writer(recorder, drops, lambda: NOON) as writer:
        assert isinstance(
            await submit(writer, world.arrival()), VisitOutcome
        )  # waits for the other batch, which adds the same page of the day
        recorder.holds = True
        drops.add(SITE, "robot", NOON)
        first = asyncio.create_task(submit(writer, world.arrival()))
        await recorder.written.wait()
        drops.add(SITE, "robot", NOON)
        try:
            async with asyncio.timeout(SOON_SECONDS):
                second = await submit(writer, world.arrival())
        finally:
            waited = not first.done()
            recorder.go_on.set()
        assert waited
        assert isinstance(second, VisitOutcome)
        assert isinstance(await first, VisitOutcome)
        for _ in range(2):
            assert isinstance(await submit(writer, world.arrival()), VisitOutcome)
    for table in ("counts_hour", "counts_day", "counts_page", "counts_week", "counts_device"):
        found = await postgres_store.look(f"SELECT cell, max(visits) FROM {table} GROUP BY cell ORDER BY cell")
        assert found == [(0, 4), (1, 1)], table
    assert await postgres_store.look("SELECT cell, drops FROM drops ORDER BY cell") == [(0, 1), (1, 1)]
    assert (await world.totals())["visits"] == 5


async def test_a_silent_server_is_not_waited_for(postgres_store: PostgresStore, postgres_server: Postgres) -> None:
    """Neither by a check whether the store is writable, nor by a cancelled caller, nor at the end."""
    loop = asyncio.get_running_loop()
    assert await postgres_store.writable()
    await postgres_store.sites.version()
    with postgres_server.frozen():
        for _ in range(2):  # on a connection that there was, and without one
            started = loop.time()
            assert not await postgres_store.writable()
            assert loop.time() - started < SOON_SECONDS
            started = loop.time()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await postgres_store.sites.version()
            assert loop.time() - started < SOON_SECONDS
    async with asyncio.timeout(SOON_SECONDS):
        assert await postgres_store.writable()
    with postgres_server.frozen():
        async with asyncio.timeout(2 * SOON_SECONDS):
            await postgres_store.close()
    assert not await postgres_store.writable()


async def test_a_server_that_only_reads_is_not_writable(
    postgres_store: PostgresStore, postgres_url: str, rival: asyncpg.Connection
) -> None:
    """As a primary that became a standby; its old connections are not kept."""
    database = postgres_url.partition("?")[0].rpartition("/")[2]
    await rival.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    await rival.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert not await postgres_store.writable()
    with pytest.raises(Interrupted):
        await postgres_store.leases.acquire_lease("anything", "me", 0, 1)
    await rival.execute("SET default_transaction_read_only = off")
    await rival.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = off")
    assert await postgres_store.writable()


@pytest.mark.parametrize(
    ("url", "each"),
    [
        ("postgresql://u:p@a/db", ["postgresql://u:p@a/db"]),
        (
            "postgresql://u:p@a:1,b:2/db?sslmode=require",
            ["postgresql://u:p@a:1/db?sslmode=require", "postgresql://u:p@b:2/db?sslmode=require"],
        ),
        ("postgresql://u@/db?host=/x,/y z", ["postgresql://u@/db?host=/x", "postgresql://u@/db?host=/y%20z"]),
        ("postgresql:///db?host=a,b&port=1,2", ["postgresql:/db?host=a&port=1", "postgresql:/db?host=b&port=2"]),
        ("postgresql://a,b/db?port=7", ["postgresql://a/db?port=7", "postgresql://b/db?port=7"]),
        ("postgresql://a,b,c/db?port=1,2", ["postgresql://a,b,c/db?port=1,2"]),
    ],
)
def test_each_host_has_a_url_of_its_own(url: str, each: list[str]) -> None:
    assert urls_of(url) == each


@asynccontextmanager
async def _open(connection: asyncpg.Connection) -> AsyncIterator[None]:
    async with connection.transaction():
        yield


async def _waits(url: str, process: int) -> None:
    """Returns when that backend waits for a lock."""
    looker = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(30):
            while True:
                if await looker.fetchval("SELECT count(*) FROM pg_locks WHERE pid = $1 AND NOT granted", process):
                    return
                await asyncio.sleep(0.01)
    finally:
        await looker.close()
