"""Which counts answer a question: the narrow tables of counts where those suffice, else the rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from grapevine.analytics.metrics import FILTERS, Filters
from grapevine.analytics.pages import named_page
from grapevine.domain import channels, enums, ids
from grapevine.domain.enums import DAY_KEYS
from grapevine.domain.periods import Period
from grapevine.errors import Invalid
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads
from grapevine.store.readers.scope import Scope
from grapevine.store.rows import Counts, Key

_TABLES: Final = (
    *(("day", frozenset({name, "day"})) for name in DAY_KEYS),
    ("hour", frozenset({"channel", "source", "depth", "hour", "day"})),
    ("page", frozenset({"page", "day"})),
    ("device", frozenset({"device", "app", "day"})),
)
"""The tables of counts with the dimensions of each, the quickest to read first."""


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
        app=filters.app,
        least_reporter=site.least_reporter,
    )


def table_of(filters: Filters, *by: str) -> str | None:
    """The table of counts that holds everything asked for; None where only the rows themselves do."""
    asked = {*by, *(name for name in FILTERS if getattr(filters, name) is not None)}
    for table, columns in _TABLES:
        if asked <= columns:
            return table
    return None


async def check_app(reads: Reads, period: Period, filters: Filters, *by: str) -> None:
    """Raises Invalid where a filter by app would be answered from the rows of visits, and some are past retention."""
    if filters.app is not None and table_of(filters, *by) is None:
        await check_kept(reads, period, "with a filter by app, this can be asked")


async def check_kept(reads: Reads, period: Period, question: str) -> None:
    """Raises Invalid where a period has days whose visits are past retention: no count has what is asked for."""
    kept = await reads.summary.first_kept_day()
    if kept is not None and period.days.start <= kept:
        # The day in a visit's id, by which it is kept, may differ by one from the day on which it counts.
        since = ids.day_date(kept + 1)
        raise Invalid.of(
            "from", f"must be {since} or later: {question} of visits that are still stored; older ones are deleted"
        )


async def counts_by(
    reads: Reads, scope: Scope, filters: Filters, by: str | None, *, with_visitors: bool
) -> dict[Key, Counts]:
    """Returns counts by key, from the narrow tables where those suffice, else from the rows.

    ``conversions`` and ``unfurls`` are not in it: they are always read from their own rows or tables.
    """
    table = table_of(filters) if by is None else table_of(filters, by)
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


def added(many: Iterable[Counts]) -> Counts:
    """Returns the sum of each measure."""
    # As columns: a summary adds up a dozen measures of each channel.
    return Counts(*(sum(column) for column in zip(*map(msgspec.structs.astuple, many), strict=True)))
