"""Lines of access logs on a real store: each is stored once, or joined once with the visit that a script reported."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from grapevine.domain import ids
from grapevine.domain.events import Unfurl, VisitEvent
from grapevine.domain.tokens import Token
from grapevine.domain.urls import OTHER_PAGE, page_id
from grapevine.store.base import Store
from grapevine.store.repositories.log_joins import LogJoins, ReportedVisit, ShareMoment
from grapevine.writer.eraser import Eraser
from grapevine.writer.line_joins import WITHIN_MS
from grapevine.writer.logged_visits import DecidedLines, decide
from grapevine.writer.name_bounds import BOUNDS, PAGE, Bound
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import EventRecorder
from tests.store.writer.stored_rows import assert_recounted
from tests.store.writer.test_batch import COPY, NOON, SITE, WHATSAPP, BatchScene, page
from tests.store.writer.test_retention import retention_job

pytestmark = pytest.mark.anyio

NONCES = Nonces(b"n" * 32)
MINUTE = 60_000


class Scene(BatchScene):
    """A world with a sharer, whose link is opened."""

    async def open(self) -> Token:
        root = await self.land(self.arrival())
        self.token = Token(root.visit_id, COPY, 0)
        return self.token

    def line(self, at: int, **changes: object) -> VisitEvent:
        """The line of an arrival through the sharer's link, without a visitor."""
        line = self.arrival(self.token, visitor=None, visitor_before=None, logged=True, title=None, at=at, **changes)
        return msgspec.structs.replace(line, nonce=f"log {line.nonce}")

    async def read(self, *events: VisitEvent | Unfurl) -> DecidedLines:
        """Stores lines as an import does."""
        async with self.store.batch() as batch:
            decided = await decide(batch, NONCES, events)
            if decided.events:
                await self.recorder.record_in(batch, decided.events)
        await assert_recounted(self.store)
        return decided

    async def joins(self) -> Sequence[tuple[int, ...]]:
        return await self.table("SELECT visit_id, line_key FROM log_joins ORDER BY 1")

    async def logged(self) -> list[int]:
        """The times of the visits that only a log shows."""
        return [at for (at,) in await self.table("SELECT at FROM visits WHERE (flags & 12) = 8 ORDER BY at")]


@pytest.fixture
def world(store: Store) -> Scene:
    return Scene(store)


async def test_lines_become_returns_once(world: Scene) -> None:
    await world.open()
    lines = [world.line(NOON + number * MINUTE) for number in range(4)]
    assert (await world.read(*lines[:3], lines[0])).known == 1
    before = await world.dump()
    assert await world.read(*lines[:3]) == DecidedLines(events=[], joined=0, known=3, unknown=0)
    assert await world.dump() == before
    assert [event.at for event in (await world.read(*lines)).events] == [lines[3].at]
    totals = await world.totals()
    assert (totals["visits"], totals["returns"], totals["visitors"], totals["proven"]) == (5, 4, 1, 1)
    rows = await world.table("SELECT depth, visitor, network, flags FROM visits WHERE depth > 0")
    assert rows == [(1, None, None, 8)] * 4


async def test_a_line_is_joined_with_the_visit_that_a_script_reported(world: Scene) -> None:
    """One to one, through the same share, within ten minutes; the likeliest pairs first."""
    token = await world.open()
    reported = [await world.land(world.arrival(token, at=NOON + at)) for at in (5 * MINUTE, 40 * MINUTE)]
    other = await world.land(world.arrival(Token(token.visit_id, WHATSAPP, 0), at=NOON))
    lines = [
        world.line(NOON + 4 * MINUTE, page=page("https://a.example/other")),
        world.line(NOON + 5 * MINUTE - 900),
        world.line(NOON + 40 * MINUTE + WITHIN_MS + 1),
        world.line(NOON + 40 * MINUTE - WITHIN_MS),
    ]
    decided = await world.read(*lines)
    assert (decided.joined, sorted(event.at for event in decided.events)) == (2, [lines[0].at, lines[2].at])
    assert [visit for visit, _ in await world.joins()] == sorted(landed.visit_id for landed in reported)
    assert await world.logged() == [lines[0].at, lines[2].at]
    before, joins = await world.dump(), await world.joins()
    # A visit that comes later, within reach of lines that are decided, changes nothing about them.
    assert (await world.read(*lines)).known == 4
    await world.land(world.arrival(token, at=NOON + 4 * MINUTE))
    after = await world.dump()
    assert (await world.read(*lines[::-1])).known == 4
    assert (await world.dump(), await world.joins()) == (after, joins)
    assert (len(after["visits"]), other.visit_id) == (len(before["visits"]) + 1, other.visit_id)
    # But it is free for another line.
    assert (await world.read(world.line(NOON + 4 * MINUTE))).joined == 1


async def test_no_line_is_left_out_within_reach_of_a_visit_that_is_left(world: Scene) -> None:
    """Many opened the link at once, and the browser's day may be another one than the server's."""
    token = await world.open()
    midnight = ids.day_start(2501)
    visits = [world.arrival(token, at=midnight + number, day=2500 + number % 3) for number in range(100)]
    await world.play(*visits)
    lines = [world.line(midnight - 1000 - number, day=2500) for number in range(120)]
    for part in (lines[:70], lines[70:]):
        await world.read(*part)
    assert (len(await world.joins()), len(await world.logged())) == (100, 20)


async def test_lines_of_sharers_that_are_not_here_are_left_out(world: Scene) -> None:
    token = await world.open()
    gone = Token(ids.pack(2500, 5, 5), COPY, 0)
    unfurl = Unfurl(site_id=SITE, token=token, at=NOON, app="slack")
    astray = msgspec.structs.replace(world.line(NOON), token=gone)
    lines: list[VisitEvent | Unfurl] = [astray, world.line(NOON), unfurl]
    lines.append(Unfurl(site_id=SITE, token=gone, at=NOON, app="slack"))
    decided = await world.read(*lines)
    assert (decided.unknown, len(decided.events)) == (2, 2)


async def test_invented_pages_have_a_bound_and_stay_what_they_are(store: Store) -> None:
    """One network uses half of the pages of a day, in a second run as in the first; its hash is not stored."""

    def scene() -> Scene:
        return Scene(store, EventRecorder(store, NONCES, bounds={**BOUNDS, PAGE: Bound(a_day=21)}))

    world = scene()
    await world.open()
    lines = [
        world.line(NOON + number, page=page(f"https://a.example/invented/{number}"), network=1 << 24)
        for number in range(30)
    ]
    await world.read(*lines[:15])
    await world.read(*lines[15:])
    assert await world.table(f"SELECT count(*) FROM visits WHERE page_id = {page_id(SITE, OTHER_PAGE)}") == [(20,)]
    assert await world.table("SELECT count(*) FROM visits WHERE network IS NOT NULL") == [(0,)]
    before = await world.dump()
    assert (await scene().read(*lines)).known == 30
    assert await world.dump() == before


async def test_what_was_erased_does_not_come_back(world: Scene) -> None:
    """Neither a visit of a log nor a line that was joined with a visit."""
    token = await world.open()
    reported = await world.land(world.arrival(token, at=NOON))
    lines = [world.line(NOON + 1000), world.line(NOON + 30 * MINUTE)]
    assert (await world.read(*lines)).joined == 1
    eraser = Eraser(world.store, world.recorder, lambda: NOON)
    (logged,) = await world.table("SELECT visit_id FROM visits WHERE (flags & 8) <> 0")
    for visit_id in (reported.visit_id, logged[0]):
        await eraser.erase(SITE, visit_id)
    assert await world.logged() == []
    before = await world.dump()
    assert (await world.read(*lines)).known == 2
    assert await world.dump() == before
    assert len(await world.joins()) == 1


async def test_what_was_erased_before_its_log_was_read_does_not_come_back(world: Scene) -> None:
    """Its line is dropped, in doubt another one of that sharer and day; each such visit takes one line, once."""
    token = await world.open()
    eraser = Eraser(world.store, world.recorder, lambda: NOON + ids.DAY_MS)
    lines = [world.line(NOON + number * MINUTE) for number in range(5)]
    await world.read(lines[0])  # of an erased visit whose line was read
    ((logged,),) = await world.table("SELECT visit_id FROM visits WHERE (flags & 8) <> 0")
    reported = [
        (await world.land(world.arrival(each, at=NOON + 40 * MINUTE))).visit_id
        for each in (token, Token(token.visit_id, WHATSAPP, 0))
    ]
    left = await world.land(world.arrival(token, at=NOON + MINUTE))
    for visit_id in (logged, *reported):
        await eraser.erase(SITE, visit_id)
    later = world.line(NOON + 2 * ids.DAY_MS)
    first = await world.read(*lines[:2], later)
    assert (first.known, first.joined, first.erased, first.events) == (1, 1, 0, [later])
    second = await world.read(*lines[2:])
    assert (second.joined, second.erased, len(second.events)) == (0, 2, 1)
    assert {visit for visit, _ in await world.joins()} == {*reported, left.visit_id}
    before = await world.dump()
    assert (await world.read(*lines[::-1], later)).known == 6
    assert await world.dump() == before


async def test_what_was_erased_of_those_who_came_through_a_visit_that_stands_aside(world: Scene) -> None:
    """They hang on its parent, at midnight a day off."""
    token = await world.open()
    aside = await world.land(world.arrival(token, own=True))
    eraser = Eraser(world.store, world.recorder, lambda: NOON + ids.DAY_MS)
    world.token = Token(aside.visit_id, COPY, 1)
    for day in (2499, 2501):
        erased = await world.land(world.arrival(world.token, day=day, at=NOON))
        await eraser.erase(SITE, erased.visit_id)
    kept = await world.land(world.arrival(world.token, at=NOON))
    decided = await world.read(*(world.line(NOON + number) for number in range(4)))
    assert (decided.joined, decided.erased, len(decided.events)) == (1, 2, 1)
    assert kept.visit_id in {visit for visit, _ in await world.joins()}


async def test_what_is_read_for_a_line_has_a_bound(world: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many opened its link, and nearest in time; also where the nearest have a line already."""
    token, visits = await world.open(), 400
    for start in range(0, visits, 200):
        await world.play(*(world.arrival(token, at=NOON + number) for number in range(start, start + 200)))
    read: list[int] = []
    found = LogJoins.unjoined_visits

    async def counted(self: LogJoins, moment: ShareMoment, limit: int) -> list[ReportedVisit]:
        answer = await found(self, moment, limit)
        read.append(len(answer))
        return answer

    monkeypatch.setattr(LogJoins, "unjoined_visits", counted)
    middle = NOON + visits // 2
    lines = [world.line(middle + number % 2) for number in range(60)]
    for part in (lines[:40], lines[40:]):
        assert (await world.read(*part)).joined == len(part)
    assert read == [80, 80, 64, 64]
    joined = await world.table("SELECT v.at FROM log_joins j JOIN visits v ON v.visit_id = j.visit_id")
    assert {at for (at,) in joined} == set(range(middle - 29, middle + 31))


@pytest.mark.parametrize("by", ["retention", "deletion of the site"])
async def test_joins_go_with_their_visits(world: Scene, by: str) -> None:
    token = await world.open()
    await world.land(world.arrival(token, at=NOON))
    assert (await world.read(world.line(NOON))).joined == 1
    if by == "retention":
        await retention_job(world.store, 2502).run()
    else:
        assert await world.store.site_deletion.delete_some("log_joins", SITE) == 1
    assert await world.joins() == []
