"""How often and how fast a site is shared, by page or channel, each number with its interval: docs/rates.md."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from grapevine.analytics.count_tables import added, check_kept, scope_of
from grapevine.analytics.metrics import EVERYTHING, Filters
from grapevine.analytics.models.rates import (
    LEVEL,
    Median,
    Observed,
    RateInterval,
    median_time,
    ratio_interval,
    wilson_interval,
)
from grapevine.analytics.visit_samples import drawn_ids
from grapevine.domain import channels, cursors, ids, urls
from grapevine.domain.periods import Period
from grapevine.errors import Invalid
from grapevine.sites.cache import Site
from grapevine.store.readers.rates import IdRange, SampledShare, SampledVisits
from grapevine.store.readers.reads import Reads
from grapevine.store.readers.scope import Scope
from grapevine.store.rows import Key

RATE_DIMENSIONS: Final = ("page", "channel")
MOST_RATES: Final = 100
"""Rows of a page of the list: each has 168 hours."""
MOST_VISITS: Final = 50_000
"""Visits of a period that are read; of more, a part of about as many. 2,000 of them share where 4 in 100 do: K is then
known to about a tenth."""
MOST_SHARES: Final = 20_000
MOST_RETURNS: Final = 100_000
"""Bounds on what a few visits may have made of the part that is read; beyond them, the last are left out."""
METHOD: Final = "clustered-1"
HOURS_OF_WEEK: Final = 168

_NOTHING: Final = SampledVisits(0, 0, 0, 0)
_FIRST_WEEKDAY: Final = 3  # 1970-01-01 was a Thursday, three days after a Monday


class Rate(msgspec.Struct, frozen=True):
    """A number with its interval."""

    value: float
    """The number."""
    low: float
    """The lower end of the interval."""
    high: float
    """The upper end of the interval."""


class Delay(msgspec.Struct, frozen=True):
    """The time in which half of the returns came, in seconds, with its interval."""

    value: int
    """The time."""
    low: int
    """The lower end of the interval."""
    high: int
    """The upper end of the interval."""
    within: int
    """Half of the returns within this time, for which a quarter of the shares could be followed."""


class WeekProfile(msgspec.Struct, frozen=True):
    """When visits shared, by hour of the week in UTC: 168 numbers, the first from midnight on Monday."""

    sharers: list[int]
    """Visits whose first share was made in this hour."""
    value: list[float]
    """Their part of all."""
    low: list[float]
    """The lower ends of the intervals."""
    high: list[float]
    """The upper ends of the intervals."""


class RateRow(msgspec.Struct, frozen=True):
    """The rates of one page or channel, and the numbers that they were computed from."""

    key: str
    """The page that the sharing visits began on, or the channel of their shares."""
    visits: int
    """Visits that were read, without self-returns; by channel, of all channels."""
    views: int
    """Their views, with those of self-returns."""
    sharers: int
    """Visits among them that shared."""
    shares: int
    """Their shares."""
    returns: int
    """Visits that came through these shares by the end of the period, without self-returns."""
    shares_per_100_views: Rate | None
    """Shares ÷ views, times 100."""
    returns_per_share: Rate | None
    """Returns ÷ shares."""
    k: Rate | None
    """Returns ÷ visits: how many visits each visit brought; by channel, through this one."""
    half_life: Delay | None
    """From a share to a return, of shares that a page reported; null where too few shares brought somebody."""
    hop_time: Delay | None
    """From the beginning of a visit to that of a visit which it brought."""
    hours: WeekProfile | None
    """When in the week it was shared; null where it was not."""


class Rates(msgspec.Struct, frozen=True):
    """Rates of a period. A rate is null where too few visits shared."""

    level: float
    """How likely an interval holds the truth."""
    method: str
    """The method and its version."""
    part: float
    """Which part of the visits of the period was read: 1 where these are all."""
    rows: list[RateRow]
    """The rows, those with the most shares first."""
    next: str | None
    """The cursor of those that follow; null after the last."""


class _Position(NamedTuple):
    """The row behind which a page of the list begins."""

    shares: cursors.Number
    visits: cursors.Number
    row: cursors.Number


class Sample(NamedTuple):
    """What was read of a period: visits by key, shares by key, returns by share, and until when (ms) they were seen."""

    visits: Mapping[Key, SampledVisits]
    shares: Mapping[int, Sequence[SampledShare]]
    returns: Mapping[tuple[int, int, int], Sequence[int]]
    end: int


async def period_rates(
    reads: Reads,
    site: Site,
    by: str,
    period: Period,
    now: int,
    filters: Filters = EVERYTHING,
    limit: int = 20,
    cursor: str | None = None,
) -> Rates:
    """The rates of ``period`` by page or channel, ``limit`` (1…100) rows at a time; ``now`` in milliseconds.

    Filters are the sharing visit's, but ``channel``, which is the share's and leaves views and visits as they are.
    Raises Invalid for an unknown dimension, a limit outside its bounds, a cursor that was not handed out for this
    question, or a period with days whose visits are past retention.
    """
    if by not in RATE_DIMENSIONS:
        raise Invalid.of("by", f"must be one of {', '.join(RATE_DIMENSIONS)}")
    cursors.check_limit(limit, MOST_RATES)
    asked = cursors.question("rates", site.key, by, period, filters)
    after = None if cursor is None else cursors.read(cursor, asked, _Position)
    await check_kept(reads, period, "rates can be asked")
    scope = await scope_of(reads, site, period, filters)
    drawn = drawn_ids(site, scope, await _part(reads, scope))
    sample = await _read(reads, scope, by, drawn.ranges, now)
    places = sorted((_place(sample, by, key), key) for key in _keys(sample, by))
    if after is not None:
        places = [place for place in places if place > ((-after.shares, -after.visits), after.row)]
    shown = [key for _, key in places[:limit]]
    names: Mapping[int, str] = channels.NAMES
    if by == "page":
        found = await reads.pages.urls(site.site_id, shown)
        names = {key: found.get(key, urls.OTHER_PAGE) for key in shown}
    # In a thread: some seconds of arithmetic at worst, in which no other request should wait.
    rows = await asyncio.to_thread(lambda: [rate_row(sample, by, key, names[key]) for key in shown])
    following = None
    if len(places) > limit:
        (shares, visits), key = places[limit - 1]
        following = cursors.written(asked, _Position(-shares, -visits, key))
    return Rates(level=LEVEL, method=METHOD, part=drawn.part, rows=rows, next=following)


async def _part(reads: Reads, scope: Scope) -> float:
    """Which part of a site's visits is read, whatever the filters: they narrow down nothing that has an index."""
    counted = await reads.summary.counts("day", Scope(scope.site_id, scope.start, scope.end), "day")
    return min(1.0, MOST_VISITS / max(added(counted.values()).visits if counted else 0, 1))


async def _read(reads: Reads, scope: Scope, by: str, ranges: Sequence[IdRange], now: int) -> Sample:
    visits = await reads.rates.visits(scope, ranges, by)
    shares = await reads.rates.shares(scope, ranges, MOST_SHARES)
    returns: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for share, at in await reads.rates.returns(scope, shares, MOST_RETURNS):
        returns[share].append(at)
    grouped: dict[int, list[SampledShare]] = defaultdict(list)
    for one in shares:
        grouped[one.page_id if by == "page" else one.channel].append(one)
    return Sample(visits, grouped, returns, min(scope.end, now))


def _keys(sample: Sample, by: str) -> Iterable[int]:
    """The pages with visits, or the channels with shares."""
    pages = {key for key in sample.visits if isinstance(key, int)} if by == "page" else set()
    return pages | sample.shares.keys()


def _place(sample: Sample, by: str, key: int) -> tuple[int, int]:
    return -len(sample.shares.get(key, ())), -_visits(sample, by, key).visits


def _visits(sample: Sample, by: str, key: int) -> SampledVisits:
    return sample.visits.get(key if by == "page" else None, _NOTHING)


def rate_row(sample: Sample, by: str, key: int, name: str) -> RateRow:
    """The rates of one page or channel from what was read."""
    shares, visits = sample.shares.get(key, ()), _visits(sample, by, key)
    of_visit: dict[int, list[SampledShare]] = defaultdict(list)
    for share in shares:
        of_visit[share.visit_id].append(share)
    came = {visit: sum(len(sample.returns.get(one.key, ())) for one in made) for visit, made in of_visit.items()}
    views = ratio_interval(
        ((len(made), made[0].views) for made in of_visit.values()), visits.views, visits.squared_views, visits.visits
    )
    returns = ratio_interval(
        ((came[visit], len(made)) for visit, made in of_visit.items() if came[visit]),
        len(shares),
        sum(len(made) ** 2 for made in of_visit.values()),
        len(of_visit),
    )
    k = ratio_interval(
        ((came[visit], 1 - made[0].is_aside) for visit, made in of_visit.items() if came[visit]),
        visits.others,
        visits.others,
        visits.others,
    )
    return RateRow(
        key=name,
        visits=visits.others,
        views=visits.views,
        sharers=len(of_visit),
        shares=len(shares),
        returns=sum(came.values()),
        shares_per_100_views=_rate(views, 100),
        returns_per_share=_rate(returns),
        k=_rate(k),
        half_life=_delay(
            Observed(one.visit_id, sample.end - one.reported_at, _since(one.reported_at, sample, [one]))
            for one in shares
            if one.reported_at is not None and one.reported_at < sample.end
        ),
        hop_time=_delay(
            Observed(visit, sample.end - made[0].visit_at, _since(made[0].visit_at, sample, made))
            for visit, made in of_visit.items()
        ),
        hours=_week([min(one.first_at for one in made) for made in of_visit.values()]),
    )


def _since(start: int, sample: Sample, shares: Iterable[SampledShare]) -> list[float]:
    """How long after ``start`` the returns to some shares came; a clock that ran back makes none."""
    return [at - start for one in shares for at in sample.returns.get(one.key, ()) if at >= start]


def _rate(interval: RateInterval | None, times: int = 1) -> Rate | None:
    if interval is None:
        return None
    return Rate(*(round(number * times, 6) for number in interval))


def _delay(observed: Iterable[Observed]) -> Delay | None:
    found: Median | None = median_time(list(observed))
    return None if found is None else Delay(*(round(number / 1000) for number in found))


def _week(times: Sequence[int]) -> WeekProfile | None:
    if not times:
        return None
    counted = Counter((at // ids.HOUR_MS + _FIRST_WEEKDAY * 24) % HOURS_OF_WEEK for at in times)
    numbers = [counted[hour] for hour in range(HOURS_OF_WEEK)]
    intervals = {number: wilson_interval(number, len(times)) or RateInterval(0, 0, 0) for number in set(numbers)}
    value, low, high = ([round(intervals[number][place], 5) for number in numbers] for place in range(3))
    return WeekProfile(sharers=numbers, value=value, low=low, high=high)
