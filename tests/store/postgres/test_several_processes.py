"""Several stores on one PostgreSQL database: what they write at once adds up, and one of them makes the tables."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest

from grapevine.domain import ids
from grapevine.domain.enums import SOURCES
from grapevine.domain.events import Event, OptedOutVisit, Outcome, Stored, Unfurl, View, VisitEvent, VisitOutcome
from grapevine.domain.tokens import Token
from grapevine.errors import Interrupted, StoreError
from grapevine.store import sql_loader
from grapevine.store.postgres.snapshot import snapshot
from grapevine.store.postgres.store import PostgresStore
from grapevine.store.repositories.consistency import COMPARISONS, Recount
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import EventRecorder
from tests.store.databases import PostgresDatabases
from tests.store.writer.test_batch import COPY, NOON, SITE, WHATSAPP, BatchScene, page, report
from tests.support.postgres import Postgres

pytestmark = pytest.mark.anyio

WRITERS: Final = 3
ROUNDS: Final = 12
_TRIES: Final = 50


class Collectors:
    """Processes that collect for one database: each with a store and a recorder of its own, in a slot of its own."""

    def __init__(self, stores: Sequence[PostgresStore]) -> None:
        self.stores = stores
        self.recorders = [EventRecorder(store, Nonces(b"n" * 32), slot) for slot, store in enumerate(stores)]
        self.interrupted = 0

    async def record(self, process: int, events: Sequence[Event]) -> list[Outcome]:
        """Stores a batch as the writer does: again as a whole when it was given up for another one's sake."""
        for _ in range(_TRIES):
            try:
                outcomes = await self.recorders[process].record(events)
            except Interrupted:
                self.interrupted += 1
                continue
            return outcomes
        raise AssertionError(f"interrupted {_TRIES} times")

    async def record_at_once(self, batches: Sequence[Sequence[Event]]) -> list[list[Outcome]]:
        """Each batch by the next collector, all at the same time."""
        return list(
            await asyncio.gather(*(self.record(index % len(self.stores), each) for index, each in enumerate(batches)))
        )


@asynccontextmanager
async def opened(url: str, number: int = WRITERS) -> AsyncIterator[Collectors]:
    async with AsyncExitStack() as stack:
        stores = [PostgresStore(url) for _ in range(number)]
        for store in stores:
            await store.open()
            stack.push_async_callback(store.close)
        yield Collectors(stores)


@pytest.fixture
async def collectors(postgres_url: str) -> AsyncIterator[Collectors]:
    async with opened(postgres_url) as found:
        yield found


async def check(url: str) -> None:
    """Checks that counts and summaries equal the rows."""
    async with snapshot(url) as now:
        recount = Recount(now)
        for name in COMPARISONS:
            found = await recount.compare(name, None, 5)
            assert not found.differing, (name, found)


class ConflictingEvents:
    """Random events that meet: in few cascades, on few pages, by few visitors, and many of them more than once."""

    def __init__(self, seed: int, world: BatchScene) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.world = world
        self.visits: list[int] = []
        self.sent: list[Event] = []
        self.arrivals: set[str] = set()

    def landed(self, outcomes: Sequence[Outcome]) -> None:
        """Tokens of these visits have been handed out."""
        self.visits += [outcome.visit_id for outcome in outcomes if isinstance(outcome, VisitOutcome)]
        self.visits = self.visits[-40:]

    def batches(self) -> list[list[Event]]:
        """What arrives at every collector meanwhile."""
        found = [[self._event() for _ in range(self.chance.randint(1, 12))] for _ in range(WRITERS)]
        for events in found:
            if self.chance.random() < 0.7:  # sent again, to another process, while the first is on its way
                self.chance.choice(found).append(self.chance.choice(events))
        for events in found:
            self.chance.shuffle(events)
        return found

    def _event(self) -> Event:
        if self.sent and self.chance.random() < 0.1:
            return self.chance.choice(self.sent)
        event = self._new()
        self.sent.append(event)
        if isinstance(event, VisitEvent):
            self.arrivals.add(event.nonce)
        return event

    def _new(self) -> Event:
        kind = self.chance.random()
        at = NOON + self.chance.randrange(3 * ids.HOUR_MS)
        if kind < 0.15 or not self.visits:
            return self._arrival(at, None)
        visit_id = self.chance.choice(self.visits)
        token = Token(visit_id, self.chance.choice((COPY, WHATSAPP)), self.chance.choice((0, 0, 1)))
        if kind < 0.55:
            return self._arrival(at, token)
        if kind < 0.8:
            return report(token, at, self.chance.choice(("https://a.example/deep", "https://a.example/other")))
        nonce = f"nonce{self.chance.randrange(50):011}"
        if kind < 0.9:
            return View(site_id=SITE, visit_id=visit_id, nonce=nonce, at=at)
        if kind < 0.95:
            return Unfurl(site_id=SITE, token=token, at=at, app=self.chance.choice(("slack", "discord")))
        home = page("https://a.example/")
        return OptedOutVisit(site_id=SITE, nonce=nonce, at=at, page=home, title=None, source=8, device=1)

    def _arrival(self, at: int, token: Token | None) -> VisitEvent:
        # One visitor has one hash a day; the same few come back all the time.
        return self.world.arrival(
            token,
            at=at,
            visitor=1 + self.chance.randrange(30),
            own=token is not None and self.chance.random() < 0.2,
            source=SOURCES["search"],
            page=page(f"https://a.example/{self.chance.randrange(4)}"),
            title=self.chance.choice((None, "Grapes")),
        )


@pytest.mark.parametrize("seed", range(8))
async def test_what_is_written_at_once_adds_up(collectors: Collectors, postgres_url: str, seed: int) -> None:
    first = collectors.stores[0]
    crowd = ConflictingEvents(seed, BatchScene(first))
    crowd.landed(await collectors.record(0, [crowd.world.arrival(visitor=1 + n) for n in range(3)]))
    begun = 3
    for _ in range(ROUNDS):
        for outcomes in await collectors.record_at_once(crowd.batches()):
            crowd.landed(outcomes)
    await check(postgres_url)
    ((visits, distinct),) = await first.look("SELECT count(*), count(DISTINCT visit_id) FROM visits")
    assert visits == distinct == begun + len(crowd.arrivals)
    ((counted,),) = await first.look("SELECT sum(visits) FROM counts_hour")
    assert counted == visits
    ((slots,),) = await first.look("SELECT count(DISTINCT cell) FROM counts_hour")
    assert slots == WRITERS


@pytest.mark.parametrize("writers", [2, 3])
async def test_first_returns_of_one_root_at_the_same_time(postgres_url: str, writers: int) -> None:
    async with opened(postgres_url, writers) as collectors:
        world = BatchScene(collectors.stores[0])
        for _ in range(10):
            root = await world.land(world.arrival())
            tokens = [Token(root.visit_id, channel, 0) for channel in (COPY, WHATSAPP)]
            batches: list[list[Event]] = [[report(tokens[0]), report(tokens[1])]]
            batches += [[world.arrival(tokens[process % 2]), report(tokens[process % 2])] for process in range(writers)]
            await collectors.record_at_once(batches)
            ((size, shares),) = await world.table(f"SELECT size, shares FROM cascades WHERE root_id = {root.visit_id}")
            assert (size, shares) == (writers + 1, 2)
        await check(postgres_url)


async def test_one_arrival_sent_to_everybody_is_one_visit(collectors: Collectors, postgres_url: str) -> None:
    world = BatchScene(collectors.stores[0])
    root = await world.land(world.arrival())
    for token in [None, Token(root.visit_id, COPY, 0)] * 5:
        same = [world.arrival(token), world.arrival(token)]
        outcomes = await collectors.record_at_once([same, same[::-1], same])
        landed = [one for answers in outcomes for one in answers if isinstance(one, VisitOutcome)]
        assert len({one.visit_id for one in landed}) == 2
        assert sorted(one.duplicate for one in landed) == [False] * 2 + [True] * 4
        assert {one.depth for one in landed} == {0 if token is None else 1}
    await check(postgres_url)


async def test_repeated_events_count_once_across_processes(collectors: Collectors, postgres_url: str) -> None:
    world = BatchScene(collectors.stores[0])
    root = await world.land(world.arrival(visitor=5))
    for number in range(5):
        view = View(site_id=SITE, visit_id=root.visit_id, nonce=f"view{number:012}", at=NOON)
        outcomes = await collectors.record_at_once([[view], [view], [view]])
        answers = [one for (one,) in outcomes if isinstance(one, Stored)]
        assert sorted(one.duplicate for one in answers) == [False, True, True]
    arrivals = [[world.arrival(visitor=99)] for _ in range(WRITERS)]
    await collectors.record_at_once(arrivals)
    assert await world.totals() == {"views": 9, "visits": 4, "visitors": 2}
    await check(postgres_url)


async def test_batches_that_name_cascades_in_any_order_all_succeed(collectors: Collectors, postgres_url: str) -> None:
    world = BatchScene(collectors.stores[0])
    roots = [await world.land(world.arrival()) for _ in range(40)]
    for _ in range(5):
        names = [Token(root.visit_id, COPY, 0) for root in roots]
        await collectors.record_at_once(
            [[world.arrival(token) for token in order] for order in (names, names[::-1], names[20:] + names[:20])]
        )
    assert (await world.totals())["returns"] == 40 * 5 * WRITERS
    await check(postgres_url)


async def test_several_that_open_an_empty_database_make_the_tables_once(postgres_server: Postgres) -> None:
    name = postgres_server.create()
    stores = [PostgresStore(postgres_server.url(name)) for _ in range(6)]
    await asyncio.gather(*(store.open() for store in stores))
    newest = sql_loader.migrations()[-1].number
    for number, store in enumerate(stores):
        assert await store.writable()
        await BatchScene(store, EventRecorder(store, Nonces(b"n" * 32), number)).play(
            BatchScene(store).arrival(nonce=f"nonce{number:011}")
        )
        assert await store.look("SELECT version FROM versions WHERE name = 'schema'") == [(newest,)]
    assert await stores[0].look("SELECT count(*) FROM visits") == [(6,)]
    await asyncio.gather(*(store.close() for store in stores))
    postgres_server.drop(name)


async def test_a_database_of_a_newer_version_is_refused(postgres_databases: PostgresDatabases) -> None:
    async with postgres_databases.holding() as database:
        await database.change("UPDATE versions SET version = 999 WHERE name = 'schema'")
        with pytest.raises(StoreError, match="it was used by a newer version; run that one, or restore"):
            await database.store().open()
        assert await database.rows("SELECT version FROM versions WHERE name = 'schema'") == [(999,)]


@pytest.fixture
def locked(postgres_server: Postgres) -> Iterator[Postgres]:
    """A server on which the role ``locked`` needs its password, ``grapes/and wine``; all others stay as they are."""
    postgres_server.sql("CREATE ROLE locked LOGIN PASSWORD 'grapes/and wine'")
    rules = postgres_server.sql("SHOW hba_file").strip()
    loaded = postgres_server.sql("SELECT pg_conf_load_time()")
    postgres_server.sql(
        "COPY (VALUES ('local all locked scram-sha-256'), ('local all all trust')) "
        f"TO '{rules}'; SELECT pg_reload_conf()"
    )
    while postgres_server.sql("SELECT pg_conf_load_time()") == loaded:
        pass
    yield postgres_server
    postgres_server.sql("DROP ROLE locked")


async def refusal(url: str) -> str:
    """Returns the error of a database that cannot be opened: one sentence, without the password."""
    store = PostgresStore(url)
    with pytest.raises(StoreError) as caught:
        await store.open()
    assert not await store.writable()
    await store.close()
    text = str(caught.value)
    assert text.startswith("the database postgresql://")
    assert "\n" not in text
    assert not any(word in text for word in ("grapes", "wine", "%20"))
    return text


async def test_a_password_that_is_wrong_or_right(locked: Postgres, postgres_template: str) -> None:
    name = locked.create(postgres_template)
    wrong, right = (
        locked.url(name).replace("postgres@", f"locked:{quote(word, safe='')}@")
        for word in ("grapes/and water", "grapes/and wine")
    )
    assert 'password authentication failed for user "locked"' in await refusal(wrong)
    locked.sql(f"GRANT pg_read_all_data, pg_write_all_data TO locked; ALTER DATABASE {name} OWNER TO locked")
    store = PostgresStore(right)
    await store.open()
    assert await store.sites.sites() == []
    await store.close()
    locked.drop(name)


async def test_a_database_or_role_that_is_not_there(postgres_server: Postgres) -> None:
    url = postgres_server.url("lees").replace("postgres@", "postgres:grapes@")
    assert 'database "lees" does not exist' in await refusal(url)
    url = postgres_server.url().replace("postgres@", "vintner:grapes@")
    assert 'role "vintner" does not exist' in await refusal(url)


async def test_a_closed_port_and_an_unknown_host(free_tcp_port: int, tmp_path: Path) -> None:
    text = await refusal(f"postgresql://vines:grapes@127.0.0.1:{free_tcp_port}/lees")
    assert text.startswith(f"the database postgresql://127.0.0.1:{free_tcp_port}/lees cannot be reached: ")
    assert "cannot be reached" in await refusal(f"postgresql://vines:grapes@/lees?host={tmp_path}")
    assert "cannot be reached" in await refusal("postgresql://vines:grapes@host.invalid/lees")
    assert "cannot be used" in await refusal("postgresql://vines:grapes@127.0.0.1:port/lees")
