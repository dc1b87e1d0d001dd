"""The numbers of direct visits, compared with a count of every object of a random world, on each backend."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

import msgspec
import pytest

from grapevine.analytics.direct import direct_summary
from grapevine.analytics.models.dark_evidence.inputs import GROUPS
from grapevine.domain import channels, enums, ids
from grapevine.domain.periods import Period
from grapevine.domain.urls import page_id
from grapevine.domain.visit_evidence import CLICK_ID, COPIED_ADDRESS, DECIDED_BY, HIGHLIGHT_LINK
from grapevine.store.readers.scope import Scope
from tests.store.analytics.stored_world import StoredWorld, stored_world
from tests.store.databases import Databases
from tests.store.world import FIRST_DAY, LINK, PAGES, SITE, Share, Visit, World, grow, site_of

pytestmark = pytest.mark.anyio

PERIODS = [
    Period(ids.day_date(FIRST_DAY - 1), ids.day_date(FIRST_DAY + 7)),
    Period(ids.day_date(FIRST_DAY + 1), ids.day_date(FIRST_DAY + 3)),
]


@pytest.fixture(scope="module", params=[1, 3])
async def filled(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[StoredWorld]:
    async with stored_world(databases, request.param) as filled:
        yield filled


def visits(world: World, period: Period) -> list[Visit]:
    return [visit for visit in world.real_visits() if period.start <= visit.at < period.end]


def is_private(visit: Visit) -> bool:
    return visit.returned and channels.is_dark(visit.arrival)


def is_distributed(visit: Visit) -> bool:
    """Whether it came through a minted link itself, which the site distributes."""
    return visit.sharer is not None and visit.sharer.source == LINK


@pytest.mark.parametrize("period", PERIODS)
async def test_days_of_pages(filled: StoredWorld, period: Period) -> None:
    expected: dict[tuple[int, int], list[int]] = {}
    for visit in visits(filled.world, period):
        if visit.own or visit.page == PAGES[3]:
            continue
        numbers = expected.setdefault((page_id(SITE, visit.page), ids.day_at(visit.at)), [0] * (2 + GROUPS))
        if is_private(visit):
            assert visit.sharer is not None
            if not is_distributed(visit):
                numbers[2 + (visit.sharer.visit_id & 3)] += 1
        else:
            numbers[0 if visit.source == enums.SOURCES["direct-deep"] else 1] += 1
    found = await filled.reads.direct.direct_days(
        Scope(SITE, period.start, period.end), [page_id(SITE, page) for page in PAGES[:3]]
    )
    assert {(page, day): numbers for page, day, numbers in found} == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize("period", PERIODS)
async def test_shares_with_a_preview(filled: StoredWorld, period: Period) -> None:
    expected = Counter(
        page_id(SITE, share.visit.page)
        for share in filled.world.shares.values()
        if share.unfurls
        and channels.is_dark(share.channel)
        and share.visit.source != LINK
        and not share.visit.own
        and share.visit in visits(filled.world, period)
    )
    found = await filled.reads.direct.unfurled_shares(
        Scope(SITE, period.start, period.end), [page_id(SITE, page) for page in PAGES]
    )
    assert found == expected
    assert sum(found.values()) > 0


def test_a_world_has_private_returns_through_minted_links() -> None:
    assert any(is_private(visit) and is_distributed(visit) for visit in visits(grow(3), PERIODS[0]))


async def test_no_pages_have_no_days(filled: StoredWorld) -> None:
    scope = Scope(SITE, PERIODS[0].start, PERIODS[0].end)
    assert await filled.reads.direct.direct_days(scope, []) == []
    assert await filled.reads.direct.unfurled_shares(scope, []) == {}


@pytest.mark.parametrize("period", PERIODS)
async def test_apps_and_shares(filled: StoredWorld, period: Period) -> None:
    scope = Scope(SITE, period.start, period.end)
    apps = Counter(visit.app for visit in visits(filled.world, period) if visit.app and visit.through is None)
    packages = sum(visits for app, visits in apps.items() if "." in app)
    found = await filled.reads.direct.direct_apps(scope, 100)
    assert found == (apps, sum(apps.values()), packages)
    order = sorted(apps, key=lambda app: (-apps[app], app))
    for limit in (1, 2, len(apps)):
        some = await filled.reads.direct.direct_apps(scope, limit)
        assert list(some.apps.items()) == [(app, apps[app]) for app in order[:limit]]
        assert some[1:] == (found[1:] if apps else (0, 0))

    def seen(share: Share) -> tuple[bool, bool]:
        return share.reported_at is not None, share.proven_at is not None

    shares = [
        seen(share)
        for share in filled.world.shares.values()
        if share.first_at is not None
        and period.start <= share.first_at < period.end
        and channels.is_dark(share.channel)
        and share.visit.source != LINK
    ]
    assert await filled.reads.direct.direct_shares(scope) == (
        sum(reported for reported, _ in shares),
        sum(proven for _, proven in shares),
        sum(map(all, shares)),
    )


@pytest.mark.parametrize("period", PERIODS)
async def test_evidence_of_arrivals(filled: StoredWorld, period: Period) -> None:
    arrived = [(visit, visit.evidence or 0) for visit in visits(filled.world, period) if not visit.own]
    direct = (enums.SOURCES["direct-home"], enums.SOURCES["direct-deep"])
    found = await filled.reads.direct.direct_evidence(Scope(SITE, period.start, period.end))
    assert found == (
        sum(bool(evidence & CLICK_ID) for _, evidence in arrived),
        sum(evidence == DECIDED_BY["click-id"] | CLICK_ID for _, evidence in arrived),
        sum(bool(evidence & COPIED_ADDRESS) for _, evidence in arrived),
        sum(bool(evidence & COPIED_ADDRESS) and visit.source in direct for visit, evidence in arrived),
        sum(bool(evidence & HIGHLIGHT_LINK) for _, evidence in arrived),
    )
    assert min(found) > 0
    answer = await direct_summary(filled.reads, site_of(filled.world), period)
    assert msgspec.structs.astuple(answer.evidence.arrivals) == found


async def test_a_few_visits_are_not_enough(filled: StoredWorld) -> None:
    answer = await direct_summary(filled.reads, site_of(filled.world), PERIODS[0])
    deep = [visit for visit in filled.world.real_visits() if visit.source == enums.SOURCES["direct-deep"]]
    assert (answer.estimate.value, answer.estimate.reason) == (None, "too-few-deep-visits")
    assert answer.estimate.missing is not None
    assert answer.estimate.missing.deep_visits == 20 - len(deep)
    assert answer.estimate.of == len(deep)
    assert {page.url: page.deep for page in answer.pages} == Counter(visit.page for visit in deep)
    unlinked = [one for one in filled.world.unlinked if one[1] == enums.SOURCES["direct-deep"]]
    assert answer.measured.deep == len(deep) + len(unlinked)
    assert answer.measured.private_returns == sum(map(is_private, filled.world.real_visits()))


async def test_an_empty_site(filled: StoredWorld) -> None:
    answer = await direct_summary(filled.reads, site_of(World(site_id=99)), PERIODS[0])
    assert (answer.measured.visits, answer.pages, answer.evidence.apps) == (0, [], {})
    assert (answer.shares.reported, answer.shares.estimated) == (0, None)
