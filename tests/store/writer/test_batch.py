"""Batches on a real store: ids, trees, shares, counts; a repeated event changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from grapevine.domain import ids
from grapevine.domain.channels import CODES
from grapevine.domain.enums import SOURCES, TOKEN_REASONS
from grapevine.domain.events import (
    Event,
    OptedOutVisit,
    Outcome,
    ShareReport,
    Stored,
    Unfurl,
    View,
    VisitEvent,
    VisitNotFound,
    VisitOutcome,
)
from grapevine.domain.tokens import Token
from grapevine.domain.urls import OTHER_PAGE, Page, page_id
from grapevine.store.base import Store
from grapevine.store.rows import ASIDE, SAME_NETWORK, PageRow, ShareKey, VisitRow
from grapevine.store.write_batch import Batch
from grapevine.writer.name_bounds import BOUNDS, PAGE, Bound
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import EventRecorder
from tests.support.backends import Backend

pytestmark = pytest.mark.anyio

SITE = 7
NOON = ids.day_start(2500) + 12 * ids.HOUR_MS
COPY, WHATSAPP = CODES["copy"], CODES["whatsapp"]
SEARCH, DEEP, SHARE = SOURCES["search"], SOURCES["direct-deep"], SOURCES["share"]


class BatchScene:
    """Records events in a store and queries the stored rows."""

    def __init__(self, store: Store, recorder: EventRecorder | None = None) -> None:
        self.store = store
        self.recorder = recorder or EventRecorder(store, Nonces(b"n" * 32))
        self.drawn = 0

    async def play(self, *events: Event) -> list[Outcome]:
        return await self.recorder.record(events)

    async def land(self, event: VisitEvent) -> VisitOutcome:
        (outcome,) = await self.play(event)
        assert isinstance(outcome, VisitOutcome)
        return outcome

    def arrival(self, token: Token | None = None, **changes: Any) -> VisitEvent:
        self.drawn += 1
        fields: dict[str, Any] = {
            "site_id": SITE, "nonce": f"nonce{self.drawn:011}", "day": 2500, "at": NOON + self.drawn,
            "page": page("https://a.example/deep"), "title": "Deep", "source": SEARCH, "device": 1, "app": None,
            "visitor": 1000 + self.drawn, "visitor_before": -self.drawn, "token": token, "reason": None, "own": False,
        }  # fmt: skip
        return VisitEvent(**(fields | changes))

    async def visit(self, visit_id: int) -> VisitRow:
        async with self.store.batch() as batch:
            (row,) = (await batch.visits([(SITE, visit_id, ids.cell_of(visit_id))])).values()
            return row

    async def table(self, text: str) -> list[tuple[Any, ...]]:
        assert isinstance(self.store, Backend)
        return await self.store.look(text)

    async def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every table that events change, without what only counts repeats."""
        names = "visits shares unfurls pages cascades counts_hour counts_page counts_device".split()
        return {name: await self.table(f"SELECT * FROM {name} ORDER BY 1, 2, 3, 4, 5") for name in names}

    async def totals(self) -> dict[str, int]:
        names = "views visits visitors returns self_returns same_network shares reported proven unlinked".split()
        (row,) = await self.table(f"SELECT {', '.join(f'sum({name})' for name in names)} FROM counts_hour")
        return {name: total for name, total in zip(names, row, strict=True) if total}


@pytest.fixture
def world(store: Store) -> BatchScene:
    return BatchScene(store)


def page(url: str) -> Page:
    return Page(page_id(SITE, url), url, url.count("/") == 3)


def report(token: Token, at: int = NOON, url: str = "https://a.example/deep") -> ShareReport:
    return ShareReport(site_id=SITE, token=token, at=at, page=page(url), title=None, by_session=True)


async def test_a_first_visit_is_a_root_with_the_day_of_its_nonce(world: BatchScene) -> None:
    landed = await world.land(world.arrival(day=2499))
    row = await world.visit(landed.visit_id)
    assert (ids.day_of(row.visit_id), row.parent_id, row.root_id, row.depth, row.source) == (
        2499,
        None,
        None,
        0,
        SEARCH,
    )
    assert not landed.returned
    assert await world.totals() == {"views": 1, "visits": 1, "visitors": 1}


async def test_a_return_hangs_on_its_sharer_and_inherits_the_cell(world: BatchScene) -> None:
    first = await world.land(world.arrival())
    second = await world.land(world.arrival(Token(first.visit_id, COPY, 0)))
    third = await world.land(world.arrival(Token(second.visit_id, WHATSAPP, 2)))
    rows = [await world.visit(landed.visit_id) for landed in (first, second, third)]
    assert len({row.cell for row in rows}) == 1
    assert [(row.depth, row.parent_id, row.root_id, row.channel, row.n) for row in rows] == [
        (0, None, None, None, None),
        (1, first.visit_id, first.visit_id, COPY, 0),
        (2, second.visit_id, first.visit_id, WHATSAPP, 2),
    ]
    assert [row.source for row in rows] == [SEARCH, SHARE, SHARE]
    assert (second.returned, second.reason, second.depth, second.is_self) == (True, None, 1, False)
    assert await world.totals() == {"views": 3, "visits": 3, "visitors": 3, "returns": 2, "shares": 2, "proven": 2}
    ((size, depth, shares),) = await world.table("SELECT size, max_depth, shares FROM cascades")
    assert (size, depth, shares) == (3, 2, 2)


async def test_every_event_may_be_repeated_without_changing_anything(world: BatchScene) -> None:
    first = world.arrival()
    root = await world.land(first)
    token = Token(root.visit_id, COPY, 0)
    events: list[Event] = [
        first,
        world.arrival(token),
        world.arrival(token, own=True),
        world.arrival(reason=TOKEN_REASONS["bad-signature"]),
        View(site_id=SITE, visit_id=root.visit_id, nonce="v" * 16, at=NOON + 50),
        report(token),
        Unfurl(site_id=SITE, token=token, at=NOON, app="slack"),
        OptedOutVisit(
            site_id=SITE, nonce="u" * 16, at=NOON, page=page("https://a.example/"), title=None, source=8, device=1
        ),
    ]
    answers = await world.play(*events)
    before = await world.dump()
    again = await world.play(*events)
    assert await world.dump() == before
    await world.play(*events, *events)
    assert await world.dump() == before
    for answer, repeat in zip(answers, again, strict=True):
        if isinstance(repeat, VisitOutcome) and isinstance(answer, VisitOutcome):
            assert repeat.duplicate
            assert (repeat.visit_id, repeat.depth, repeat.is_self) == (answer.visit_id, answer.depth, answer.is_self)
            assert (repeat.returned, repeat.reason) == (answer.returned, answer.reason)
    assert again[4] == again[5] == again[7] == Stored(duplicate=True)


async def test_repeats_within_one_batch_are_one_event(world: BatchScene) -> None:
    first = world.arrival()
    outcomes = await world.play(first, first, first)
    assert len({outcome.visit_id for outcome in outcomes if isinstance(outcome, VisitOutcome)}) == 1
    assert [outcome.duplicate for outcome in outcomes if isinstance(outcome, VisitOutcome)] == [False, True, True]
    assert await world.totals() == {"views": 1, "visits": 1, "visitors": 1}


class Colliding(Nonces):
    """Draws the same id for everybody at the first attempts, as if the hash had collided."""

    collide = 2

    def identify(self, event: VisitEvent, attempt: int) -> tuple[int, int]:
        visit_id, check = super().identify(event, attempt)
        return (ids.pack(event.day, 5, attempt) if attempt < self.collide else visit_id), check


@pytest.mark.parametrize("together", [True, False])
async def test_a_collision_of_ids_takes_the_next_attempt(store: Store, together: bool) -> None:
    world = BatchScene(store, EventRecorder(store, Colliding(b"n" * 32)))
    arrivals = [world.arrival() for _ in range(5)]
    batches = [arrivals] if together else [[arrival] for arrival in arrivals]
    landed = [outcome for batch in batches for outcome in await world.play(*batch)]
    found = [outcome.visit_id for outcome in landed if isinstance(outcome, VisitOutcome)]
    assert len(set(found)) == 5
    assert found[:2] == [ids.pack(2500, 5, 0), ids.pack(2500, 5, 1)]
    assert await world.totals() == {"views": 5, "visits": 5, "visitors": 5}
    repeats = await world.play(*arrivals)
    assert [repeat.visit_id for repeat in repeats if isinstance(repeat, VisitOutcome)] == found
    assert await world.totals() == {"views": 5, "visits": 5, "visitors": 5}


async def test_a_self_return_proves_nothing_and_keeps_the_depth(world: BatchScene) -> None:
    first = await world.land(world.arrival())
    friend = await world.land(world.arrival(Token(first.visit_id, COPY, 0)))
    token = Token(friend.visit_id, COPY, 0)
    own = await world.land(world.arrival(token, own=True))
    row = await world.visit(own.visit_id)
    assert own.is_self
    assert (row.flags & ASIDE, row.depth, row.parent_id, row.root_id) == (ASIDE, 1, friend.visit_id, first.visit_id)
    assert await world.table(
        f"SELECT first_at, proven_at, returns, self_returns FROM shares WHERE visit_id={friend.visit_id}"
    ) == [(None, None, 0, 1)]
    totals = await world.totals()
    assert (totals["returns"], totals["self_returns"], totals["shares"], totals["proven"]) == (1, 1, 1, 1)
    assert await world.table("SELECT size, max_depth FROM cascades") == [(2, 1)]


async def test_what_grows_below_a_self_return_hangs_on_the_sharer(world: BatchScene) -> None:
    first = await world.land(world.arrival())
    own = await world.land(world.arrival(Token(first.visit_id, COPY, 0), own=True))
    own_again = await world.land(world.arrival(Token(own.visit_id, COPY, 0), own=True))
    friend = await world.land(world.arrival(Token(own_again.visit_id, WHATSAPP, 1)))
    row = await world.visit(friend.visit_id)
    assert (row.parent_id, row.via_id, row.depth, row.root_id) == (
        first.visit_id,
        own_again.visit_id,
        1,
        first.visit_id,
    )
    again = await world.visit(own_again.visit_id)
    assert (again.parent_id, again.via_id, again.depth) == (first.visit_id, own.visit_id, 0)
    assert await world.table("SELECT size, max_depth, shares FROM cascades") == [(2, 1, 1)]
    assert await world.table("SELECT visit_id, channel, n, returns FROM shares WHERE proven_at IS NOT NULL") == [
        (own_again.visit_id, WHATSAPP, 1, 1)
    ]


@pytest.mark.parametrize("yesterday", [False, True])
async def test_a_return_from_the_sharers_network_is_a_return_with_that_mark(world: BatchScene, yesterday: bool) -> None:
    first = await world.land(world.arrival(visitor=42))
    colleague = {"visitor": 1, "visitor_before": 42} if yesterday else {"visitor": 42}
    landed = await world.land(world.arrival(Token(first.visit_id, COPY, 0), **colleague))
    row = await world.visit(landed.visit_id)
    assert (landed.same_network, landed.is_self, row.flags, row.depth) == (True, False, SAME_NETWORK, 1)
    totals = await world.totals()
    assert (totals["returns"], totals["same_network"], totals["proven"]) == (1, 1, 1)


async def test_a_visit_is_stored_with_its_network(world: BatchScene) -> None:
    stored = [await world.land(world.arrival(network=network)) for network in ((1 << 48) - 1, 0)]
    assert [(await world.visit(landed.visit_id)).network for landed in stored] == [(1 << 48) - 1, None]


async def test_a_return_to_a_visit_that_is_not_there_is_a_root_in_the_tokens_cell(world: BatchScene) -> None:
    token = Token(ids.pack(2400, 77, 12345), COPY, 0)
    landed = await world.land(world.arrival(token, source=DEEP))
    row = await world.visit(landed.visit_id)
    assert (row.cell, row.parent_id, row.root_id, row.depth, row.source) == (77, None, None, 0, DEEP)
    assert (landed.returned, landed.reason) == (True, TOKEN_REASONS["unknown-visit"])
    assert await world.totals() == {"views": 1, "visits": 1, "visitors": 1}
    assert await world.table("SELECT * FROM shares") == []


async def test_reported_then_proven_and_proven_then_reported(world: BatchScene) -> None:
    first = await world.land(world.arrival())
    early, late = Token(first.visit_id, COPY, 0), Token(first.visit_id, WHATSAPP, 0)
    await world.play(report(early, at=NOON))
    await world.play(world.arrival(early, at=NOON + 3 * ids.HOUR_MS))
    await world.play(world.arrival(late, at=NOON + 4 * ids.HOUR_MS))
    await world.play(report(late, at=NOON + 9 * ids.HOUR_MS, url="https://a.example/other"))
    hour = NOON // ids.HOUR_MS
    counted = await world.table(
        "SELECT channel, hour, shares, reported, proven FROM counts_hour WHERE shares + proven > 0 ORDER BY 1, 2"
    )
    # A proof and a report count in the hour of the share's first sight.
    assert counted == [(COPY, hour, 1, 1, 1), (WHATSAPP, hour + 4, 1, 1, 1)]
    assert await world.table("SELECT channel, page_id FROM shares ORDER BY 1") == [
        (COPY, page_id(SITE, "https://a.example/deep")),
        (WHATSAPP, page_id(SITE, "https://a.example/other")),
    ]


async def test_a_share_reported_and_proven_in_one_batch(world: BatchScene) -> None:
    first = await world.land(world.arrival())
    token = Token(first.visit_id, COPY, 0)
    await world.play(report(token), world.arrival(token), report(token), world.arrival(token))
    totals = await world.totals()
    assert (totals["shares"], totals["reported"], totals["proven"], totals["returns"]) == (1, 1, 1, 2)
    assert await world.table("SELECT size, shares FROM cascades") == [(3, 1)]


async def test_a_cascade_starts_with_the_shares_its_root_had_before(world: BatchScene) -> None:
    first = await world.land(world.arrival())
    for n in range(3):
        await world.play(report(Token(first.visit_id, WHATSAPP, n)))
    assert await world.table("SELECT * FROM cascades") == []
    friend = await world.land(world.arrival(Token(first.visit_id, COPY, 0)))
    await world.play(report(Token(friend.visit_id, COPY, 0)))
    assert await world.table("SELECT size, shares FROM cascades") == [(2, 5)]


async def test_views_go_on_in_their_visit(world: BatchScene) -> None:
    first = await world.land(world.arrival())
    views = [View(site_id=SITE, visit_id=first.visit_id, nonce=f"view{n:013}", at=NOON + n) for n in (900, 500, 900)]
    assert await world.play(*views) == [Stored(), Stored(), Stored(duplicate=True)]
    row = await world.visit(first.visit_id)
    assert row.next_view == 4
    assert (await world.totals())["views"] == 3


@pytest.mark.parametrize("kind", ["view", "report", "unfurl"])
async def test_what_names_a_visit_that_is_not_there_changes_nothing(world: BatchScene, kind: str) -> None:
    gone = Token(ids.pack(2500, 1, 1), COPY, 0)
    event: Event = {
        "view": View(site_id=SITE, visit_id=gone.visit_id, nonce="v" * 16, at=NOON),
        "report": report(gone),
        "unfurl": Unfurl(site_id=SITE, token=gone, at=NOON, app="slack"),
    }[kind]  # type: ignore[assignment]
    assert await world.play(event) == [VisitNotFound()]
    assert await world.totals() == {}
    assert await world.table("SELECT * FROM shares") == []


async def test_an_unfurl_counts_once_per_share_app_and_hour(world: BatchScene) -> None:
    first = await world.land(world.arrival())
    token = Token(first.visit_id, COPY, 0)
    times = [(NOON, "slack"), (NOON + 1, "slack"), (NOON + ids.HOUR_MS, "slack"), (NOON, "discord")]
    for at, app in times:
        await world.play(Unfurl(site_id=SITE, token=token, at=at, app=app))
    assert await world.table("SELECT app, unfurls FROM counts_device WHERE unfurls > 0 ORDER BY app") == [
        ("discord", 1),
        ("slack", 2),
    ]
    assert await world.totals() == {"views": 1, "visits": 1, "visitors": 1}


async def test_a_visitor_counts_once_a_day(world: BatchScene) -> None:
    for at in (NOON, NOON + 1000, NOON + ids.DAY_MS):
        await world.land(world.arrival(visitor=5, at=at))
    await world.land(world.arrival(visitor=6))
    totals = await world.totals()
    assert (totals["visits"], totals["visitors"]) == (4, 3)


async def test_pages_beyond_the_days_bound_count_as_other(store: Store) -> None:
    world = BatchScene(store, EventRecorder(store, Nonces(b"n" * 32), bounds={**BOUNDS, PAGE: Bound(a_day=2)}))
    for number in (1, 2, 3, 4, 1):
        await world.land(world.arrival(page=page(f"https://a.example/{number}"), network=number << 24))
    urls = dict(await world.table("SELECT page_id, url FROM pages"))  # asked apart: a page may be of another cell
    visits = await world.table("SELECT page_id, visits FROM counts_page")
    counted = {urls[page_id]: number for page_id, number in visits}
    assert counted == {OTHER_PAGE: 2, "https://a.example/1": 2, "https://a.example/2": 1}


@pytest.mark.parametrize("title", [None, "Deep"])
async def test_a_known_page_is_not_offered_again_until_its_title_comes(
    world: BatchScene, title: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered, insert_visits = list[str | None](), Batch.insert_visits

    async def watched(batch: Batch, pages: Sequence[PageRow], *others: Any) -> Any:
        offered.extend(each.title for each in pages)
        return await insert_visits(batch, pages, *others)

    monkeypatch.setattr(Batch, "insert_visits", watched)
    for named in (title, None, title, "Deep", None, "Deep"):
        await world.land(world.arrival(title=named))
    assert offered == ([None, "Deep"] if title is None else ["Deep"])
    assert await world.table("SELECT title FROM pages") == [("Deep",)]


@pytest.mark.parametrize("titles", [[], ["A page"]])
@pytest.mark.parametrize("known", [False, True])
async def test_what_arrives_together_is_answered_apart(world: BatchScene, titles: list[str], known: bool) -> None:
    """Pages have no answer, visits answer with those that are new, shares with those that are stored."""
    token = Token((await world.land(world.arrival())).visit_id, COPY, 0)
    await world.play(report(token))
    root = await world.visit(token.visit_id)
    other = msgspec.structs.replace(root, visit_id=root.visit_id ^ 1)
    keys = [ShareKey(SITE, root.visit_id, root.cell, channel, 0) for channel in (COPY, WHATSAPP)]
    pages = [
        PageRow(site_id=SITE, page_id=2, cell=ids.hashed_cell(2), day=2500, url="https://a.example/2", title=title)
        for title in titles
    ]
    async with world.store.batch() as batch:
        new, stored = await batch.insert_visits(pages, [root, other], keys if known else [])
    assert new == {(SITE, other.visit_id)}
    assert {key: (row.reported_at, row.returns) for key, row in stored.items()} == (
        {keys[0]: (NOON, 0)} if known else {}
    )
    assert await world.table("SELECT title FROM pages WHERE page_id = 2") == [(title,) for title in titles]


async def test_a_failed_batch_leaves_nothing_behind(world: BatchScene) -> None:
    before = await world.dump()

    async def fail() -> None:
        async with world.store.batch() as batch:
            await world.recorder.record_in(batch, [world.arrival()])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await world.dump() == before
