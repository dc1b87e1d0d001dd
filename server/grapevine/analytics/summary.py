"""The numbers of a period: from the narrow tables of counts where those suffice, else from the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from grapevine.analytics import metrics
from grapevine.analytics.metrics import EVERYTHING, BreakdownRow, Filters, Point, Summary
from grapevine.analytics.pages import named_page
from grapevine.domain import channels, enums, ids, money, urls
from grapevine.domain.enums import DAY_KEYS
from grapevine.domain.periods import Period, interval_start, interval_starts, rfc3339
from grapevine.errors import Invalid
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads
from grapevine.store.readers.scope import Scope
from grapevine.store.readers.summary import Converted
from grapevine.store.rows import Counts, Key

MOST_ROWS: Final = 1_000

_TABLES: Final = (
    *(("day", frozenset({name, "day"})) for name in DAY_KEYS),
    ("hour", frozenset({"channel", "source", "depth", "hour", "day"})),
    ("page", frozenset({"page", "day"})),
    ("device", frozenset({"device", "app", "day"})),
)
"""The tables of counts with the dimensions of each, the quickest to read first."""


async def period_summary(reads: Reads, site: Site, period: Period, filters: Filters = EVERYTHING) -> Summary:
    """Returns the summary of ``period`` (whole UTC days), restricted to ``filters``."""
    scope = await scope_of(reads, site, period, filters)
    table = _table(filters, "channel")
    if table is not None:
        by_channel = await reads.summary.counts(table, scope, "channel")
        counts = _added(by_channel.values())
    else:
        # The channel of a share stands neither in the counts of pages nor in those of devices.
        by_channel = await reads.summary.shares(scope, "channel")
        counts = await _counts(reads, scope, filters, None)
    converted = await reads.summary.conversions(scope, None)
    drops, bound_hits = await reads.summary.refused_and_bounded(scope)
    return metrics.summarize(
        counts,
        metrics.share_numbers(by_channel),
        unfurls=await _unfurls(reads, scope, filters),
        conversions=sum(one.times for one in converted),
        value=money.amounts((one.currency, one.worth) for one in converted),
        conversions_by=metrics.totals_by_reporter(
            (one.reported_by, one.times, one.currency, one.worth) for one in converted
        ),
        drops=drops,
        suspects=await suspect_counts(reads, scope),
        bound_hits={enums.BOUND_KIND_NAMES[kind]: events for kind, events in bound_hits.items()},
    )


async def metric_series(
    reads: Reads, site: Site, metric: str, interval: str, period: Period, filters: Filters = EVERYTHING
) -> list[Point]:
    """One of ``stats.METRICS`` for each of ``times.INTERVALS`` in ``period``, without gaps.

    The first week or month may begin before the period; what lies outside of it is not counted. Raises Invalid for an
    unknown metric or interval, or for more than 10,000 points.
    """
    if metric not in metrics.METRICS:
        raise Invalid.of("metric", f"must be one of {', '.join(metrics.METRICS)}")
    values = dict.fromkeys(interval_starts(period, interval), 0)
    scope = await scope_of(reads, site, period, filters)
    by = "hour" if interval == "hour" else "day"
    for key, value in await _metric(reads, scope, filters, metric, by):
        start = key * ids.HOUR_MS if by == "hour" else ids.day_start(key)
        values[interval_start(start, interval)] += value
    return [Point(at=rfc3339(at), value=value) for at, value in values.items()]


async def _metric(reads: Reads, scope: Scope, filters: Filters, metric: str, by: str) -> list[tuple[int, int]]:
    """The values of a metric as (number of the hour or day, value)."""
    found: list[tuple[Key, int]]
    if metric == "conversions":
        found = [(one.key, one.times) for one in await reads.summary.conversions(scope, by)]
    elif metric == "unfurls" and filters != EVERYTHING:
        found = [(key, unfurls) for key, _, unfurls in await reads.summary.unfurls(scope, by)]
    elif metric == "unfurls":
        table = "day" if by == "hour" else "device"
        found = [(key, counts.unfurls) for key, counts in (await reads.summary.counts(table, scope, by)).items()]
    else:
        with_visitors = metric == "visitors"
        counts_by_key = await _counts_by(reads, scope, filters, by, with_visitors=with_visitors)
        found = [(key, counts.metric(metric)) for key, counts in counts_by_key.items()]
    return [(key, value) for key, value in found if isinstance(key, int)]


async def breakdown_by(
    reads: Reads, site: Site, by: str, period: Period, filters: Filters = EVERYTHING, limit: int = 100
) -> list[BreakdownRow]:
    """The numbers of ``period`` for each key of one of ``stats.DIMENSIONS``, most visits and shares first.

    What has no key (arrivals without a share, visits outside any app) has no row. Raises Invalid for an unknown
    dimension or a ``limit`` outside 1…1000.
    """
    if by not in metrics.DIMENSIONS:
        raise Invalid.of("by", f"must be one of {', '.join(metrics.DIMENSIONS)}")
    if not 1 <= limit <= MOST_ROWS:
        raise Invalid.of("limit", f"must be a number from 1 to {MOST_ROWS}")
    scope = await scope_of(reads, site, period, filters)
    if _table(filters, by) == "page":
        counts = await reads.summary.pages(scope, limit)
    else:
        counts = await _counts_by(reads, scope, filters, by, with_visitors=False)
    converted: dict[Key, list[Converted]] = {}
    for one in await reads.summary.conversions(scope, by):
        converted.setdefault(one.key, []).append(one)
    if by != "page" or len(counts) < limit:  # else no page without visits finds room
        for key in converted:
            counts.setdefault(key, Counts())
    keys = [key for key, found in counts.items() if _has_name(by, key) and (_happened(found) or key in converted)]
    keys.sort(key=lambda key: (-counts[key].metric("visits") - counts[key].shares, *_in_order(key)))
    del keys[limit:]
    pages = await reads.pages.urls(scope.site_id, [key for key in keys if isinstance(key, int)]) if by == "page" else {}
    return [
        BreakdownRow(
            key=_name(by, key, pages),
            views=counts[key].views,
            visits=counts[key].metric("visits"),
            returns=counts[key].returns,
            shares=counts[key].shares,
            proven=counts[key].proven,
            conversions=sum(one.times for one in converted.get(key, ())),
            value=money.amounts((one.currency, one.worth) for one in converted.get(key, ())),
        )
        for key in keys
    ]


async def suspect_counts(reads: Reads, scope: Scope) -> dict[str, int]:
    """How many visits of ``scope`` have each verdict, in the order of ``VERDICTS``; erased visits are left out."""
    found = await reads.summary.suspects(scope)
    return {verdict: found.get(code, 0) for verdict, code in enums.VERDICTS.items()}


async def scope_of(reads: Reads, site: Site, period: Period, filters: Filters) -> Scope:
    """Which rows and counts are meant."""
    return Scope(
        site_id=site.site_id,
        start=period.start,
        end=period.end,
        page_id=None if filters.page is None else await named_page(reads, site, filters.page),
        channel=None if filters.channel is None else channels.CODES[filters.channel],
        source=None if filters.source is None else enums.SOURCES[filters.source],
        device=None if filters.device is None else enums.DEVICES[filters.device],
        least_reporter=site.least_reporter,
    )


def _table(filters: Filters, by: str | None) -> str | None:
    """The table of counts that holds everything asked for; None where only the rows themselves do."""
    asked = {name for name in filters.__struct_fields__ if getattr(filters, name) is not None}
    if by is not None:
        asked.add(by)
    for table, columns in _TABLES:
        if asked <= columns:
            return table
    return None


async def _counts_by(
    reads: Reads, scope: Scope, filters: Filters, by: str | None, *, with_visitors: bool
) -> dict[Key, Counts]:
    """Returns counts by key, from the narrow tables where those suffice, else from the rows.

    ``conversions`` and ``unfurls`` are not in it: they are always read from their own rows or tables.
    """
    table = _table(filters, by)
    if table is not None:
        return await reads.summary.counts(table, scope, by)
    found = await reads.summary.visits(scope, by)
    for key, shares in (await reads.summary.shares(scope, by)).items():
        counts = found.setdefault(key, Counts())
        counts.shares, counts.reported, counts.proven = shares.shares, shares.reported, shares.proven
    if with_visitors:
        for key, visitors in (await reads.summary.visitors(scope, by)).items():
            found.setdefault(key, Counts()).visitors = visitors
    return found


async def _counts(reads: Reads, scope: Scope, filters: Filters, by: str | None) -> Counts:
    return _added((await _counts_by(reads, scope, filters, by, with_visitors=True)).values())


def _added(many: Iterable[Counts]) -> Counts:
    total = Counts()
    for counts in many:
        for field in Counts.__struct_fields__:
            setattr(total, field, getattr(total, field) + getattr(counts, field))
    return total


async def _unfurls(reads: Reads, scope: Scope, filters: Filters) -> dict[str, int]:
    if filters == EVERYTHING:
        return await reads.summary.unfurls_by_app(scope)
    return {
        app: unfurls for _, app, unfurls in sorted(await reads.summary.unfurls(scope, None), key=lambda row: row[1])
    }


def _happened(counts: Counts) -> bool:
    """Whether there is anything to show but unfurls, which no breakdown has."""
    return bool(counts.views or counts.visits or counts.unlinked or counts.shares)


def _in_order(key: Key) -> tuple[int, str]:
    return (key, "") if isinstance(key, int) else (0, key or "")


def _has_name(by: str, key: Key) -> bool:
    return key not in (enums.NO_CHANNEL, None, "") if by in ("channel", "app") else key is not None


def _name(by: str, key: Key, pages: Mapping[int, str]) -> str | int:
    if isinstance(key, str):
        return key
    number = key or 0
    if by == "page":
        return pages.get(number, urls.OTHER_PAGE)
    if by == "depth" and number == enums.DEEPEST:
        return f"{number}+"
    names = {"channel": channels.NAMES, "source": enums.SOURCE_NAMES, "device": enums.DEVICE_NAMES}
    return names[by][number] if by in names else number
