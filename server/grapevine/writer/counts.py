"""The count deltas of a batch: one row per count, page and cascade instead of one per event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from grapevine.domain import ids
from grapevine.domain.enums import DAY_KEYS, DAYS_OF_WEEK, DEEPEST, DROP_REASONS, NO_CHANNEL
from grapevine.store.rows import SAME_NETWORK, ShareRow, VisitRow
from grapevine.store.write_batch import MEASURES, Batch, CascadeGrowth, GrownCascade

_POSITION: Final = {measure: position for position, measure in enumerate(MEASURES)}
_VIEWS, _VISITS, _VISITORS = (_POSITION[name] for name in ("views", "visits", "visitors"))
_RETURNS, _SELF_RETURNS, _SAME_NETWORK = (_POSITION[name] for name in ("returns", "self_returns", "same_network"))

_WEEKLY: Final = tuple(_POSITION[name] for name in ("views", "visits", "returns", "shares", "proven", "unlinked"))
_HOURS: Final = 24

Key = tuple[Any, ...]
Drop = tuple[int, int, str]
"""Site (0 where the request named none), hour, and the reason."""


class CountDeltas:
    """Counts of one batch by (site, hour, source, channel, depth), by (site, day) and one of these, by (site, day,
    page) and by (site, day, device, app); and shares by (site, page that was shared, channel)."""

    def __init__(self, slot: int) -> None:
        self._slot = slot
        self._hours: dict[Key, list[int]] = {}
        self._days: dict[Key, list[int]] = {}
        self._pages: dict[Key, list[int]] = {}
        self._devices: dict[Key, list[int]] = {}
        self._shared: Counter[tuple[int, int, int]] = Counter()
        self._cascades: dict[tuple[int, int], CascadeGrowth] = {}
        self._bound_hits: Counter[tuple[int, int, int]] = Counter()
        self.exceeded: Counter[int] = Counter()
        """Events that exceed a bound of their day, by ``BOUND_KINDS``."""

    def add_visit(self, row: VisitRow, *, first_of_day: bool) -> None:
        """Counts a new visit under the share channel it arrived through, and adds it to its cascade."""
        if self._add_visit(row, first_of_day, 1):
            growth = self.cascade(row)
            growth.size += 1
            growth.max_depth = max(growth.max_depth, row.depth)
            growth.last_at = max(growth.last_at, row.at)

    def uncount(self, row: VisitRow, *, first_of_day: bool) -> None:
        """Takes back the counts of ``add_visit`` for a visit of one view. The caller takes care of its cascade."""
        self._add_visit(row, first_of_day, -1)

    def _add_visit(self, row: VisitRow, first_of_day: bool, by: int) -> bool:
        """Counts a visit ``by`` times. Returns whether it is a return."""
        returned = row.parent_id is not None and not row.is_aside
        for counts in self._counts(row, row.at, NO_CHANNEL if row.channel is None else row.channel):
            counts[_VIEWS] += by
            counts[_VISITS] += by
            if first_of_day:
                counts[_VISITORS] += by
            if returned:
                counts[_RETURNS] += by
                counts[_SAME_NETWORK] += by * bool(row.flags & SAME_NETWORK)
            elif row.is_self:
                counts[_SELF_RETURNS] += by
        return returned

    def add_view(self, row: VisitRow, at: int, by: int = 1) -> None:
        """Counts one more view of a person's visit, in the hour of ``at``; ``by`` is negative to take views back."""
        if row.verdict is not None:
            return
        for counts in self._counts(row, at, NO_CHANNEL if row.channel is None else row.channel):
            counts[_VIEWS] += by

    def add_visitor(self, row: VisitRow, by: int) -> None:
        """Counts the visitor of the day under the visit ``row``; ``by`` is -1 to take it back."""
        for counts in self._counts(row, row.at, NO_CHANNEL if row.channel is None else row.channel):
            counts[_VISITORS] += by

    def add_share(
        self, row: VisitRow, channel: int, at: int, measure: str, by: int = 1, page_id: int | None = None
    ) -> None:
        """Counts for a share made in a person's visit ``row``, under the share's own channel, in the hour of ``at``.

        A share counts for the page ``page_id``, or as long as no report names one, for the visit's first page.
        """
        if row.verdict is not None:
            return
        if measure == "shares":
            self._shared[row.site_id, row.page_id if page_id is None else page_id, channel] += by
        position = _POSITION[measure]
        for counts in self._counts(row, at, channel):
            counts[position] += by

    def move_share(self, row: VisitRow, channel: int, page_id: int, page_before: int | None) -> None:
        """A share that counted for ``page_before``, or where that is None for the first page of its visit ``row``,
        counts for the page that its report names."""
        if row.verdict is None:
            self._shared[row.site_id, row.page_id if page_before is None else page_before, channel] -= 1
            self._shared[row.site_id, page_id, channel] += 1

    def add_conversion(self, row: VisitRow, at: int, by: int = 1) -> None:
        """Counts a goal reached in the visit ``row``, in the hour of ``at``, and adds it to the cascade.

        ``by`` is -1 to take a counted one out again.
        """
        self.add_share(row, NO_CHANNEL if row.channel is None else row.channel, at, "conversions", by)
        if row.verdict is None:
            self.cascade(row).conversions += by

    def add_opted_out_visit(self, site_id: int, at: int, source: int, page_id: int, device: int) -> None:
        """Counts a visit that has no row."""
        hour, day = at // ids.HOUR_MS, ids.day_at(at)
        for counts in (
            _of(self._hours, (site_id, hour, source, NO_CHANNEL, 0)),
            _of(self._pages, (site_id, day, page_id)),
            _of(self._devices, (site_id, day, device, "")),
        ):
            counts[_POSITION["unlinked"]] += 1
            counts[_VIEWS] += 1

    def add_unfurl(self, site_id: int, app: str, at: int, by: int = 1) -> None:
        """Counts an unfurl under the app whose robot fetched it, and under the hour; ``by`` is -1 to take it back."""
        day, hour = ids.day_at(at), at // ids.HOUR_MS % _HOURS
        _of(self._devices, (site_id, day, 0, app))[_POSITION["unfurls"]] += by
        _of(self._days, (site_id, day, DAY_KEYS["hour"], hour))[_POSITION["unfurls"]] += by

    def add_bound_hit(self, site_id: int, kind: int, at: int) -> None:
        """Counts an event that exceeds a bound of its day; ``kind`` is one of ``BOUND_KINDS``."""
        self._bound_hits[site_id, ids.day_at(at), kind] += 1
        self.exceeded[kind] += 1

    def cascade(self, row: VisitRow) -> CascadeGrowth:
        """Returns the growth of the cascade of ``row``, to be raised by the caller."""
        key = (row.site_id, row.root)
        return self._cascades.setdefault(key, CascadeGrowth(row.site_id, row.root, row.cell))

    async def write(self, batch: Batch, shares: Sequence[ShareRow], drops: Mapping[Drop, int]) -> list[GrownCascade]:
        """Raises all counts, the drops and the cascades' summaries, and writes the changed ``shares``. Returns the
        cascades that have more visits."""
        self._add_days()
        # Sorted, so that two writers never wait for each other's rows in a circle.
        return await batch.add_up(
            shares,
            [self._cascades[key] for key in sorted(self._cascades)],
            {
                "counts_hour": self._rows(self._hours),
                "counts_day": self._rows(self._days),
                "counts_page": self._rows(self._pages),
                "counts_device": self._rows(self._devices),
                "counts_week": self._weeks(),
                "bound_hits": [(*key, self._slot, events) for key, events in sorted(self._bound_hits.items())],
                "counts_shared": [(*key, self._slot, by) for key, by in sorted(self._shared.items()) if by],
            },
            [(*hour, reason, self._slot, number) for (*hour, reason), number in sorted(drops.items())],
        )

    def _rows(self, table: Mapping[Key, Sequence[int]]) -> list[tuple[int | str, ...]]:
        return [(*key, self._slot, *counts) for key, counts in sorted(table.items())]

    def _weeks(self) -> list[tuple[int | str, ...]]:
        """The counts by page and day as counts by page and week, without the measures that weeks do not have."""
        weeks: dict[Key, list[int]] = {}
        for (site_id, day, page_id), counts in self._pages.items():
            key, weekly = (site_id, day // DAYS_OF_WEEK, page_id), [counts[position] for position in _WEEKLY]
            weeks[key] = weekly if key not in weeks else [sum(both) for both in zip(weeks[key], weekly, strict=True)]
        return self._rows(weeks)

    def _add_days(self) -> None:
        """Adds the counts by hour to the counts by day, under each dimension alone."""
        for (site_id, hour, *codes), counts in self._hours.items():
            day = ids.day_at(hour * ids.HOUR_MS)
            raised = [(position, number) for position, number in enumerate(counts) if number]
            for dimension, code in enumerate((codes[1], codes[0], codes[2], hour % _HOURS)):  # as in DAY_KEYS
                total = _of(self._days, (site_id, day, dimension, code))
                for position, number in raised:
                    total[position] += number

    def _counts(self, row: VisitRow, at: int, channel: int) -> tuple[list[int], list[int], list[int]]:
        site_id, day = row.site_id, ids.day_at(at)
        return (
            _of(self._hours, (site_id, at // ids.HOUR_MS, row.source, channel, min(row.depth, DEEPEST))),
            _of(self._pages, (site_id, day, row.page_id)),
            _of(self._devices, (site_id, day, row.device, row.app or "")),
        )


def _of(table: dict[Key, list[int]], key: Key) -> list[int]:
    counts = table.get(key)
    if counts is None:
        counts = table[key] = [0] * len(MEASURES)
    return counts


NO_SITE: Final = 0
"""Stands in drops where the request named no site of this server."""


class Drops:
    """Counts of refused events, in memory until the next batch stores them."""

    def __init__(self) -> None:
        self._counts: Counter[Drop] = Counter()
        self.totals = Counter(dict.fromkeys(DROP_REASONS, 0))
        """By reason, since the process started."""

    def add(self, site_id: int, reason: str, at: int, amount: int = 1) -> None:
        """Counts a drop; ``site_id`` 0 where the request named no site of this server."""
        self._counts[site_id, at // ids.HOUR_MS, reason] += amount
        self.totals[reason] += amount

    def take(self) -> Counter[Drop]:
        """Removes and returns the counts; pass them to ``give_back`` if they could not be stored."""
        taken, self._counts = self._counts, Counter()
        return taken

    def give_back(self, taken: Mapping[Drop, int]) -> None:
        """Adds counts again that could not be stored."""
        self._counts.update(taken)

    def __bool__(self) -> bool:
        return bool(self._counts)
