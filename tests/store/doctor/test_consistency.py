"""The recount of a whole store: clean when nothing happened to it, and exact about each kind of damage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.domain.enums import DAY_KEYS
from grapevine.errors import StoreError
from grapevine.store.factory import snapshot
from grapevine.store.repositories.consistency import ComparisonResult, Recount
from tests.store.databases import Databases
from tests.store.doctor.damaged_worlds import OTHER, DamageableWorld, Worlds, grown, in_every_world, ordinary, planted
from tests.store.world import SITE
from tests.support.differences import Differences

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite", "postgres"])
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """What is asked of one world is asked of the others on one backend."""
    seeds = (1, 2, 3) if request.param == "sqlite" else (2,)
    return Worlds(request.getfixturevalue(f"{request.param}_databases"), seeds)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_what_was_counted_is_what_is_there(databases: Databases, seed: int) -> None:
    async with planted(databases, seed) as filled:
        assert await filled.recount() == {}
        assert await filled.recount(SITE) == {}


_KEYS = {
    "hour": "site_id, hour, source, channel, depth",
    "page": "site_id, day, page_id",
    "device": "site_id, day, device, app",
    "day": "site_id, day, dimension, key",
}
COUNTED = (
    "visits",
    "returns",
    "self_returns",
    "same_network",
    "shares",
    "reported",
    "proven",
    "conversions",
    "unfurls",
)


WEEKLY = ("views", "visits", "returns", "shares", "proven", "unlinked")


async def one_key(filled: DamageableWorld, table: str) -> tuple[str, tuple[int, ...]]:
    """A condition on rows of a table of counts, and its values: those of one key, in one slot."""
    (key,) = await filled.rows(f"SELECT {_KEYS[table]} FROM counts_{table} WHERE site_id = ? LIMIT 1", SITE)
    return f"WHERE cell = 1 AND ({_KEYS[table]}) = ({', '.join('?' * len(key))})", key


def raised(measures: Sequence[str], sign: str) -> str:
    """Raises each of ``measures`` by an amount of its own, 3 and up, or lowers it again."""
    return ", ".join(f"{measure} = {measure} {sign} {by}" for by, measure in enumerate(measures, 3))


def excess(found: ComparisonResult, measures: Sequence[str]) -> dict[str, list[int]]:
    """By how much stored counts exceed the counted ones, by measure."""
    by_measure: dict[str, list[int]] = {}
    for one in found.differences:
        assert one.site_id == SITE
        by_measure.setdefault(one.measure, []).append((one.stored or 0) - (one.counted or 0))
    assert by_measure.keys() <= set(measures)
    return by_measure


@in_every_world
async def test_counts_raised_by_hand(filled: DamageableWorld) -> None:
    differences = Differences()
    amounts = {measure: by for by, measure in enumerate(COUNTED, 3)}
    for table in ("hour", "page", "device"):
        where, key = await one_key(filled, table)
        assert await filled.change(f"UPDATE counts_{table} SET {raised(COUNTED, '+')} {where}", *key) == 1
        found = await filled.recount()
        with differences.case(table):
            summed = {"hour": "counts by day", "page": "counts by week"}.get(table)
            assert set(found) == {f"counts by {table}", summed} - {None}
            if summed:
                in_sums = [one for one in COUNTED if (one != "unfurls" if table == "hour" else one in WEEKLY)]
                times = len(DAY_KEYS) if table == "hour" else 1
                expected = {measure: [-amounts[measure]] * times for measure in in_sums}
                assert excess(found[summed], COUNTED) == expected
            assert excess(found[f"counts by {table}"], COUNTED) == {one: [by] for one, by in amounts.items()}
            assert await filled.recount(OTHER) == {}
        await filled.change(f"UPDATE counts_{table} SET {raised(COUNTED, '-')} {where}", *key)
    assert await filled.recount() == {}
    differences.check(3)


@in_every_world
async def test_views_and_visitors_raised_by_hand(filled: DamageableWorld) -> None:
    differences = Differences()
    views = sum(visit.views for visit in filled.world.real_visits())
    for table in ("hour", "page", "device"):
        where, key = await one_key(filled, table)
        change = f"UPDATE counts_{table} SET views = views {{0}} 2, visitors = visitors {{0}} 2 {where}"
        assert await filled.change(change.format("+"), *key) == 1
        discrepancies = await filled.discrepancies()
        with differences.case(table):
            assert discrepancies["views"] == {(f"views in counts_{table}", views + 2, views)}
            ((measure, stored, counted),) = discrepancies["visitors"]
            assert (measure, stored) == (f"visitors in counts_{table}", (counted or 0) + 2)
            tables = {"page", "device"} if table == "hour" else {table}
            assert {one[0] for one in discrepancies["days"]} == {f"views in counts_{each}" for each in tables}
            summed = {"hour": {"counts by day"}, "page": {"counts by week"}}.get(table, set())
            assert set(discrepancies) == {"views", "visitors", "days"} | summed
        await filled.change(change.format("-"), *key)
    assert await filled.recount() == {}
    differences.check(3)


@in_every_world
async def test_counts_by_day_raised_by_hand(filled: DamageableWorld) -> None:
    differences = Differences()
    measures = (*COUNTED, "views", "visitors", "unlinked")
    for dimension in DAY_KEYS.values():
        (key,) = await filled.rows(
            "SELECT day, key FROM counts_day WHERE site_id = ? AND dimension = ? ORDER BY day DESC, key DESC LIMIT 1",
            SITE,
            dimension,
        )
        values = SITE, dimension, *key
        where = "WHERE cell = 1 AND (site_id, dimension, day, key) = (?, ?, ?, ?)"
        assert await filled.change(f"UPDATE counts_day SET {raised(measures, '+')} {where}", *values) == 1
        found = await filled.recount()
        with differences.case(dimension):
            assert set(found) == {"counts by day"}
            expected = {measure: [by] for by, measure in enumerate(measures, 3)}
            assert excess(found["counts by day"], measures) == expected
            named = (("day", key[0]), ("dimension", dimension), ("key", key[1]))
            assert {one.key for one in found["counts by day"].differences} == {named}
            assert await filled.recount(OTHER) == {}
        await filled.change(f"UPDATE counts_day SET {raised(measures, '-')} {where}", *values)
    assert await filled.recount() == {}
    differences.check(len(DAY_KEYS))


@in_every_world
async def test_counts_by_day_that_were_lost(filled: DamageableWorld) -> None:
    differences = Differences()
    where = "site_id = ? AND dimension = ? AND day = (SELECT min(day) FROM counts_day WHERE site_id = ?)"
    for dimension in DAY_KEYS.values():
        values = SITE, dimension, SITE
        lost = await filled.rows(f"SELECT * FROM counts_day WHERE {where}", *values)
        keys: dict[int, int] = dict(
            await filled.rows(f"SELECT key, sum(visits) FROM counts_day WHERE {where} GROUP BY key", *values)
        )
        await filled.change(f"DELETE FROM counts_day WHERE {where}", *values)
        found = await filled.recount()
        with differences.case(dimension):
            assert set(found) == {"counts by day"}
            assert found["counts by day"].differing == len(keys)
            assert {
                dict(one.key)["key"]: (one.stored, one.counted)
                for one in found["counts by day"].differences
                if one.measure == "visits"
            } == {key: (0, visits) for key, visits in keys.items() if visits}
        await filled.database.insert("counts_day", lost)
    assert await filled.recount() == {}
    differences.check(len(DAY_KEYS))


@in_every_world
async def test_a_count_by_day_of_a_dimension_that_is_none(filled: DamageableWorld) -> None:
    await filled.change(
        "INSERT INTO counts_day (site_id, day, dimension, key, cell, visits) VALUES (?, 9, 4, 7, 0, 2)", SITE
    )
    assert await filled.discrepancies() == {"counts by day": {("visits", 2, 0)}}


@in_every_world
async def test_a_link_preview_that_was_deleted(filled: DamageableWorld) -> None:
    ((visit_id, app, at),) = await filled.rows("SELECT visit_id, app, at FROM unfurls WHERE site_id = ? LIMIT 1", SITE)
    assert (
        await filled.change(
            "DELETE FROM unfurls WHERE (site_id, visit_id, app, at) = (?, ?, ?, ?)", SITE, visit_id, app, at
        )
        == 1
    )
    found = await filled.recount()
    assert set(found) == {"counts by day", "counts by device"}
    (by_day,) = found["counts by day"].differences
    assert by_day.key == (("day", ids.day_at(at)), ("dimension", DAY_KEYS["hour"]), ("key", at // ids.HOUR_MS % 24))
    (by_device,) = found["counts by device"].differences
    assert dict(by_device.key)["app"] == app
    for one in (by_day, by_device):
        assert (one.measure, (one.stored or 0) - (one.counted or 0)) == ("unfurls", 1)


@in_every_world
async def test_unlinked_visits_that_the_tables_do_not_agree_on(filled: DamageableWorld) -> None:
    await filled.change(
        "UPDATE counts_page SET unlinked = unlinked + 1, views = views + 1 WHERE site_id = ? AND unlinked > 0", SITE
    )
    assert set(await filled.discrepancies()) == {"days", "counts by week"}


@in_every_world
async def test_a_count_by_week_raised_by_hand(filled: DamageableWorld) -> None:
    differences = Differences()
    (key,) = await filled.rows(
        "SELECT week, page_id FROM counts_week WHERE site_id = ? ORDER BY week DESC, page_id DESC LIMIT 1", SITE
    )
    where = "WHERE cell = 1 AND (site_id, week, page_id) = (?, ?, ?)"
    for measure in WEEKLY:
        assert await filled.change(f"UPDATE counts_week SET {measure} = {measure} + 3 {where}", SITE, *key) == 1
        found = await filled.recount()
        with differences.case(measure):
            assert set(found) == {"counts by week"}
            (one,) = found["counts by week"].differences
            assert (one.site_id, one.key, one.measure) == (SITE, (("week", key[0]), ("page", key[1])), measure)
            assert one.stored == (one.counted or 0) + 3
        await filled.change(f"UPDATE counts_week SET {measure} = {measure} - 3 {where}", SITE, *key)
    assert await filled.recount() == {}
    differences.check(len(WEEKLY))


@in_every_world
async def test_a_visit_that_was_deleted(filled: DamageableWorld) -> None:
    visit = ordinary(filled.world)
    assert await filled.change("DELETE FROM visits WHERE (site_id, visit_id) = (?, ?)", SITE, visit.visit_id) == 1
    found = await filled.recount()
    alone = (
        sum(
            (ids.day_at(one.at), one.visitor) == (ids.day_at(visit.at), visit.visitor)
            for one in filled.world.real_visits()
        )
        == 1
    )
    expected = {"counts by hour", "counts by page", "counts by device", "views"}
    assert set(found) == (expected | {"visitors"} if alone else expected)
    (difference,) = found["counts by hour"].differences
    assert dict(difference.key) == {"hour": visit.at // ids.HOUR_MS, "source": visit.source, "channel": -1, "depth": 0}
    assert difference.measure == "visits"
    assert (difference.stored or 0) - (difference.counted or 0) == 1
    assert await filled.recount(OTHER) == {}


@in_every_world
async def test_a_sharer_that_was_deleted(filled: DamageableWorld) -> None:
    root = next(one for one in filled.world.roots() if one.counts)
    await filled.change("DELETE FROM visits WHERE (site_id, visit_id) = (?, ?)", SITE, root.visit_id)
    discrepancies = await filled.discrepancies()
    assert discrepancies["chains"] == {("sharer", root.visit_id, None)}
    assert "cascades" in discrepancies


@in_every_world
async def test_a_guard_that_was_lost(filled: DamageableWorld) -> None:
    day = ids.day_at(filled.world.real_visits()[0].at)
    visitors = len({visit.visitor for visit in filled.world.real_visits() if ids.day_at(visit.at) == day})
    for number in range(visitors - 1):
        await filled.change(
            "INSERT INTO guards VALUES (?, 1, ?, 0, ?, NULL, NULL, NULL)", SITE, number, ids.day_start(day + 2)
        )
    assert await filled.discrepancies() == {"visitors": {("guards of visitors", visitors - 1, visitors)}}


@in_every_world
async def test_a_cascade_whose_summary_was_changed(filled: DamageableWorld) -> None:
    differences = Differences()
    root = grown(filled.world).visit_id
    where = "WHERE (site_id, root_id) = (?, ?)"
    for column in ("size", "max_depth", "last_at", "shares", "conversions"):
        await filled.change(f"UPDATE cascades SET {column} = {column} + 1 {where}", SITE, root)
        found = await filled.recount()
        with differences.case(column):
            assert set(found) == {"cascades"}
            (difference,) = found["cascades"].differences
            assert (difference.site_id, difference.key, difference.measure) == (SITE, (("root", root),), column)
            assert difference.stored == (difference.counted or 0) + 1
        await filled.change(f"UPDATE cascades SET {column} = {column} - 1 {where}", SITE, root)
    assert await filled.recount() == {}
    differences.check(5)


@in_every_world
async def test_a_cascade_that_was_lost_and_one_that_never_was(filled: DamageableWorld) -> None:
    root = grown(filled.world)
    size = sum(
        visit.visit_id in {v.visit_id for v in filled.world.real_visits()} for visit in filled.world.members(root)
    )
    await filled.change("DELETE FROM cascades WHERE (site_id, root_id) = (?, ?)", SITE, root.visit_id)
    assert ("size", 0, size) in (await filled.discrepancies())["cascades"]
    lonely = ordinary(filled.world).visit_id
    await filled.change(
        "INSERT INTO cascades (site_id, root_id, cell, page_id, started_at, last_at, size, max_depth, shares,"
        " conversions) VALUES (?, ?, ?, 0, 0, 0, 2, 1, 0, 0)",
        SITE,
        lonely,
        ids.cell_of(lonely),
    )
    assert ("size", 2, 0) in (await filled.discrepancies())["cascades"]


@in_every_world
async def test_a_share_whose_returns_were_changed(filled: DamageableWorld) -> None:
    share = next(one for one in filled.world.shares.values() if one.returns)
    visit_id, channel, n = share.key
    await filled.change(
        "UPDATE shares SET returns = returns + 1, proven_at = NULL"
        " WHERE (site_id, visit_id, channel, n) = (?, ?, ?, ?)",
        SITE,
        visit_id,
        channel,
        n,
    )
    found = (await filled.recount())["shares"]
    assert [(one.measure, one.stored, one.counted) for one in found.differences] == [
        ("returns", len(share.returns) + 1, len(share.returns)),
        ("proven", 0, 1),
    ]
    assert found.differences[0].key == (("visit", visit_id), ("channel", channel), ("n", n))


@in_every_world
async def test_a_share_and_a_conversion_that_were_lost(filled: DamageableWorld) -> None:
    share = next(
        one for one in filled.world.shares.values() if one.reported_at and not one.openings and one.visit.counts
    )
    await filled.change("DELETE FROM shares WHERE (site_id, visit_id, channel, n) = (?, ?, ?, ?)", SITE, *share.key)
    discrepancies = await filled.discrepancies()
    assert {one[0] for one in discrepancies["counts by hour"]} == {"shares", "reported"}
    visit = next(
        one
        for one in filled.world.visits
        if one.conversions and one.counts and one.root.visit_id != share.visit.root.visit_id
    )
    await filled.change("DELETE FROM conversions WHERE (site_id, visit_id) = (?, ?)", SITE, visit.visit_id)
    discrepancies = await filled.discrepancies()
    assert {one[0] for one in discrepancies["counts by page"]} == {"shares", "reported", "conversions"}


@in_every_world
async def test_a_visit_that_hangs_elsewhere(filled: DamageableWorld) -> None:
    differences = Differences()
    visit = next(one for one in reversed(filled.world.visits) if one.returned and not one.own)
    where = "WHERE (site_id, visit_id) = (?, ?)"
    for column in ("depth", "root_id", "parent_id"):
        await filled.change(f"UPDATE visits SET {column} = {column} + 1 {where}", SITE, visit.visit_id)
        found = await filled.recount()
        with differences.case(column):
            assert {one.measure for one in found["chains"].differences} <= {column.removesuffix("_id"), "sharer"}
            assert all(one.key == (("visit", visit.visit_id),) for one in found["chains"].differences)
        await filled.change(f"UPDATE visits SET {column} = {column} - 1 {where}", SITE, visit.visit_id)
    assert await filled.recount() == {}
    differences.check(3)


@in_every_world
async def test_only_the_first_differences_are_listed_but_all_are_counted(filled: DamageableWorld) -> None:
    changed = await filled.change("UPDATE counts_page SET visits = visits + 1 WHERE site_id = ? AND cell = 1", SITE)
    found = (await filled.recount(most=2))["counts by page"]
    assert (found.differing, len(found.differences)) == (changed, 2)


@in_every_world
async def test_it_sees_one_moment_while_others_write(filled: DamageableWorld) -> None:
    async with snapshot(filled.settings) as moment:
        recount = Recount(moment)
        assert not (await recount.compare("views", None, 5)).differing
        assert await filled.change("UPDATE visits SET next_view = next_view + 1") > 0
        assert not (await recount.compare("views", None, 5)).differing
        assert await moment.faults(5) == []
    assert set(await filled.recount()) == {"views"}


async def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.sqlite3"
    with pytest.raises(StoreError, match="cannot use the database file"):
        async with snapshot(Settings(database=f"sqlite:///{nothing}")):
            pass
    assert not nothing.exists()


@in_every_world
async def test_its_store_may_be_open(filled: DamageableWorld) -> None:
    store = filled.database.store()
    await store.open()
    assert await filled.recount() == {}
    await store.close()
