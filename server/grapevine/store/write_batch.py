"""One transaction of the writer: set-based changes that return the rows they really changed.

Each method is one named query of ``sql/batch.sql`` over all rows of a batch; none of them decides anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from grapevine.domain import ids
from grapevine.store.answer_rows import AnswerRow
from grapevine.store.query_runner import Changes
from grapevine.store.readers.scope import visit_params
from grapevine.store.repositories.erasures import Erasures
from grapevine.store.repositories.floods import SuspectedFloods
from grapevine.store.repositories.kept_answers import keep_answer
from grapevine.store.repositories.link_clicks import ClickChanges
from grapevine.store.repositories.link_removals import LinkRemovals
from grapevine.store.repositories.link_words import LinkWords
from grapevine.store.repositories.links import LinkBatches
from grapevine.store.repositories.live import LiveBatches
from grapevine.store.repositories.log_joins import LogJoins
from grapevine.store.repositories.receipts import ReceiptChanges
from grapevine.store.repositories.retention import VisitDeletion
from grapevine.store.repositories.verdicts import Verdicts
from grapevine.store.repositories.webhooks import WebhookBatches
from grapevine.store.rows import ConversionRow, KeptAnswer, NameRow, PageRow, ShareKey, ShareRow, VisitRow

MEASURES: Final = (
    "views", "visits", "visitors", "returns", "self_returns", "same_network", "shares", "reported", "proven",
    "conversions", "unlinked", "unfurls",
)  # fmt: skip
"""The columns that all tables of counts have, in their order."""

Rows = Sequence[Sequence[Any]]


class CascadeGrowth(msgspec.Struct, array_like=True):
    """The growth of one cascade by a batch: visits that are no self-returns, shares first seen, conversions."""

    site_id: int
    root_id: int
    cell: int
    size: int = 0
    max_depth: int = 0
    last_at: int = 0
    shares: int = 0
    conversions: int = 0


class Refundable(msgspec.Struct, frozen=True, kw_only=True):
    """A stored conversion as something to be refunded: what was ``paid``, and what is ``left`` of it after refunds, in
    millionths of ``currency``; both are None and 0 where it has no value."""

    site_id: int
    visit_id: int
    event_key: int
    goal: str
    paid: int | None
    currency: str | None
    reported_by: int
    is_refund: bool
    at: int
    left: int

    @property
    def refunded(self) -> int:
        """What was taken back: 0 or less."""
        return self.left - (self.paid or 0)


class GrownCascade(NamedTuple):
    """A cascade that a batch let grow by ``growth`` visits, as it is now; ``page_id`` is its root's page."""

    site_id: int
    root_id: int
    growth: int
    size: int
    max_depth: int
    page_id: int
    started_at: int


class ConversionGuard(msgspec.Struct, frozen=True, kw_only=True):
    """The guard of a stored conversion: who reported it (a code of CONVERSION_REPORTERS), and the visit that has its
    row. Both are None of conversions from before they were kept."""

    reported_by: int | None
    visit_id: int | None


class Batch:
    """The changes of one transaction."""

    def __init__(self, changes: Changes) -> None:
        self._run = changes.run
        self._run_unless_partial = changes.run_unless_partial
        self._run_many = changes.run_many
        self.verdicts = Verdicts(changes)
        self.floods = SuspectedFloods(changes)
        self.deletion = VisitDeletion(changes)
        self.erasures = Erasures(changes)
        self.live = LiveBatches(changes)
        self.log_joins = LogJoins(changes)
        self.links = LinkBatches(changes)
        self.words = LinkWords(changes)
        self.link_removals = LinkRemovals(changes)
        self._changes = changes
        self.clicks = ClickChanges(changes)
        self._afterwards: list[Callable[[], None]] = []

    @property
    def webhooks(self) -> WebhookBatches:
        """Events for webhooks; made when there are some, which is in few batches."""
        return WebhookBatches(self._changes)

    @property
    def receipts(self) -> ReceiptChanges:
        """Receipts of conversions; made when there are some, which is in few batches."""
        return ReceiptChanges(self._changes)

    def when_committed(self, call: Callable[[], None]) -> None:
        """``call`` is called when the transaction has committed, and never if it does not."""
        self._afterwards.append(call)

    def committed(self) -> None:
        """Called by the store after COMMIT; runs the registered callbacks."""
        for call in self._afterwards:
            call()

    async def keep_answer(self, answer: KeptAnswer | None) -> None:
        """Keeps the answer to the request that the transaction carries out, if any. Raises AlreadyAnswered."""
        await keep_answer(self._changes, answer)

    async def visits(self, keys: Iterable[tuple[int, int, int]]) -> dict[tuple[int, int], VisitRow]:
        """The stored visits among ``keys`` (site, visit, cell), by (site, visit)."""
        return _by_key(await self._run("named_visits", list(keys)))

    async def held_visits(self, keys: Iterable[tuple[int, int, int]]) -> dict[tuple[int, int], VisitRow]:
        """As ``visits``, and locks these visits and their cascades until the transaction ends."""
        named = list(keys)
        found = _by_key(await self._run("held_visits", named))
        roots = sorted({(row.site_id, row.root, row.cell) for row in found.values()})
        if await self._run("hold_cascades", roots):
            return await self.visits(named)
        return found

    async def insert_visits(
        self, pages: Sequence[PageRow], visits: Sequence[VisitRow], keys: Sequence[ShareKey]
    ) -> tuple[set[tuple[int, int]], dict[ShareKey, ShareRow]]:
        """Adds pages that are missing, titles that were corrected, and visits. Returns the (site, visit) of the visits
        whose id was free, and the stored rows of the shares ``keys``."""
        _, new, stored = await self._run_many(
            [("insert_pages", _plain(pages)), ("insert_visits", _plain(visits)), ("named_shares", _plain(keys))]
        )
        return {(site, visit) for site, visit in new}, _by_share(stored)

    async def add_views(self, rows: Rows) -> None:
        """Adds to (site, visit, cell) so many views."""
        await self._run("add_views", rows)

    async def add_later_views(self, rows: Rows) -> None:
        """Adds to (site, visit, cell) so many views in a later hour than their first: (key…, hour, views)."""
        await self._run("add_later_views", rows)

    async def restore_pages(self, pages: Sequence[PageRow]) -> None:
        """Adds the pages that are missing."""
        await self._run("restore_pages", _plain(pages))

    async def known_pages(self, keys: Rows) -> set[tuple[int, int]]:
        """Which pages of ``keys`` (site, page, cell) are stored, by (site, page)."""
        return {(site, page) for site, page in await self._run("known_pages", keys)}

    async def pages_of_day(self, site_id: int, day: int) -> int:
        """How many pages of the site were first seen on that day; 0 where they cannot all be counted now."""
        found = await self._run_unless_partial("pages_of_day", site_id=site_id, day=day)
        return int(found[0][0]) if found else 0

    async def known_names(self, keys: Rows) -> set[tuple[int, int, str]]:
        """Which names of ``keys`` (site, kind, name, cell) are stored, by (site, kind, name)."""
        return {(site, kind, name) for site, kind, name in await self._run("known_names", keys)}

    async def names_of_day(self, site_id: int, kind: int, day: int) -> int:
        """How many names of a kind visitors of the site invented on that day."""
        found = await self._run_unless_partial(
            "names_of_day", site_id=site_id, kind=kind, day=day, cell=ids.hashed_cell(site_id)
        )
        return int(found[0][0]) if found else 0

    async def insert_names(self, rows: Sequence[NameRow]) -> None:
        """Adds names that are missing."""
        await self._run("insert_names", _plain(rows))

    async def guard(self, rows: Rows) -> set[tuple[int, int, int]]:
        """Guards (site, kind, key, cell, expires_at). Returns the (site, kind, key) seen for the first time."""
        return {(site, kind, key) for site, kind, key in await self._run("insert_guards", rows)}

    async def click_guards(self, rows: Rows) -> dict[tuple[int, int], int]:
        """Returns the holders of the stored guards among (site, kind, key, cell), by (site, key)."""
        return {(site, key): holder for site, key, holder in await self._run("click_guards", rows)}

    async def insert_click_guards(self, rows: Rows) -> set[tuple[int, int]]:
        """Guards (site, kind, key, cell, expires_at, holder). Returns the (site, key) seen for the first time."""
        return {(site, key) for site, key in await self._run("insert_click_guards", rows)}

    async def shares(self, keys: Sequence[ShareKey]) -> dict[ShareKey, ShareRow]:
        """Returns the stored rows of the shares ``keys``; shares without a row are left out."""
        return _by_share(await self._run("named_shares", _plain(keys)))

    async def insert_unfurls(self, rows: Rows) -> list[tuple[ShareKey, str, int]]:
        """Adds unfurls (key…, app, hour, at). Returns (key, app, hour) of the new ones."""
        return [(ShareKey(*key), app, hour) for *key, app, hour in await self._run("insert_unfurls", rows)]

    async def conversion_guards(self, rows: Rows) -> dict[tuple[int, int], ConversionGuard]:
        """Returns the stored guards among (site, kind, key, cell), by (site, key)."""
        found = await self._run("conversion_guards", rows)
        return {
            (site, key): ConversionGuard(reported_by=reported_by, visit_id=visit)
            for site, key, reported_by, visit in found
        }

    async def guard_conversions(self, rows: Rows) -> set[tuple[int, int]]:
        """Guards (site, kind, key, cell, expires_at, reported_by, visit). Returns the (site, key) of the new ones."""
        return {(site, key) for site, key in await self._run("insert_conversion_guards", rows)}

    async def replace_conversion_guards(self, rows: Rows) -> set[tuple[int, int]]:
        """Hands guards (site, kind, key, cell, visit, visit_before) that a page holds in ``visit_before`` to a report
        with a key in ``visit``. Returns the (site, key) of those that were still so."""
        return {(site, key) for site, key in await self._run("replace_conversion_guards", rows)}

    async def move_conversion_guards(self, rows: Rows) -> None:
        """Says in guards (site, kind, key, cell, visit) of conversions that their rows are in another visit."""
        await self._run("move_conversion_guards", rows)

    async def refundable(self, rows: Rows) -> dict[tuple[int, int], Refundable]:
        """Returns what is left of the conversions (site, visit, cell, event key) that are stored, by (site, key)."""
        found = await self._run("refundable", rows)
        return {
            (site, key): Refundable(
                site_id=site,
                visit_id=visit,
                event_key=key,
                goal=goal,
                paid=paid,
                currency=currency,
                reported_by=reported_by,
                is_refund=refunded_key is not None,
                at=at or 0,
                left=left or 0,
            )
            for site, visit, key, goal, paid, currency, reported_by, refunded_key, at, left in found
            if goal is not None
        }

    async def take_refunds(self, site_id: int, visit_id: int, event_key: int) -> list[ConversionRow]:
        """Deletes the refunds of a conversion. Returns them."""
        found = await self._run("take_refunds", **visit_params(site_id, visit_id), event_key=event_key)
        return [ConversionRow(*row) for row in found]

    async def delete_conversion(self, site_id: int, visit_id: int, event_key: int) -> int | None:
        """Deletes a conversion. Returns its time; None if it was not there."""
        deleted = await self._run("delete_conversion", **visit_params(site_id, visit_id), event_key=event_key)
        return deleted[0][0] if deleted else None

    async def conversions_by_pages(self, visits: Rows) -> dict[tuple[int, int], int]:
        """Returns how many conversions pages have reported for (site, visit, cell), by (site, visit)."""
        return {(site, visit): number for site, visit, number in await self._run("conversions_by_pages", visits)}

    async def insert_conversions(self, rows: Sequence[ConversionRow]) -> set[tuple[int, int, int]]:
        """Adds conversions. Returns the (site, visit, event_key) of those that are new."""
        found = await self._run("insert_conversions", _plain(rows))
        return {(site, visit, key) for site, visit, key in found}

    async def insert_answers(self, rows: Sequence[AnswerRow]) -> set[tuple[int, int, int]]:
        """Adds answers. Returns the (site, visit, event_key) of those that are new."""
        found = await self._run("insert_answers", _plain(rows))
        return {(site, visit, key) for site, visit, key in found}

    async def known_answers(self, keys: Rows) -> set[tuple[int, int, int]]:
        """Which answers of ``keys`` (site, visit, cell, event_key) are stored, by (site, visit, event_key)."""
        return {(site, visit, key) for site, visit, key, _ in await self._run("known_answers", keys)}

    async def answers_between(self, site_id: int, start: int, end: int, reported_by: int) -> int:
        """How many answers pages, or keys (a code of CONVERSION_REPORTERS), have reported of the site from ``start`` to
        before ``end`` (ms); 0 where they cannot be counted now."""
        found = await self._run_unless_partial(
            "answers_between", site_id=site_id, start=start, end=end, reported_by=reported_by
        )
        return int(found[0][0]) if found else 0

    async def urls_of_shares(self, visits: Rows) -> dict[tuple[int, int], set[str]]:
        """The URLs that shares of ``visits`` (site, visit, cell) keep of their own, by (site, visit)."""
        urls: dict[tuple[int, int], set[str]] = {}
        for site, visit, url in await self._run("urls_of_shares", visits):
            urls.setdefault((site, visit), set()).add(url)
        return urls

    async def add_up(
        self, shares: Sequence[ShareRow], growths: Sequence[CascadeGrowth], counts: Mapping[str, Rows], drops: Rows
    ) -> list[GrownCascade]:
        """Adds to shares (times where there were none, and so many returns and self-returns more), to the cascades'
        summaries (one that has none gets it with its first return), (key…, slot, measures…) to the tables named
        ``counts``, and (site, hour, reason, slot, so many) to the drops. Returns the cascades that have more visits."""
        raised = [(f"raise_{table}", rows) for table, rows in counts.items()]
        *_, grown = await self._run_many(
            [("put_shares", _plain(shares)), *raised, ("raise_drops", drops), ("grow_cascades", _plain(growths))]
        )
        known = {(site_id, root_id) for site_id, root_id, *_ in grown}
        first = [growth for growth in growths if growth.size and (growth.site_id, growth.root_id) not in known]
        if first:
            grown += await self._run("start_cascades", [list(_plain([growth])[0])[:6] for growth in first])
        added = {(each.site_id, each.root_id): each.size for each in growths if each.size}
        return [
            GrownCascade(site_id, root_id, added[site_id, root_id], *facts)
            for site_id, root_id, *facts in grown
            if (site_id, root_id) in added
        ]

    async def keep_shapes(self, rows: Rows) -> None:
        """Stores computed shapes: (site, root, cell, breadth, virality, networks, shape_size, shape_at)."""
        await self._run("keep_shapes", rows)


def _by_key(rows: Rows) -> dict[tuple[int, int], VisitRow]:
    return {(row[0], row[1]): VisitRow(*row) for row in rows}


def _by_share(rows: Rows) -> dict[ShareKey, ShareRow]:
    return {ShareKey(*row[:5]): ShareRow(*row) for row in rows}


def _plain(structs: Sequence[msgspec.Struct]) -> list[Any]:
    return [msgspec.structs.astuple(struct) for struct in structs]
