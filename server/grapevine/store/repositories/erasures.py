"""The erasure of a visit: one method a named query of ``sql/erasures.sql``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from grapevine.domain import ids
from grapevine.domain.enums import DAYS_OF_WEEK
from grapevine.store.query_runner import Runner
from grapevine.store.readers.scope import visit_params
from grapevine.store.repositories.verdicts import CascadeKey, CascadeReturns, day_params
from grapevine.store.rows import PageRow, ShareRow, VisitRow


class ErasedConversion(NamedTuple):
    """A conversion that was erased, at ``at`` (ms); a refund has the key of what it took back, and counts as none."""

    event_key: int
    at: int
    refunded_key: int | None


class VisitFacts(NamedTuple):
    """The rows of what happened in a visit: its shares, link previews as (app, at), conversions and refunds, and views
    in later hours as (hour, number)."""

    shares: list[ShareRow]
    unfurls: list[tuple[str, int]]
    conversions: list[ErasedConversion]
    later_views: list[tuple[int, int]]


class ErasureReader:
    """Reads what an erasure has to know, outside of its transaction."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def visit(self, site_id: int, visit_id: int) -> VisitRow | None:
        """Returns a visit as it is stored, a stub included."""
        rows = await self._run("visit_to_erase", **visit_params(site_id, visit_id))
        return VisitRow(*rows[0]) if rows else None

    async def first_visits(self, site_id: int, day: int, visitor: int) -> list[VisitRow]:
        """Returns the first two visits of a visitor on a day that count: a program may have made a million of them."""
        rows = await self._run("counted_visits_of_visitor", visitor=visitor, limit=2, **day_params(site_id, day))
        return [VisitRow(*row) for row in rows]


class Erasures:
    """The changes of an erasure in one transaction."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def take_facts(self, row: VisitRow) -> VisitFacts:
        """Deletes what happened in a visit. Returns it."""
        params = visit_params(row.site_id, row.visit_id)
        await self._run("delete_answers_of_visit", **params)
        return VisitFacts(
            shares=[ShareRow(*found) for found in await self._run("take_shares", **params)],
            unfurls=[(app, at) for app, at in await self._run("take_unfurls", **params)],
            conversions=[ErasedConversion(*each) for each in await self._run("take_conversions", **params)],
            later_views=[(hour, views) for hour, views in await self._run("take_later_views", **params)],
        )

    async def delete_kept_shares(self, site_id: int, visit_id: int) -> bool:
        """Deletes where the links of a visit lead that is past retention. Returns whether there were any."""
        return bool(await self._run("delete_kept_shares", **visit_params(site_id, visit_id)))

    async def make_stub(self, row: VisitRow) -> None:
        """Leaves of a visit its position in the tree, and the day of its id."""
        at = ids.day_start(ids.day_of(row.visit_id))
        await self._run("make_stub", **visit_params(row.site_id, row.visit_id), at=at)

    async def forget_visits_of_guards(self, row: VisitRow, kind: int, keys: Iterable[int]) -> None:
        """Removes the visit from guards of that kind, which stay."""
        await self._run(
            "clear_guards",
            [(row.site_id, kind, key, ids.hashed_cell(key), row.visit_id) for key in sorted(keys)],
        )

    async def delete_some_deliveries(self, site_id: int, visit_ids: Iterable[int], limit: int) -> int:
        """Deletes at most ``limit`` of the events that ``delete_deliveries`` deletes. Returns how many."""
        rows = [(site_id, visit_id) for visit_id in visit_ids]
        return len(await self._run("delete_some_deliveries_of_visits", rows, limit=limit))

    async def delete_deliveries(self, site_id: int, visit_ids: Iterable[int]) -> None:
        """Deletes the events for webhooks that name one of some visits."""
        await self._run("delete_deliveries_of_visits", [(site_id, visit_id) for visit_id in visit_ids])

    async def summary(self, cascade: CascadeKey) -> CascadeReturns | None:
        """Returns the size, depth and last time of a cascade's summary; None when it has none."""
        rows = await self._run("summary_of_cascade", **cascade._asdict())
        return CascadeReturns(*rows[0]) if rows else None

    async def forget_root(self, cascade: CascadeKey) -> None:
        """Removes from a cascade's summary what it says of its first visit."""
        await self._run("forget_root_of_cascade", **cascade._asdict(), at=ids.day_start(ids.day_of(cascade.root_id)))

    async def delete_page_if_unused(self, site_id: int, page_id: int, last_day: int) -> PageRow | None:
        """Deletes a page that no visit, share, mention or count names any more. Returns it; None when it stays.

        ``last_day`` is the last day that can have counts.
        """
        cell = ids.hashed_cell(page_id)
        found = await self._run("page_to_delete", site_id=site_id, page_id=page_id, cell=cell)
        if not found:
            return None
        days = range(found[0][0], last_day + 1)
        if await self.is_page_used(site_id, page_id, days):
            return None
        await self._delete_empty_counts(site_id, page_id, days)
        rows = await self._run("delete_page", site_id=site_id, page_id=page_id, cell=cell)
        return PageRow(*rows[0]) if rows else None

    async def is_page_used(self, site_id: int, page_id: int, days: range) -> bool:
        """Whether a share or view counts under a page in these days, a visit began there, or a mention names it."""
        if await self._run("page_is_mentioned", site_id=site_id, page_id=page_id, cell=ids.hashed_cell(page_id)):
            return True
        ((shares,),) = await self._run("shares_of_any_channel", site_id=site_id, page_id=page_id)
        if shares:
            return True
        found = await self._run("views_in_weeks", _weeks(days), site_id=site_id, page_id=page_id)
        if any(views for (views,) in found):
            return True
        return bool(await self._run("visits_on_page", site_id=site_id, page_id=page_id))

    async def _delete_empty_counts(self, site_id: int, page_id: int, days: range) -> None:
        page = {"site_id": site_id, "page_id": page_id}
        await self._run("delete_empty_counts_page", [(day,) for day in days], **page)
        await self._run("delete_empty_counts_week", _weeks(days), **page)
        await self._run("delete_empty_counts_shared", None, **page)

    async def announce(self) -> None:
        """Makes every process drop what it remembers to be stored."""
        await self._run("announce_erasure")


def _weeks(days: range) -> list[tuple[int]]:
    return [(week,) for week in range(days.start // DAYS_OF_WEEK, days.stop // DAYS_OF_WEEK + 1)]
