"""The numbers of a period for each key of one dimension, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final, NamedTuple

from grapevine.analytics import count_tables, metrics
from grapevine.analytics.count_tables import check_app, counts_by, scope_of
from grapevine.analytics.metrics import EVERYTHING, BreakdownRow, Filters
from grapevine.domain import channels, cursors, enums, money, urls
from grapevine.domain.periods import Period
from grapevine.errors import Invalid
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads
from grapevine.store.readers.scope import Scope
from grapevine.store.readers.summary import HIGHEST_SCORE, Converted
from grapevine.store.rows import Counts, Key

MOST_ROWS: Final = 1_000
SORTS: Final = ("top", "key")


class BreakdownPage(NamedTuple):
    """Some rows of a breakdown; ``next`` is the cursor of those that follow, None after the last."""

    rows: list[BreakdownRow]
    next: str | None


class _Position(NamedTuple):
    """Behind which row a page begins: its visits and shares together (0 in the order ``key``), and its key."""

    score: cursors.Number
    key: cursors.Number | str


async def breakdown_by(
    reads: Reads, site: Site, by: str, period: Period, filters: Filters = EVERYTHING, limit: int = 100
) -> list[BreakdownRow]:
    """The first rows of ``breakdown_page``."""
    return (await breakdown_page(reads, site, by, period, filters, limit)).rows


async def breakdown_page(
    reads: Reads,
    site: Site,
    by: str,
    period: Period,
    filters: Filters = EVERYTHING,
    limit: int = 100,
    sort: str = "top",
    cursor: str | None = None,
) -> BreakdownPage:
    """The numbers of ``period`` for each key of one of ``metrics.DIMENSIONS``, ``limit`` (1…1000) at a time.

    ``top`` has most visits and shares first: while the period goes on, a row may pass the cursor from behind. In the
    order ``key`` each row has one place for ever, so that a reader of all pages sees every one once.
    What has no key (arrivals without a share, visits outside any app) has no row. Raises Invalid for an unknown
    dimension or order, a ``limit`` outside its bounds, or a cursor that was not handed out for this question.
    """
    for name, value, known in (("by", by, metrics.DIMENSIONS), ("sort", sort, SORTS)):
        if value not in known:
            raise Invalid.of(name, f"must be one of {', '.join(known)}")
    cursors.check_limit(limit, MOST_ROWS)
    asked = cursors.question("breakdown", site.key, by, sort, period, filters)
    after = None if cursor is None else _read_cursor(cursor, asked, by)
    await check_app(reads, period, filters, by)
    scope = await scope_of(reads, site, period, filters)
    converted: dict[Key, list[Converted]] = {}
    for one in await reads.summary.conversions(scope, by):
        converted.setdefault(one.key, []).append(one)
    if count_tables.table_of(filters, by) == "page":
        counts = await _pages(reads, scope, limit + 1, sort, after, converted.keys())
    else:
        counts = await counts_by(reads, scope, filters, by, with_visitors=False)
        counts |= {key: Counts() for key in converted.keys() - counts.keys()}
    places = {
        key: _place(sort, key, found)
        for key, found in counts.items()
        if _has_name(by, key) and (_happened(found) or key in converted)
    }
    if after is not None:
        start = _in_order(after.score, after.key)
        places = {key: place for key, place in places.items() if place > start}
    keys = sorted(places, key=lambda key: places[key])
    following = cursors.written(asked, _position(sort, keys[limit - 1], counts)) if len(keys) > limit else None
    del keys[limit:]
    pages = await reads.pages.urls(scope.site_id, [key for key in keys if isinstance(key, int)]) if by == "page" else {}
    rows = [
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
    return BreakdownPage(rows, following)


async def _pages(
    reads: Reads, scope: Scope, limit: int, sort: str, after: _Position | None, converted: Set[Key]
) -> dict[Key, Counts]:
    """The counts of the next ``limit`` pages, and of those among them that have conversions alone."""
    score = HIGHEST_SCORE if after is None else after.score
    page = after.key if after is not None and isinstance(after.key, int) else 0
    counts = await reads.summary.pages(scope, limit, sort, score, page)
    others = {key for key in converted - counts.keys() if isinstance(key, int)}
    if len(counts) == limit:
        # Pages without visits and shares stand behind all others, or among them in the order of their keys.
        last = max((key for key in counts if isinstance(key, int)), default=0)
        others = {key for key in others if key < last} if sort == "key" else set()
    elif sort == "top" and after is not None:
        others -= await reads.summary.counted_pages(scope, others)  # those of the pages before
    return counts | {key: Counts() for key in others}


def _position(sort: str, key: Key, counts: Mapping[Key, Counts]) -> _Position:
    return _Position(_score(counts[key]) if sort == "top" else 0, 0 if key is None else key)


def _place(sort: str, key: Key, counts: Counts) -> tuple[int, int, str]:
    return _in_order(_score(counts) if sort == "top" else 0, key)


def _in_order(score: int, key: Key) -> tuple[int, int, str]:
    return (-score, key, "") if isinstance(key, int) else (-score, 0, key or "")


def _score(counts: Counts) -> int:
    return counts.visits + counts.unlinked + counts.shares


def _read_cursor(text: str, asked: str, by: str) -> _Position:
    position = cursors.read(text, asked, _Position)
    if isinstance(position.key, str) != (by == "app"):
        raise cursors.refusal()
    return position


def _happened(counts: Counts) -> bool:
    """Whether there is anything to show but unfurls, which no breakdown has."""
    return bool(counts.views or counts.visits or counts.unlinked or counts.shares)


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
