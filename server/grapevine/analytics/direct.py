"""Direct visits: measured counts, evidence of their origin, and the estimate of private shares among them."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Final

import msgspec

from grapevine.analytics.models.capture_recapture import chapman_estimate
from grapevine.analytics.models.dark_evidence.estimate import LEVEL, METHOD, Interval, Lacking, estimate_dark_visits
from grapevine.analytics.models.dark_evidence.inputs import GROUPS, PageSeries
from grapevine.domain import channels, enums, ids, urls
from grapevine.domain.periods import Period
from grapevine.sites.cache import Site
from grapevine.store.readers.direct import DirectApps, DirectEvidence
from grapevine.store.readers.reads import Reads
from grapevine.store.readers.scope import Scope
from grapevine.store.rows import Counts

MOST_PAGES: Final = 100
MOST_APPS: Final = 100
MOST_DAYS_BEFORE: Final = 60
"""How far before a period its estimate looks."""
MOST_VISITS_BEFORE: Final = 200_000
"""No more visits than these are read from before a period."""

_NOTHING: Final = (0,) * (2 + GROUPS)


class Measured(msgspec.Struct, frozen=True):
    """Visits as they were counted."""

    visits: int
    """All visits."""
    home: int
    """Direct visits to the home page."""
    deep: int
    """Direct visits to deeper pages."""
    private_returns: int
    """Returns through private channels."""
    public_returns: int
    """Returns through public networks."""


class Arrivals(msgspec.Struct, frozen=True):
    """Visits by what their address gave away; a visit may be in several."""

    click_id: int
    """Those with a click id, such as `fbclid` or `gclid`."""
    decided_by_click_id: int
    """Those of them whose source it decided: nothing else did, and no other visitor had come with it before."""
    copied_address: int
    """Those with a click id with which another visitor had come before: somebody passed the address on."""
    copied_address_direct: int
    """Those of them that are direct visits, and stay among those that the estimate divides."""
    highlight_link: int
    """Those through a link that names a passage of the page (`#:~:text=`), usually a person's. It decides nothing."""


class Evidence(msgspec.Struct, frozen=True):
    """Untagged visits that an app brought, and what addresses gave away."""

    in_app: int
    """Those by apps that are known by name."""
    app_referrer: int
    """Those by others, of which there is only an Android package."""
    apps: dict[str, int]
    """Both by name, the hundred most frequent; the others are added up as `(other)`."""
    arrivals: Arrivals
    """What addresses gave away."""


class PrivateShares(msgspec.Struct, frozen=True):
    """Shares through private channels, and how many of their reports were lost."""

    reported: int
    """Those that a page reported."""
    proven: int
    """Those through which somebody came."""
    both: int
    """Those that are both."""
    estimated: int | None
    """How many there were in all, by capture and recapture; null where nothing was seen twice."""
    reports_lost: float | None
    """The part of reports that was lost; null where nothing was seen twice."""


class Missing(msgspec.Struct, frozen=True):
    """What a period lacks for an estimate; 0 where it has enough."""

    days: int
    """So many days more."""
    deep_visits: int
    """So many deep direct visits more."""
    private_returns: int
    """So many private returns more."""
    points: float
    """By so many points of a hundred deep direct visits the interval would be too wide."""


class Estimate(msgspec.Struct, frozen=True):
    """How many deep direct visits are private shares."""

    value: int | None
    """The estimate; null where there is not enough data."""
    low: int | None
    """The lower end of the interval."""
    high: int | None
    """The upper end of the interval."""
    level: float
    """How likely the interval holds the truth."""
    method: str
    """The method and its version."""
    of: int
    """The deep direct visits of the pages that were looked at, of which `value` is a part."""
    reason: str | None
    """Why there is no estimate; null where there is one."""
    missing: Missing | None = None
    """What is missing for an estimate; null where there is one."""
    expected: date | None = None
    """The last day of a period with the same first day that probably has an estimate, if all goes on as in this period;
    null where there is an estimate, and where no day within a year can be named."""


class PageEstimate(msgspec.Struct, frozen=True):
    """The estimate for one page."""

    url: str
    """The page."""
    deep: int
    """Its deep direct visits."""
    private_returns: int
    """Its returns through private channels."""
    value: int | None
    """How many of its deep direct visits are private shares; null where there is not enough data."""
    low: int | None
    """The lower end of the interval."""
    high: int | None
    """The upper end of the interval."""


class Direct(msgspec.Struct, frozen=True):
    """Direct visits, and the estimate of private shares among them."""

    measured: Measured
    """What was counted."""
    evidence: Evidence
    """What points to apps."""
    shares: PrivateShares
    """Shares through private channels."""
    estimate: Estimate
    """The estimate for the whole site."""
    pages: list[PageEstimate]
    """The estimate by page, those with the most deep direct visits first."""


async def direct_summary(reads: Reads, site: Site, period: Period) -> Direct:
    """The direct visits of ``period``; the estimate is of the ``MOST_PAGES`` pages with the most visits."""
    scope = Scope(site.site_id, period.start, period.end)
    evidence = _evidence(await reads.direct.direct_apps(scope, MOST_APPS), await reads.direct.direct_evidence(scope))
    pages_read = [page for page in await reads.summary.pages(scope, MOST_PAGES) if isinstance(page, int)]
    series = await _series(reads, scope, period.days, pages_read)
    before = await _before(reads, scope, pages_read)
    # Some 100 ms of arithmetic that no other request has to wait for.
    found = await asyncio.to_thread(estimate_dark_visits, list(series.values()), before)
    deep = {page: sum(one.deep) for page, one in series.items()}
    named = await reads.pages.urls(site.site_id, [page for page, visits in deep.items() if visits])
    pages = []
    for index, (page, one) in enumerate(series.items()):
        value, low, high = _rounded(found.pages[index])
        if deep[page]:
            pages.append(
                PageEstimate(
                    url=named.get(page, urls.OTHER_PAGE),
                    deep=deep[page],
                    private_returns=sum(map(sum, one.returns)),
                    value=value,
                    low=low,
                    high=high,
                )
            )
    value, low, high = _rounded(found.total)
    return Direct(
        measured=await _measured(reads, scope),
        evidence=evidence,
        shares=capture(*await reads.direct.direct_shares(scope)),
        estimate=Estimate(
            value=value,
            low=low,
            high=high,
            level=LEVEL,
            method=METHOD,
            of=sum(deep.values()),
            reason=found.reason,
            missing=_missing(found.lacking),
            expected=_expected(found.lacking, period),
        ),
        pages=sorted(pages, key=lambda page: (-page.deep, page.url)),
    )


def capture(reported: int, proven: int, both: int) -> PrivateShares:
    """Returns the private shares, with Chapman's estimate of their total: reports and proofs are independent."""
    return PrivateShares(
        reported=reported,
        proven=proven,
        both=both,
        estimated=chapman_estimate(reported, proven, both),
        reports_lost=1 - both / proven if both else None,
    )


def _evidence(found: DirectApps, arrived: DirectEvidence) -> Evidence:
    apps = dict(sorted(found.apps.items()))
    unlisted = found.total - sum(apps.values())
    if unlisted:
        apps[enums.OTHER_NAME] = apps.get(enums.OTHER_NAME, 0) + unlisted
    return Evidence(
        in_app=found.total - found.packages,
        app_referrer=found.packages,
        apps=apps,
        arrivals=Arrivals(
            click_id=arrived.click_ids,
            decided_by_click_id=arrived.decided,
            copied_address=arrived.copied,
            copied_address_direct=arrived.copied_direct,
            highlight_link=arrived.highlights,
        ),
    )


async def _measured(reads: Reads, scope: Scope) -> Measured:
    by_source = await reads.summary.counts("day", scope, "source")
    by_channel = await reads.summary.counts("day", scope, "channel")
    returns = [(key, counts.returns) for key, counts in by_channel.items() if isinstance(key, int) and key >= 0]
    private = sum(number for channel, number in returns if channels.is_dark(channel))
    return Measured(
        visits=sum(counts.metric("visits") for counts in by_source.values()),
        home=by_source.get(enums.SOURCES["direct-home"], Counts()).metric("visits"),
        deep=by_source.get(enums.SOURCES["direct-deep"], Counts()).metric("visits"),
        private_returns=private,
        public_returns=sum(number for _, number in returns) - private,
    )


async def _before(reads: Reads, scope: Scope, pages: list[int]) -> list[PageSeries]:
    """The days before a period, at most ``MOST_DAYS_BEFORE`` of them and ``MOST_VISITS_BEFORE`` visits, from the site's
    first one on."""
    last = ids.day_at(scope.start)
    if last <= 0 or not pages:
        return []
    first = max(last - MOST_DAYS_BEFORE, 0)
    past = msgspec.structs.replace(scope, start=ids.day_start(first), end=scope.start)
    visits = {
        day: counts.visits
        for day, counts in (await reads.summary.counts("day", past, "day")).items()
        if isinstance(day, int) and counts.visits > 0
    }
    left, start = MOST_VISITS_BEFORE, last
    for day in range(last - 1, first - 1, -1):
        left -= visits.get(day, 0)
        if left < 0:
            break
        if day in visits:
            start = day
    if start == last:
        return []
    past = msgspec.structs.replace(past, start=ids.day_start(start))
    return list((await _series(reads, past, range(start, last), pages)).values())


async def _series(reads: Reads, scope: Scope, days: range, pages: list[int]) -> dict[int, PageSeries]:
    found: dict[int, dict[int, list[int]]] = {page: {} for page in pages}
    for page, day, numbers in await reads.direct.direct_days(scope, pages):
        found[page][day] = numbers
    unfurled = await reads.direct.unfurled_shares(scope, pages)
    return {page: _page(numbers, days, unfurled.get(page, 0)) for page, numbers in found.items()}


def _page(found: dict[int, list[int]], days: range, unfurled: int) -> PageSeries:
    rows = [found.get(day, _NOTHING) for day in days]
    return PageSeries(
        deep=[row[0] for row in rows],
        general=[row[1] for row in rows],
        returns=[row[2:] for row in rows],
        unfurled=unfurled,
    )


def _missing(lacking: Lacking | None) -> Missing | None:
    if lacking is None:
        return None
    return Missing(lacking.days, lacking.deep, lacking.returns, lacking.points)


def _expected(lacking: Lacking | None, period: Period) -> date | None:
    if lacking is None or lacking.wait is None:
        return None
    return period.last + timedelta(days=lacking.wait)


def _rounded(interval: Interval | None) -> tuple[int | None, int | None, int | None]:
    if interval is None:
        return None, None, None
    return round(interval.value), round(interval.low), round(interval.high)
