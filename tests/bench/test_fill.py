"""The stores that benchmarks measure have the same rows as those of the server's own writer."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from grapevine.domain import ids
from grapevine.domain.enums import SOURCES
from grapevine.domain.events import Answer, Conversion, Event, OptedOutVisit, ShareReport, Unfurl, View, VisitEvent
from grapevine.domain.tokens import Token
from grapevine.domain.urls import Page, page_id
from grapevine.store.repositories.consistency import COMPARISONS, Recount
from grapevine.store.rows import ASIDE, SAME_NETWORK
from grapevine.store.sqlite.snapshot import snapshot
from grapevine.store.sqlite.store import SQLiteStore
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import EventRecorder
from tests.bench.fill import File
from tests.bench.filler import NONCE_KEY, Filler, title_of, unlinked_nonce, view_nonce
from tests.bench.scenario import PAGES, Happened, Story, gap_of

pytestmark = pytest.mark.anyio

SITE = 1
LAST_DAY = 2_500
DAYS = 4
TABLES = """visits shares unfurls pages cascades guards counts_hour counts_day counts_page counts_device
    counts_week counts_shared""".split()
URLS = {page_id(SITE, url): url for url in PAGES}


class ScenarioNonces(Nonces):
    """Gives each visit its id of the scenario: nonces name the ids."""

    def identify(self, event: VisitEvent, attempt: int) -> tuple[int, int]:
        assert attempt == 0
        visit_id, check = event.nonce.split()
        return int(visit_id), int(check)


class Remembering(Filler):
    """Keeps the events without a row."""

    def __init__(self, file: File) -> None:
        super().__init__(file.many, SITE, LAST_DAY)
        self.unlinked: list[tuple[int, int, int, int]] = []

    def write(self, end: int, happened: Happened) -> None:
        self.unlinked += happened.unlinked
        super().write(end, happened)


async def filled(path: Path, seed: int) -> tuple[SQLiteStore, list[tuple[int, int, int, int]]]:
    store = SQLiteStore(path)
    await store.open()
    await store.close()
    file = File(path)
    filler = Remembering(file)
    for end, happened in Story(1_500, LAST_DAY, DAYS, seed, planted=(1, 0)).slices():
        filler.write(end, happened)
    file.close(filler.visits)
    await store.open()
    return store, filler.unlinked


async def rows(store: SQLiteStore, table: str) -> list[dict[str, Any]]:
    names = [row[1] for row in await store.look(f"PRAGMA table_xinfo({table})")]
    return [
        dict(zip(names, row, strict=True)) for row in await store.look(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4, 5")
    ]


async def size(store: SQLiteStore) -> int:
    """Bytes of the visits with their indexes: rows that came in another order would take more or less."""
    ((found,),) = await store.look("SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%visits%'")
    return int(found)


def page(number: int) -> Page:
    return Page(number, URLS[number], is_home=False)


def arrival(row: Mapping[str, Any], visits: Mapping[int, Mapping[str, Any]]) -> VisitEvent:
    sharer = row["via_id"] or row["parent_id"]
    same_network = bool(row["flags"] & SAME_NETWORK)
    return VisitEvent(
        site_id=SITE, nonce=f"{row['visit_id']} {row['nonce_check']}", day=ids.day_of(row["visit_id"]), at=row["at"],
        page=page(row["page_id"]), title=title_of(URLS[row["page_id"]]),
        source=row["source"] if sharer is None else SOURCES["direct-deep"],
        device=row["device"], app=row["app"], visitor=row["visitor"],
        visitor_before=visits[sharer]["visitor"] if same_network else 0,
        token=None if sharer is None else Token(sharer, row["channel"], row["n"]), reason=row["reason"],
        own=bool(row["flags"] & ASIDE), network=row["network"], evidence=row["evidence"],
    )  # fmt: skip


async def events(store: SQLiteStore, unlinked: list[tuple[int, int, int, int]]) -> list[Event]:
    """Returns the events that lead to these rows, in order."""
    visits = {row["visit_id"]: row for row in await rows(store, "visits")}
    found: list[Event] = [arrival(row, visits) for row in visits.values()]
    for row in visits.values():
        gap = gap_of(row["visit_id"])
        found += [
            View(site_id=SITE, visit_id=row["visit_id"], nonce=view_nonce(view + 1), at=row["at"] + view * gap)
            for view in range(1, row["views"])
        ]
    for row in await rows(store, "shares"):
        if row["reported_at"] is not None:
            token = Token(row["visit_id"], row["channel"], row["n"])
            found.append(
                ShareReport(
                    site_id=SITE,
                    token=token,
                    at=row["reported_at"],
                    page=page(row["page_id"]),
                    title=title_of(URLS[row["page_id"]]),
                    by_session=True,
                )
            )
    for row in await rows(store, "unfurls"):
        token = Token(row["visit_id"], row["channel"], row["n"])
        found.append(Unfurl(site_id=SITE, token=token, at=row["at"], app=row["app"]))
    for number, (at, source, index, device) in enumerate(unlinked, 1):
        url = PAGES[index]
        found.append(
            OptedOutVisit(
                site_id=SITE,
                nonce=unlinked_nonce(number),
                at=at,
                page=Page(page_id(SITE, url), url, is_home=False),
                title=title_of(url),
                source=source,
                device=device,
            )
        )
    return sorted(found, key=lambda event: event.at)


def batches(story: list[Event], chance: random.Random) -> Iterator[list[Event]]:
    """Splits events into batches as a writer might: an event that needs a visit's token comes in a later batch."""
    batch: list[Event] = []
    new: set[int] = set()
    for event in story:
        token = None if isinstance(event, View | Conversion | Answer | OptedOutVisit) else event.token
        named = event.visit_id if isinstance(event, View | Conversion) else token.visit_id if token else None
        if named in new or chance.random() < 0.5:
            yield batch
            batch, new = [], set()
        batch.append(event)
        if isinstance(event, VisitEvent):
            new.add(int(event.nonce.split()[0]))
    yield batch


def first_difference(mine: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> object:
    """Reports a difference in one line; an assertion on thousands of rows would compare them letter by letter."""
    pairs = zip_longest(mine, theirs, fillvalue=dict[str, Any]())
    one, other = next(((one, other) for one, other in pairs if one != other), ({}, {}))
    return {name: (one.get(name), other.get(name)) for name in one | other if one.get(name) != other.get(name)}


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3))])
async def test_a_filled_store_is_what_the_writer_would_have_stored(tmp_path: Path, seed: int) -> None:
    store, unlinked = await filled(tmp_path / "filled.sqlite3", seed)
    written = SQLiteStore(tmp_path / "written.sqlite3")
    await written.open()
    recorder = EventRecorder(written, ScenarioNonces(NONCE_KEY))
    for batch in batches(await events(store, unlinked), random.Random(seed)):  # noqa: S311
        await recorder.record(batch)
    await written.guards.forget_guards(ids.day_start(LAST_DAY + 1) - 1)
    assert len(await rows(store, "visits")) > 1_000
    for table in TABLES:
        assert first_difference(await rows(store, table), await rows(written, table)) == {}, table
    mine, theirs = await size(store), await size(written)
    assert mine == pytest.approx(theirs, rel=0.03)
    await store.close()
    await written.close()


async def test_a_filled_store_recounts_clean(tmp_path: Path) -> None:
    store, _ = await filled(tmp_path / "filled.sqlite3", seed=3)
    await store.close()
    async with snapshot(store.path) as moment:
        found = {name: await Recount(moment).compare(name, None, 3) for name in COMPARISONS}
    assert {name: one for name, one in found.items() if one.differing} == {}
