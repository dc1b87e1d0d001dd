"""Which lines of access logs were joined with visits that a page's script reported: one method a named query of
``sql/log_joins.sql``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from grapevine.store.query_runner import Changes
from grapevine.store.rows import ERASED


class LineKey(NamedTuple):
    """A line of a log: its site, a keyed hash of it, and the cell of the visit that it can be joined with."""

    site_id: int
    line_key: int
    cell: int


class ShareMoment(NamedTuple):
    """A share (``sharer_id``, ``channel``, ``n``) at a time at which it was opened (UTC milliseconds).

    ``parent_id`` is what the visits through it hang on. They came from ``from_at`` to ``to_at``; those that were erased
    have ids of ``first_day`` to ``last_day``, of which these are the starts.
    """

    site_id: int
    cell: int
    parent_id: int
    sharer_id: int
    channel: int
    n: int
    at: int
    from_at: int
    to_at: int
    first_day: int
    last_day: int


class ReportedVisit(NamedTuple):
    """A visit that a page's script reported. Of one that was erased ``at`` is the start of its id's day."""

    visit_id: int
    cell: int
    at: int
    page_id: int
    device: int
    flags: int

    @property
    def is_erased(self) -> bool:
        """Whether only its position in the tree is left of it."""
        return bool(self.flags & ERASED)


class LogJoin(NamedTuple):
    """A visit and the line that it was joined with."""

    site_id: int
    visit_id: int
    cell: int
    line_key: int


class LogJoins:
    """The joins of one transaction."""

    def __init__(self, changes: Changes) -> None:
        self._run = changes.run

    async def joined(self, lines: Iterable[LineKey]) -> set[tuple[int, int]]:
        """Returns the (site, line_key) of those of ``lines`` that were joined."""
        return {(site, key) for site, key in await self._run("joined_lines", list(lines))}

    async def unjoined_visits(self, moment: ShareMoment, limit: int) -> list[ReportedVisit]:
        """Returns the reported visits nearest to a moment that were joined with no line, at most ``limit`` before it,
        after it, and of those that were erased."""
        found = await self._run("visits_to_join", **moment._asdict(), limit=limit)
        return [ReportedVisit(*row) for row in found]

    async def insert(self, joins: Iterable[LogJoin]) -> None:
        """Joins visits with lines."""
        await self._run("insert_log_joins", list(joins))
