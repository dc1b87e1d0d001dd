"""Compares counts and summaries with the rows: one named query of ``sql/consistency*.sql`` a comparison."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from grapevine.domain import ids
from grapevine.store.query_runner import Runner
from grapevine.store.repositories.retention import first_compared_day

_MEASURES: Final = (
    "visits", "returns", "self_returns", "same_network", "shares", "reported", "proven", "conversions", "unfurls",
)  # fmt: skip

_ALWAYS: Final = -100_000
"""A day before all that a table can name."""

_DAYS_APART: Final = 2
"""So many days earlier than that of its sharer may the day of a return be at most: both are the browsers', each at most
one from the server's. Shares and cascades of so many days after the horizon may have lost returns."""


class CountComparison(NamedTuple):
    """One comparison: its query, the key of its rows within a site, and the measures it compares, in their order."""

    query: str
    key: tuple[str, ...]
    measures: tuple[str, ...]


COMPARISONS: Final = {
    "counts by hour": CountComparison("recount_hours", ("hour", "source", "channel", "depth"), _MEASURES),
    "counts by day": CountComparison(
        "recount_day_counts", ("day", "dimension", "key"), (*_MEASURES, "views", "visitors", "unlinked")
    ),
    "counts by page": CountComparison("recount_pages", ("day", "page"), _MEASURES),
    "counts by week": CountComparison(
        "recount_weeks", ("week", "page"), ("views", "visits", "returns", "shares", "proven", "unlinked")
    ),
    "counts by device": CountComparison("recount_devices", ("day", "device", "app"), _MEASURES),
    "visitors": CountComparison(
        "recount_visitors",
        ("day",),
        ("visitors in counts_hour", "visitors in counts_page", "visitors in counts_device", "guards of visitors"),
    ),
    "views": CountComparison(
        "recount_views", (), ("views in counts_hour", "views in counts_page", "views in counts_device")
    ),
    "days": CountComparison(
        "recount_days",
        ("day",),
        ("views in counts_page", "unlinked in counts_page", "views in counts_device", "unlinked in counts_device"),
    ),
    "shares": CountComparison(
        "recount_shares", ("visit", "channel", "n"), ("returns", "self_returns", "proven", "seen")
    ),
    "shares by page": CountComparison("recount_shared", ("page", "channel"), ("shares",)),
    "cascades": CountComparison(
        "recount_cascades", ("root",), ("size", "max_depth", "last_at", "shares", "conversions")
    ),
    "joined lines of logs": CountComparison("recount_log_joins", ("visit",), ("joins",)),
    "chains": CountComparison("recount_chains", ("visit",), ("sharer", "parent", "root", "depth")),
    "links": CountComparison("recount_links", ("visit",), ("link", "names", "word", "clicks")),
}  # fmt: skip


class CountDifference(msgspec.Struct, frozen=True):
    """A wrong number: ``stored`` under ``key`` of a site, and ``counted`` from the rows."""

    site_id: int
    key: tuple[tuple[str, Any], ...]
    measure: str
    stored: int | None
    counted: int | None


class ComparisonResult(msgspec.Struct, frozen=True):
    """``differing`` is the number of keys whose counts differ; ``differences`` lists the first of them."""

    differing: int
    differences: list[CountDifference]


class Recount:
    """Runs comparisons over all sites, or one of them."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def compare(self, name: str, site_id: int | None, most: int) -> ComparisonResult:
        """Runs the comparison ``name``. Counts the keys that differ, returns the first ``most`` differences."""
        query, key, measures = COMPARISONS[name]
        differing, found = 0, []
        rows = await self._run("horizon")
        scope = _scope(int(rows[0][0]) if rows else None)
        for total, site, *values in await self._run(query, site_id=site_id, most=most, **scope):
            differing = total
            where, numbers = tuple(zip(key, values, strict=False)), values[len(key) :]
            found += [
                CountDifference(site, where, measure, stored, counted)
                for measure, stored, counted in zip(measures, numbers[::2], numbers[1::2], strict=True)
                if stored != counted
            ]
        return ComparisonResult(differing, found)

    async def any_visit(self) -> bool:
        """Whether there is any visit."""
        return bool(await self._run("any_visit"))

    async def joins_pages(self) -> bool:
        """Whether pages are being joined, so that counts by page may differ meanwhile."""
        return bool(await self._run("any_page_join"))

    async def unfinished_deletions(self) -> list[tuple[str, str]]:
        """The public key and name of every site whose deletion has begun and not ended."""
        return [(key, name) for _, key, name in await self._run("unfinished_site_deletions")]


def _scope(horizon: int | None) -> dict[str, Any]:
    """Returns the parameters that say from which hour, day, time and visit on no row is past retention; everything is
    compared where nothing was ever deleted."""
    if horizon is None:
        horizon = _ALWAYS
    first_day = first_compared_day(horizon)
    return {
        "first_day": first_day,
        "first_hour": ids.day_start(first_day) // ids.HOUR_MS,
        "first_at": ids.day_start(first_day),
        "first_id": ids.pack(horizon + _DAYS_APART, 0, 0),
        "first_kept_id": ids.pack(horizon, 0, 0),
    }
