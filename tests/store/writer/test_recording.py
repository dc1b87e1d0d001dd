"""A process that records for others: it does what recording inside does, and whatever happens to it is survived."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
import uvloop

from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.domain.events import (
    Answer,
    Conversion,
    Event,
    OptedOutVisit,
    Outcome,
    Stored,
    Unfurl,
    View,
    VisitNotFound,
    VisitOutcome,
)
from grapevine.domain.tokens import Token
from grapevine.errors import Interrupted, StoreError
from grapevine.recording.messages import Record, Recorded, read_answer, read_order, written
from grapevine.recording.remote import Remote
from grapevine.serving.supervised import READY
from grapevine.store.sqlite.store import SQLiteStore
from grapevine.writer.bursts import VisitorDay
from grapevine.writer.counts import Drops
from grapevine.writer.nonces import GUARD_VISITOR, Nonces
from grapevine.writer.recorder import NOTHING, Ledger
from grapevine.writer.writer import PATIENCE_SECONDS, Writer
from tests.store.writer.test_batch import COPY, NOON, SITE, World, page, report

pytestmark = [pytest.mark.anyio, pytest.mark.process]

NOWHERE = 5 << 40
MOMENTS = 100


class Recording:
    """The process, which may be started again, and where it is found."""

    def __init__(self, database: Path, turn: int) -> None:
        self.path = str(database.with_name("recording"))
        self._settings = Settings(database=f"sqlite:///{database}", secret_keys=(b"k" * 32,))
        self._turn = turn

    async def start(self) -> bytes:
        """Starts it; answers with what it says."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "grapevine.recording.process", str(self._turn), self.path,
            stdin=PIPE, stdout=PIPE, stderr=PIPE, pass_fds=(self._turn,),
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(msgspec.json.encode(self._settings) + b"\n")
        return await self.process.stdout.readline()

    async def end(self) -> tuple[int | None, bytes]:
        """It is not wanted any more: its status, when it has gone, and what it wrote to the log."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        _, log = await self.process.communicate()
        return self.process.returncode, log


@pytest.fixture
async def recording(store: SQLiteStore) -> AsyncIterator[Recording]:
    with tempfile.TemporaryFile() as turn:
        made = Recording(store.path, turn.fileno())
        assert await made.start() == READY
        yield made
        assert await made.end() == (0, b"")


def everything(world: World, visit: int) -> list[Event]:
    """An event of each kind, and some that name what is not there."""
    token = Token(visit, COPY, 0)
    return [
        world.arrival(token, title=None, app="Slack", visitor_before=None),
        world.arrival(own=True, reason=3, verdict=1),
        View(site_id=SITE, visit_id=visit, nonce="v" * 16, at=NOON), report(token),
        View(site_id=SITE, visit_id=NOWHERE, nonce="w" * 16, at=NOON),
        Unfurl(site_id=SITE, token=token, at=NOON, app="Slack"),
        Conversion(site_id=SITE, visit_id=visit, goal="Gruß", once="1", external_id="o", at=NOON, value=10**17,
                   currency="EUR"),
        Answer(site_id=SITE, visit_id=0, nonce="a" * 16, at=NOON, text="von Oma 👵", contact=None),
        OptedOutVisit(site_id=SITE, nonce="u" * 16, at=NOON, page=page("https://a.example/"), title="A", source=1,
                      device=2),
    ]  # fmt: skip


async def test_what_is_told_arrives_as_it_was(world: World) -> None:
    events = everything(world, (1 << 60) - 1)
    order = Record(7, 1, 3, events, [(SITE, 8, "robot", 2)])
    assert read_order(written(order)[4:]) == order
    landed = VisitOutcome(
        visit_id=(1 << 60) - 1, returned=True, reason=2, depth=3, is_self=False, same_network=True, duplicate=False
    )
    outcomes: list[Outcome] = [landed, Stored(duplicate=True), Stored(), VisitNotFound()]
    assert read_answer(written(Recorded(7, outcomes))[4:]) == Recorded(7, outcomes)


async def test_it_records_what_recording_inside_would(recording: Recording, world: World) -> None:
    async with Remote(recording.path).running() as remote:
        (first,) = await remote.record([world.arrival()], NOTHING, 0)
        assert isinstance(first, VisitOutcome)
        events = everything(world, first.visit_id)
        new, gone, seen = Stored(), VisitNotFound(), Stored(duplicate=True)
        one, other, *rest = await remote.record(events, {(SITE, 1, "robot"): 3}, 1)
        assert isinstance(one, VisitOutcome)
        assert (one.depth, one.returned) == (1, True)
        assert isinstance(other, VisitOutcome)
        assert (other.reason, other.returned) == (3, True)
        assert rest == [new, new, gone, new, new, new, new]
        again = await asyncio.gather(*(remote.record(events, NOTHING, lane) for lane in range(2)))
    for outcomes in again:
        assert outcomes[2:] == [seen, seen, gone, new, seen, seen, seen]
        assert all(isinstance(outcome, VisitOutcome) and outcome.duplicate for outcome in outcomes[:2])
    assert await world.table("SELECT site_id, drops FROM drops") == [(SITE, 3)]
    assert (await world.totals())["visits"] == 2


async def test_ids_are_made_with_the_key_of_the_database(
    recording: Recording, store: SQLiteStore, world: World
) -> None:
    event = world.arrival()
    async with Remote(recording.path).running() as remote:
        (landed,) = await remote.record([event], NOTHING, 0)
    key = await store.registry.salt("nonce", 0, "another")
    async with store.batch() as batch:
        (again,) = await Ledger(Nonces(bytes.fromhex(key))).record(batch, [event])
    assert isinstance(landed, VisitOutcome)
    assert isinstance(again, VisitOutcome)
    assert (again.visit_id, again.duplicate) == (landed.visit_id, True)


async def test_counts_are_raised_in_the_slot_that_it_was_told(recording: Recording, world: World) -> None:
    async with Remote(recording.path).running() as remote:
        for slot in (4, 6):
            remote.set_slot(slot)
            assert remote.slot == slot
            for lane in range(2):
                await remote.record([world.arrival()], NOTHING, lane)
    counted = await world.table("SELECT cell, sum(visits) FROM counts_hour GROUP BY cell ORDER BY cell")
    assert counted == [(4, 2), (6, 2)]


async def test_a_machine_that_one_forgets_counts_as_a_visitor_again_for_all(
    recording: Recording, store: SQLiteStore, world: World
) -> None:
    machine = VisitorDay(SITE, ids.day_at(NOON), 77)
    async with Remote(recording.path).running() as one, Remote(recording.path).running() as other:

        async def visitors() -> int:
            await one.record([world.arrival(visitor=machine.visitor)], NOTHING, 0)
            return (await world.totals())["visitors"]

        assert [await visitors() for _ in range(2)] == [1, 1]
        async with store.batch() as batch:
            key = machine.visitor << 16 | machine.day
            assert await batch.verdicts.forget_guard(SITE, GUARD_VISITOR, key, machine.cell)
        assert await visitors() == 1
        other.forget(machine)
        await other.record([], NOTHING, 0)
        assert await visitors() == 2


async def test_an_event_that_cannot_be_stored_fails_its_batch_and_nothing_else(
    recording: Recording, world: World
) -> None:
    async with Remote(recording.path).running() as remote:
        (landed,) = await remote.record([world.arrival()], NOTHING, 0)
        assert isinstance(landed, VisitOutcome)
        poison = Conversion(
            site_id=SITE, visit_id=landed.visit_id, goal="a", once="1", external_id=None, at=NOON, value=1 << 63,
            currency="EUR",
        )  # fmt: skip
        with pytest.raises(RuntimeError, match=r"in the recording process: Traceback[\s\S]* line \d+"):
            await remote.record([world.arrival(), poison], NOTHING, 0)
        await remote.record([world.arrival()], NOTHING, 0)
    assert (await world.totals())["visits"] == 2


async def test_when_it_is_killed_batches_wait_for_the_next(recording: Recording, world: World) -> None:
    event = world.arrival()
    async with Remote(recording.path).running() as remote, asyncio.timeout(10 * PATIENCE_SECONDS):
        recording.process.send_signal(signal.SIGSTOP)
        waiting = asyncio.create_task(remote.record([event], NOTHING, 0))
        await asyncio.sleep(0)  # by now it is on its way
        recording.process.kill()
        with pytest.raises(Interrupted, match="gone"):
            await waiting
        assert not remote.able
        with pytest.raises(Interrupted, match="being replaced"):
            await remote.record([event], NOTHING, 0)
        async with Writer(remote, Drops(), lambda: NOON) as writer:
            submitted = asyncio.create_task(writer.submit(event))
            assert await recording.start() == READY
            assert isinstance(await submitted, VisitOutcome)
        assert remote.able
    assert (await world.totals())["visits"] == 1


async def test_signals_mean_nothing_to_it_and_it_goes_when_nobody_is_connected(
    recording: Recording, world: World
) -> None:
    async with Remote(recording.path).running() as remote:
        await remote.record([], NOTHING, 0)
        for each in (signal.SIGTERM, signal.SIGINT):
            recording.process.send_signal(each)
        ending = asyncio.create_task(recording.end())
        assert isinstance((await remote.record([world.arrival()], NOTHING, 0))[0], VisitOutcome)
        assert not ending.done()
    assert await ending == (0, b"")


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_who_sends_before_it_is_seen_that_it_is_gone(
    tmp_path: Path, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def send(listener: socket.socket) -> list[list[Outcome] | BaseException]:
        async with Remote(str(tmp_path / "recording")).running() as remote:
            accepted, _ = listener.accept()
            listener.close()
            accepted.close()
            batches = []
            for _ in range(MOMENTS):
                batches.append(asyncio.create_task(remote.record([], NOTHING, 0)))
                remote.forget(VisitorDay(SITE, 1, 1))
                await asyncio.sleep(0)
            return await asyncio.gather(*batches, return_exceptions=True)

    with socket.socket(socket.AF_UNIX) as listener, asyncio.Runner(loop_factory=loop_factory) as runner:
        listener.bind(str(tmp_path / "recording"))
        listener.listen()
        assert [type(outcome) for outcome in runner.run(send(listener))] == [Interrupted] * MOMENTS


async def test_nobody_is_there_at_first(tmp_path: Path) -> None:
    path = str(tmp_path / "recording")
    with pytest.raises(StoreError, match=f"no recording process is found at {path}: "):
        async with Remote(path, patience=0).running():
            pass


async def test_a_database_that_cannot_be_used_is_one_clear_line(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with tempfile.TemporaryFile() as turn:
        recording = Recording(folder, turn.fileno())
        assert await recording.start() == b""
        status, log = await recording.end()
    assert status == 1
    assert f"grapevine.recording: cannot use the database file {folder}: " in log.decode()
    assert b"Traceback" not in log


@pytest.fixture
def store(sqlite_store: SQLiteStore) -> SQLiteStore:
    return sqlite_store


@pytest.fixture
def world(store: SQLiteStore) -> World:
    return World(store)
