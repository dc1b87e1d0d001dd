"""Turns the events of a scenario into the rows and the statements that the server's own writer would have left."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

from grapevine.domain import ids
from grapevine.domain.enums import DAYS_OF_WEEK, NO_CHANNEL, SHARE_REPORTERS, SOURCES
from grapevine.domain.urls import page_id
from grapevine.domain.visit_evidence import DECIDED_BY
from grapevine.store import sql_loader
from grapevine.store.rows import ASIDE, SAME_NETWORK
from grapevine.store.write_batch import MEASURES
from grapevine.writer.nonces import GUARD_UNLINKED, GUARD_VIEW, GUARD_VISITOR, Nonces
from tests.bench.scenario import PAGES, Cascade, Happened, ScenarioShare, ScenarioVisit

NONCE_KEY: Final = b"n" * 32
NONCES_KEPT_MS: Final = 10 * 60_000
_DIRECT: Final = (SOURCES["direct-home"], SOURCES["direct-deep"])

_INDEX: Final = {measure: index for index, measure in enumerate(MEASURES)}
_VIEWS, _VISITS, _VISITORS, _RETURNS, _SELF, _SAME = (
    _INDEX[name] for name in ("views", "visits", "visitors", "returns", "self_returns", "same_network")
)
_SHARES, _REPORTED, _PROVEN, _UNLINKED, _UNFURLS = (
    _INDEX[name] for name in ("shares", "reported", "proven", "unlinked", "unfurls")
)
_CHANGE_SHARE: Final = """
UPDATE shares SET page_id = ?, first_at = ?, reported_at = ?, proven_at = ?, returns = ?, self_returns = ?,
    reported_by = ?
WHERE site_id = ? AND visit_id = ? AND cell = ? AND channel = ? AND n = ?"""
_CHANGE_VIEWS: Final = "UPDATE visits SET next_view = ? WHERE site_id = ? AND visit_id = ? AND cell = ?"
_CHANGE_CASCADE: Final = """
UPDATE cascades SET last_at = ?, size = ?, max_depth = ?, shares = ? WHERE site_id = ? AND root_id = ? AND cell = ?"""

Many = Callable[[str, Iterable[tuple[Any, ...]]], None]
"""Runs a statement once for each of some rows."""


class Filler:
    """Turns events into rows, and passes them to ``many``."""

    def __init__(self, many: Many, site_id: int, last_day: int) -> None:
        self._many = many
        self._site = site_id
        self._end = ids.day_start(last_day + 1)
        self._guarded_from = ids.day_start(last_day - 1)
        self._nonces = Nonces(NONCE_KEY)
        self._page_ids = [page_id(site_id, url) for url in PAGES]
        self._seen: set[int] = set()
        self._hours: dict[tuple[int, int, int, int], list[int]] = {}
        self._days: dict[tuple[int, int, int], list[int]] = {}
        self._pages: dict[tuple[int, int], list[int]] = {}
        self._devices: dict[tuple[int, int, str], list[int]] = {}
        self._shared: Counter[tuple[int, int]] = Counter()
        self._drops: Counter[tuple[int, str]] = Counter()
        self._going_on: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
        self._unlinked = 0
        self.visits = 0

    def write(self, end: int, happened: Happened) -> None:
        """Writes one slice of time that ends at ``end``."""
        self._insert_pages(happened)
        self._many(_insert("insert_visits"), map(self._visit_row, happened.visits))
        self.visits += len(happened.visits)
        changed = self._shares(happened)
        self._insert_shares(changed)
        self._grow([share.sharer.cascade for share in changed] + [visit.cascade for _, visit in happened.opened])
        self._unfurls(happened)
        self._ask_not_to_be_followed(happened)
        self._many(_CHANGE_VIEWS, self._going_on.pop(end, ()))
        if (end - ids.day_start(0)) % ids.HOUR_MS == 0:
            self._drops[end // ids.HOUR_MS - 1, "robot"] += 3 + len(happened.visits) // 9
        if (end - ids.day_start(0)) % ids.DAY_MS == 0:
            self._count()

    def _insert_pages(self, happened: Happened) -> None:
        named = [(visit.page, visit.at) for visit in happened.visits]
        named += [(share.page, share.reported_at or 0) for share in happened.reported if share.page is not None]
        named += [(page, at) for at, _, page, _ in happened.unlinked]
        new = {}
        for page, at in named:
            if page not in self._seen:
                self._seen.add(page)
                number = self._page_ids[page]
                new[page] = (self._site, number, number % ids.CELLS, ids.day_at(at), PAGES[page], title_of(PAGES[page]))
        if new:
            self._many(_insert("insert_pages"), new.values())

    def _visit_row(self, visit: ScenarioVisit) -> tuple[Any, ...]:
        (at, visit_id, check, page, source, device, app, visitor, new_visitor, channel, n, via_id, parent_id, cascade,
         depth, flags, reason, views, _) = visit  # fmt: skip
        number = self._page_ids[page]
        counts = self._counted(at, source, NO_CHANNEL if channel is None else channel, depth, number, device, app)
        returned = parent_id is not None and not flags & ASIDE
        for one in counts:
            one[_VIEWS] += 1
            one[_VISITS] += 1
            if new_visitor:
                one[_VISITORS] += 1
            if returned:
                one[_RETURNS] += 1
                if flags & SAME_NETWORK:
                    one[_SAME] += 1
            elif flags & ASIDE:
                one[_SELF] += 1
        if returned:
            cascade.size += 1
            cascade.max_depth = max(cascade.max_depth, depth)
            cascade.last_at = max(cascade.last_at, at)
        if views > 1:
            self._view(visit, number)
        if new_visitor and at >= self._guarded_from:
            day = ids.day_at(at)
            self._guard(GUARD_VISITOR, visitor << 16 | day, visitor % ids.CELLS, ids.day_start(day + 2))
        return (
            self._site, visit_id, visit_id >> 32 & 0xFFF, check, at, 2, number, source, device, app, visitor,
            channel, n, via_id, parent_id, None if parent_id is None else cascade.root_id, depth, flags, reason, None,
            visitor & (1 << 48) - 1, _evidence(visit),
        )  # fmt: skip

    def _view(self, visit: ScenarioVisit, page: int) -> None:
        """Counts the views after a visit's first, if they fall into the simulated time; they are written later."""
        at, channel = visit.at, NO_CHANNEL if visit.channel is None else visit.channel
        views = 1
        while views < visit.views and at + visit.gap < self._end:
            at += visit.gap
            views += 1
            for one in self._counted(at, visit.source, channel, visit.depth, page, visit.device, visit.app):
                one[_VIEWS] += 1
            if at + NONCES_KEPT_MS >= self._end:
                key = self._nonces.guard_key("view", self._site, visit.visit_id, view_nonce(views))
                self._guard(GUARD_VIEW, key, key % ids.CELLS, at + NONCES_KEPT_MS)
        if views > 1:
            due = min(self._end, at + 300_000 - at % 300_000)
            self._going_on[due].append((views + 1, self._site, visit.visit_id, ids.cell_of(visit.visit_id)))

    def _counted(
        self, at: int, source: int, channel: int, depth: int, page: int, device: int, app: str | None
    ) -> tuple[list[int], list[int], list[int]]:
        """Returns the counts that an event raises."""
        hour = at // 3_600_000
        day = hour // 24 - 18_262
        hour_key, page_key, device_key = (hour, source, channel, depth), (day, page), (day, device, app or "")
        by_hour, by_page, by_device = (
            self._hours.get(hour_key),
            self._pages.get(page_key),
            self._devices.get(device_key),
        )
        if by_hour is None:
            by_hour = self._hours[hour_key] = [0] * len(MEASURES)
        if by_page is None:
            by_page = self._pages[page_key] = [0] * len(MEASURES)
        if by_device is None:
            by_device = self._devices[device_key] = [0] * len(MEASURES)
        return by_hour, by_page, by_device

    def _shares(self, happened: Happened) -> list[ScenarioShare]:
        """Updates the shares of a slice; returns those that changed, each once."""
        changed: dict[int, ScenarioShare] = {}
        for share in happened.reported:
            changed[id(share)] = share
            if share.first_at is None and share.reported_at is not None:
                self._sight(share, share.reported_at, share.page)
            elif share.page is not None:
                self._shared[self._page_ids[share.sharer.page], share.channel] -= 1
                self._shared[self._page_ids[share.page], share.channel] += 1
            self._count_share(share, _REPORTED)
        for share, visit in happened.opened:
            changed[id(share)] = share
            if visit.flags & ASIDE:
                share.self_returns += 1
                continue
            share.returns += 1
            if share.first_at is None:
                self._sight(share, visit.at)
            if share.proven_at is None:
                share.proven_at = visit.at
                self._count_share(share, _PROVEN)
        return list(changed.values())

    def _sight(self, share: ScenarioShare, at: int, page: int | None = None) -> None:
        share.first_at = at
        self._shared[self._page_ids[share.sharer.page if page is None else page], share.channel] += 1
        share.sharer.cascade.shares += 1
        self._count_share(share, _SHARES)

    def _count_share(self, share: ScenarioShare, measure: int) -> None:
        """A share counts in the hour in which it was first seen."""
        sharer = share.sharer
        page, at = self._page_ids[sharer.page], share.first_at or 0
        counts = self._counted(at, sharer.source, share.channel, sharer.depth, page, sharer.device, sharer.app)
        for one in counts:
            one[measure] += 1

    def _insert_shares(self, changed: list[ScenarioShare]) -> None:
        new, old = [], []
        for share in changed:
            visit_id = share.sharer.visit_id
            key = (self._site, visit_id, ids.cell_of(visit_id), share.channel, share.n)
            page = None if share.page is None or share.reported_at is None else self._page_ids[share.page]
            by = None if share.reported_at is None else SHARE_REPORTERS["session"]
            facts = (page, share.first_at, share.reported_at, share.proven_at, share.returns, share.self_returns, by)
            if share.stored:
                old.append((*facts, *key))
            else:
                share.stored = True
                new.append((*key, *facts[:-1], None, by, None))
        self._many(_plain_insert("shares", 14), new)
        self._many(_CHANGE_SHARE, old)

    def _grow(self, cascades: list[Cascade]) -> None:
        new, old = [], []
        for cascade in {id(cascade): cascade for cascade in cascades}.values():
            if cascade.size == 1:
                continue
            cell = ids.cell_of(cascade.root_id)
            if cascade.stored:
                grown = (cascade.last_at, cascade.size, cascade.max_depth, cascade.shares)
                old.append((*grown, self._site, cascade.root_id, cell))
            else:
                cascade.stored = True
                new.append((
                    self._site, cascade.root_id, cell, self._page_ids[cascade.page], cascade.started_at,
                    cascade.last_at, cascade.size, cascade.max_depth, cascade.shares, 0, None, None, 0, 0, None,
                ))  # fmt: skip
        self._many(_plain_insert("cascades", 15), new)
        self._many(_CHANGE_CASCADE, old)

    def _unfurls(self, happened: Happened) -> None:
        rows = []
        for share, app, at in happened.unfurled:
            visit_id, hour = share.sharer.visit_id, at // ids.HOUR_MS
            rows.append((self._site, visit_id, ids.cell_of(visit_id), share.channel, share.n, app, hour, at))
            key = (ids.day_at(at), 0, app)
            self._devices.setdefault(key, [0] * len(MEASURES))[_UNFURLS] += 1
            self._days.setdefault((ids.day_at(at), 3, hour % 24), [0] * len(MEASURES))[_UNFURLS] += 1
        self._many(_insert("insert_unfurls"), rows)

    def _ask_not_to_be_followed(self, happened: Happened) -> None:
        for at, source, page, device in happened.unlinked:
            for one in self._counted(at, source, NO_CHANNEL, 0, self._page_ids[page], device, None):
                one[_UNLINKED] += 1
                one[_VIEWS] += 1
            self._unlinked += 1
            if at + NONCES_KEPT_MS >= self._end:
                key = self._nonces.guard_key("unlinked", self._site, unlinked_nonce(self._unlinked))
                self._guard(GUARD_UNLINKED, key, key % ids.CELLS, at + NONCES_KEPT_MS)

    def _guard(self, kind: int, key: int, cell: int, expires_at: int) -> None:
        self._many(_insert("insert_guards"), [(self._site, kind, key, cell, expires_at)])

    def _count(self) -> None:
        """A day's counts, in the order in which they were first raised."""
        for (hour, source, channel, depth), counts in self._hours.items():
            day, of_day = hour // 24 - 18_262, hour % 24
            for key in ((day, 0, channel), (day, 1, source), (day, 2, depth), (day, 3, of_day)):
                totals = self._days.setdefault(key, [0] * len(MEASURES))
                for index, number in enumerate(counts):
                    totals[index] += number
        tables: tuple[tuple[str, dict[Any, list[int]]], ...] = (
            ("raise_counts_hour", self._hours),
            ("raise_counts_day", self._days),
            ("raise_counts_page", self._pages),
            ("raise_counts_device", self._devices),
        )
        weekly = [MEASURES.index(name) for name in ("views", "visits", "returns", "shares", "proven", "unlinked")]
        weeks = (
            (self._site, day // DAYS_OF_WEEK, page, 0, *(numbers[index] for index in weekly))
            for (day, page), numbers in self._pages.items()
        )
        self._many(_insert("raise_counts_week"), weeks)
        for name, table in tables:
            rows = ((self._site, *key, 0, *numbers) for key, numbers in table.items())
            self._many(_insert(name), rows)
            table.clear()
        shared = ((self._site, *key, 0, number) for key, number in self._shared.items())
        self._many(_insert("raise_counts_shared"), shared)
        self._shared.clear()
        drops = ((self._site, hour, reason, 0, number) for (hour, reason), number in self._drops.items())
        self._many(_insert("raise_drops"), drops)
        self._drops.clear()


def title_of(url: str) -> str:
    """Returns the title of a page: each has its own, since a share of another page does not give it the visit's."""
    return f"An article: {url.rpartition('/')[2]}"


def view_nonce(number: int) -> str:
    """The nonce of a visit's ``number``-th view."""
    return f"view-{number:011}"


def unlinked_nonce(number: int) -> str:
    """The nonce of the ``number``-th opted-out visit."""
    return f"unlinked-{number:011}"


@cache
def _insert(name: str) -> str:
    """Returns the writer's own statement for one row, without RETURNING."""
    return sql_loader.for_sqlite(sql_loader.queries()[name], 1).text.partition("RETURNING")[0]


def _plain_insert(table: str, columns: int) -> str:
    return f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"


def _evidence(visit: ScenarioVisit) -> int:
    """What decided the source of a visit: by its token, its app, or what such a source is read from."""
    if visit.channel is not None:
        return DECIDED_BY["token"]
    if visit.source in _DIRECT:
        return DECIDED_BY["nothing"]
    if visit.source == SOURCES["campaign"]:
        return DECIDED_BY["tag"]
    return DECIDED_BY["referrer" if visit.app is None else "app"]
