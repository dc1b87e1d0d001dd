"""Retention: which days are kept, what is deleted, and what stays of it: one method a named query of
``sql/retention.sql``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final, NamedTuple

from grapevine.domain import ids
from grapevine.store.query_runner import Changes
from grapevine.store.repositories.repository import Repository
from grapevine.store.rows import ShareKey

UNDATED: Final = -1
"""The hour of deleted counts that are totals without a date."""

_AT_ONCE: Final = 200

VisitKey = tuple[int, int, int]
"""A visit as (site, visit, cell)."""

_HANGING: Final = (
    "delete_answers_of_visits",
    "delete_conversions_of_visits",
    "delete_unfurls_of_visits",
    "delete_shares_of_visits",
    "delete_later_views_of_visits",
    "delete_log_joins_of_visits",
)


class OldVisit(NamedTuple):
    """A visit that is past retention; ``is_kept`` 1 where it is the node of a minted link that is in use."""

    site_id: int
    visit_id: int
    cell: int
    is_kept: int


class DeletedShare(NamedTuple):
    """A share of a visit that is deleted; times in UTC milliseconds, ``followed`` 1 where its short link was."""

    site_id: int
    visit_id: int
    cell: int
    channel: int
    n: int
    page_id: int | None
    url: str | None
    first_at: int | None
    reported_at: int | None
    proven_at: int | None
    reported_by: int | None
    followed: int | None


class DeletedUnfurl(NamedTuple):
    """An unfurl of a visit that is deleted; ``at`` in UTC milliseconds."""

    site_id: int
    visit_id: int
    channel: int
    n: int
    app: str
    at: int


class DeletedConversion(NamedTuple):
    """A conversion of a visit that is deleted; ``at`` in UTC milliseconds. A refund has the key of what it took back,
    and counts as none."""

    site_id: int
    visit_id: int
    event_key: int
    at: int
    refunded_key: int | None = None


class DeletedCount(NamedTuple):
    """What deleted rows counted in one hour, by the dimensions of all tables of counts; see the schema."""

    site_id: int
    hour: int
    source: int
    channel: int
    depth: int
    page_id: int
    device: int
    app: str
    cell: int
    views: int = 0
    shares: int = 0
    reported: int = 0
    proven: int = 0
    conversions: int = 0
    unfurls: int = 0


class KeptShare(NamedTuple):
    """A deleted share whose link still leads to its page."""

    site_id: int
    visit_id: int
    cell: int
    channel: int
    n: int
    page_id: int
    url: str | None


class RetentionRepository(Repository):
    """The horizon, what lies before it, and the deletion of what hangs on no visit. Days are those of visit ids."""

    async def horizon(self) -> int | None:
        """Returns the first day that is kept; None where nothing was ever deleted."""
        rows = await self._read("horizon")
        return int(rows[0][0]) if rows else None

    async def raise_horizon(self, day: int) -> int:
        """Keeps ``day`` and later ones from now on. Returns the first day that is kept, which may be a later one."""
        async with self._transaction() as change:
            await change.run("raise_horizon", day=day)
            return int((await change.run("horizon"))[0][0])

    async def oldest_days(self, before: int) -> list[tuple[int, int]]:
        """Returns (day, site) of the oldest visit of each site that has visits of days before ``before``."""
        oldest = await self._sites_with("visits", ids.pack(before, 0, 0))
        return [(ids.day_of(visit), site) for site, visit in oldest]

    async def oldest_visits(self, site_id: int, before: int, limit: int, behind: int, now: int) -> list[OldVisit]:
        """Returns up to ``limit`` visits of days before ``before``, the oldest first, those behind a visit. Links that
        have not expired at ``now`` (UTC milliseconds) are marked."""
        rows = await self._read(
            "oldest_visits",
            site_id=site_id,
            behind=behind,
            to_id=ids.pack(before, 0, 0),
            now=now,
            limit=limit,
        )
        return [OldVisit(*row) for row in rows]

    async def delete_answers(self, before: int) -> AsyncIterator[int]:
        """Deletes the answers from before a time (UTC milliseconds). Yields how many after each transaction."""
        for site_id, _ in await self._sites_with("answers", before):
            async for number in self._delete("answers", site_id=site_id, before=before):
                yield number

    async def delete_cascades(self, before: int) -> AsyncIterator[int]:
        """Deletes the summaries of cascades that had no return since a time. Yields how many after each transaction."""
        for site_id, _ in await self._sites_with("cascades", before):
            async for number in self._delete("cascades", site_id=site_id, before=before):
                yield number

    async def delete_mentions(self, before: int) -> AsyncIterator[int]:
        """Deletes the mentions that became known before a time. Yields how many after each transaction."""
        for site_id, _ in await self._sites_with("mentions", before):
            async for number in self._delete("mentions", site_id=site_id, before=before):
                yield number

    async def delete_webmentions(self, before: int) -> AsyncIterator[int]:
        """Deletes the webmentions that arrived before a time, as ``delete_mentions`` does."""
        for site_id, _ in await self._sites_with("webmentions", before):
            async for number in self._delete("webmentions", site_id=site_id, before=before):
                yield number

    def delete_deliveries(self, before: int) -> AsyncIterator[int]:
        """Deletes the deliveries of webhooks from before a time, delivered or not, as ``delete_answers`` does."""
        return self._delete("deliveries", before=before)

    async def mark_followed(self, shares: Iterable[ShareKey]) -> None:
        """Notes that the short links of ``shares`` were followed."""
        async with self._transaction() as change:
            await change.run("mark_followed", sorted(share.plain() for share in shares))

    async def delete_notes(self, horizon: int) -> None:
        """Deletes what was noted of days before ``horizon`` to be judged, and counts of rows that were deleted, of days
        that are not compared any more."""
        async with self._transaction() as change:
            await change.run("delete_old_suspects", day=horizon)
            await change.run("delete_old_suspected_floods", day=horizon, to_id=ids.pack(horizon, 0, 0))
            first = ids.day_start(first_compared_day(horizon)) // ids.HOUR_MS
            await change.run("delete_deleted_counts", before=first)

    async def _sites_with(self, table: str, before: int) -> list[tuple[int, int]]:
        """Returns each site whose oldest row of ``table`` is before ``before``, and that row's time or id."""
        found: list[tuple[int, int]] = []
        site_id = -1
        while rows := await self._read(f"next_site_with_{table}", site_id=site_id):
            ((site_id, oldest),) = rows
            if oldest < before:
                found.append((site_id, oldest))
            await asyncio.sleep(0)  # a server may have thousands of sites
        return found

    async def _delete(self, table: str, **scope: Any) -> AsyncIterator[int]:
        while found := await self._read(f"oldest_{table}", **scope, limit=_AT_ONCE):
            async with self._transaction() as change:
                await change.run(f"delete_old_{table}", found)
            yield len(found)


class VisitDeletion:
    """The deletion of visits in one transaction, in which they are locked (``Batch.held_visits``)."""

    def __init__(self, changes: Changes) -> None:
        self._run = changes.run
        self._run_many = changes.run_many

    async def shares(self, visits: Sequence[VisitKey]) -> list[DeletedShare]:
        """Returns the shares of ``visits``."""
        return [DeletedShare(*row) for row in await self._run("shares_of_visits", visits)]

    async def unfurls(self, visits: Sequence[VisitKey]) -> list[DeletedUnfurl]:
        """Returns the unfurls of the shares of ``visits``."""
        return [DeletedUnfurl(*row) for row in await self._run("unfurls_of_visits", visits)]

    async def conversions(self, visits: Sequence[VisitKey]) -> list[DeletedConversion]:
        """Returns the conversions of ``visits``."""
        return [DeletedConversion(*row) for row in await self._run("conversions_of_visits", visits)]

    async def delete_hanging(
        self, visits: Sequence[VisitKey], guards: Iterable[tuple[int, int, int, int, int]]
    ) -> None:
        """Deletes all that hangs on ``visits``, which stay, and takes them out of ``guards`` (site, kind, key, cell,
        visit)."""
        await self._run_many([("clear_guards", list(guards)), *((name, visits) for name in _HANGING)])

    async def delete(
        self,
        visits: Sequence[VisitKey],
        kept: Iterable[KeptShare],
        counts: Iterable[DeletedCount],
        guards: Iterable[tuple[int, int, int, int, int]],
    ) -> None:
        """Deletes ``visits`` and all that hangs on them. Stores what stays: the shares ``kept``, what the deleted rows
        counted, and the guards (site, kind, key, cell, visit) without their visit."""
        await self._run_many(
            [
                ("insert_kept_shares", list(kept)),
                ("add_deleted_counts", list(counts)),
                ("clear_guards", list(guards)),
                *((name, visits) for name in _HANGING),
                ("delete_visits", visits),
            ]
        )


def first_compared_day(horizon: int) -> int:
    """Returns the first day on which no visit arrived that is past retention. An id's day is the browser's, and a visit
    may have arrived a day later (UTC)."""
    return horizon + 1
