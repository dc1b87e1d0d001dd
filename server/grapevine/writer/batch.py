"""One batch on its way into the store: the rules of visits, returns, shares and their counts.

Everything that depends on other rows is decided here and nowhere else: a visit's id, root, depth and parent, whether a
return is a self-return, whether a share is seen, reported or proven for the first time. Each step is set-based and
answers with what really changed, and only that is counted; so a repeated event changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from grapevine.domain import ids
from grapevine.domain.enums import SOURCES, TOKEN_REASONS
from grapevine.domain.events import (
    Answer,
    Conversion,
    Event,
    OptedOutVisit,
    Outcome,
    ShareReport,
    Stored,
    Unfurl,
    View,
    VisitEvent,
    VisitNotFound,
    VisitOutcome,
)
from grapevine.domain.tokens import Token
from grapevine.domain.urls import OTHER_PAGE, Page, page_id
from grapevine.store.rows import ERASED, SAME_NETWORK, AnswerRow, PageRow, ShareKey, ShareRow, VisitRow
from grapevine.store.write_batch import Batch
from grapevine.writer.bursts import Bursts
from grapevine.writer.caches import KnownKeys, NewKeys, PageBudget
from grapevine.writer.conversions import Converting
from grapevine.writer.counts import Drop, Tally
from grapevine.writer.nonces import GUARD_CONVERSION, GUARD_UNLINKED, GUARD_VIEW, GUARD_VISITOR, Nonces
from grapevine.writer.placement import place
from grapevine.writer.shares import Sharing

_NONCE_REMEMBERED_MS: Final = 10 * 60_000
_ATTEMPTS: Final = 8
_SECOND_VIEW: Final = 2
_UNKNOWN_VISIT: Final = TOKEN_REASONS["unknown-visit"]
_SHARE: Final = SOURCES["share"]

E = TypeVar("E", bound=Event)


class SharedState(NamedTuple):
    """What batches share: how nonces become ids, what is known to be stored, who opens links again and again, and how
    many new pages a site may bring in a day."""

    nonces: Nonces
    known: KnownKeys
    bursts: Bursts
    room: PageBudget


class BatchProcessor:
    """One batch on its way into the store."""

    def __init__(self, knowledge: SharedState, batch: Batch, events: Sequence[Event], tally: Tally) -> None:
        self.knowledge = knowledge
        self.batch = batch
        self.events = events
        self.tally = tally
        self.outcomes: list[Outcome] = [Stored()] * len(events)
        self.named: dict[tuple[int, int], VisitRow] = {}
        self.other: set[tuple[int, int]] = set()
        self.learned = NewKeys([], [])
        self.shares: dict[ShareKey, ShareRow] = {}
        self._kinds: dict[type, list[tuple[int, Any]]] = {}
        for index, event in enumerate(events):
            self._kinds.setdefault(type(event), []).append((index, event))

    async def record(self, drops: Mapping[Drop, int]) -> list[Outcome]:
        self.named = await self.batch.held_visits(dict.fromkeys(_names(self.events)))
        landed = await self._arrivals(await self._pages())
        await self._visitors(landed)
        await self._suspects(landed)
        await self._views()
        await self._unfurls()
        await self._unlinked()
        await self._conversions()
        await self._answers()
        await self.tally.write(self.batch, self._shares(landed), drops)
        return self.outcomes

    def _of(self, kind: type[E]) -> Sequence[tuple[int, E]]:
        return self._kinds.get(kind, ())

    async def _pages(self) -> list[PageRow]:
        """The pages that may be new, or may get their title now."""
        known, rows = self.knowledge.known.pages, dict[tuple[int, int], PageRow]()
        for event in self.events:
            if not isinstance(event, VisitEvent | ShareReport | OptedOutVisit):
                continue
            day, key = ids.day_at(event.at), (event.site_id, event.page.page_id)
            if (*key, day, True) in known or (not event.title and (*key, day, False) in known):
                continue
            if key not in rows or rows[key].title is None:
                rows[key] = _page_row(event.site_id, event.page, day, event.title)
        self.other = await self._too_many(rows)
        for site_id, number in self.other:
            lost = rows.pop((site_id, number))
            other = Page(page_id(site_id, OTHER_PAGE), OTHER_PAGE, is_home=False)
            rows[site_id, other.page_id] = _page_row(site_id, other, lost.day, None)
        self.learned.pages.extend((row.site_id, row.page_id, row.day, bool(row.title)) for row in rows.values())
        return [rows[key] for key in sorted(rows)]

    async def _too_many(self, pages: dict[tuple[int, int], PageRow]) -> set[tuple[int, int]]:
        """Which of ``pages`` are too many for their site's day and have to count as ``(other)``."""
        excess: set[tuple[int, int]] = set()
        by_day: dict[tuple[int, int], list[PageRow]] = {}
        for page in pages.values():
            by_day.setdefault((page.site_id, page.day), []).append(page)
        for (site_id, day), found in by_day.items():
            if self.knowledge.room.takes(site_id, day, len(found)):
                continue
            stored = await self.batch.pages_of_day(site_id, day)
            self.knowledge.room.found(site_id, day, stored + len(found))
            room = self.knowledge.room.bound - stored
            if room < len(found):
                known = await self.batch.known_pages([(page.site_id, page.page_id, page.cell) for page in found])
                new = [(page.site_id, page.page_id) for page in found if (page.site_id, page.page_id) not in known]
                excess.update(new[max(room, 0) :])
        return excess

    def _page_id(self, site_id: int, page: Page) -> int:
        return page_id(site_id, OTHER_PAGE) if (site_id, page.page_id) in self.other else page.page_id

    async def _arrivals(self, pages: Sequence[PageRow]) -> list[VisitRow]:
        """Inserts the arrivals under the first id that is theirs; answers with the rows that are really new.

        What else can be done by then goes the same way: the pages are inserted, and what is stored of shares is read.
        """
        landed: list[VisitRow] = []
        waiting = self._of(VisitEvent)
        for attempt in range(_ATTEMPTS):
            offered: dict[tuple[int, int], VisitRow] = {}
            claims: list[tuple[int, VisitEvent, VisitRow]] = []
            for index, event in waiting:
                row = self._visit_row(event, *self.knowledge.nonces.identify(event, attempt))
                claims.append((index, event, row))
                offered.setdefault((row.site_id, row.visit_id), row)
            rows = [offered[key] for key in sorted(offered)]
            if attempt:
                new, _ = await self.batch.arrive([], rows, [])
            else:
                new, self.shares = await self.batch.arrive(pages, rows, self._spoken_of(row for _, _, row in claims))
            taken = {}
            if len(new) < len(offered):
                taken = await self.batch.visits([(row.site_id, row.visit_id, row.cell) for key, row in offered.items()
                                                 if key not in new])  # fmt: skip
            waiting = []
            for index, event, row in claims:
                key = (row.site_id, row.visit_id)
                stored = taken.get(key) or offered[key]
                if stored.nonce_check != row.nonce_check:
                    waiting.append((index, event))
                    continue
                repeated = key not in new or stored is not row
                if not repeated:
                    landed.append(row)
                self.outcomes[index] = _landed(stored, came_with_token=_came_with_token(event), duplicate=repeated)
            if not waiting:
                return landed
        raise RuntimeError(f"no free visit id in {_ATTEMPTS} attempts; is the nonce key what it was?")

    def _spoken_of(self, visits: Iterable[VisitRow]) -> list[ShareKey]:
        """The shares that these visits open, and those that are reported."""
        opened = {key for row in visits if row.verdict is None and (key := row.opened)}
        return sorted(opened.union(key for _, _, key in self._reported()), key=ShareKey.plain)

    def _reported(self) -> Iterator[tuple[int, ShareReport, ShareKey]]:
        """Reports of shares of visits that are stored."""
        for index, event in self._of(ShareReport):
            if (event.site_id, event.token.visit_id) in self.named:
                yield index, event, _share_key(event.site_id, event.token)

    def _visit_row(self, event: VisitEvent, visit_id: int, check: int) -> VisitRow:
        token = event.token
        parent = self.named.get((event.site_id, token.visit_id)) if token else None
        page = self._page_id(event.site_id, event.page) if self.other else event.page.page_id
        first = (
            event.site_id, visit_id, ids.cell_of(visit_id), check, event.at, _SECOND_VIEW, page,
            _SHARE if parent else event.source, event.device, event.app, event.visitor,
        )  # fmt: skip
        if token is None or parent is None:
            reason = event.reason if token is None else _UNKNOWN_VISIT
            return VisitRow(*first, None, None, None, None, None, 0, 0, reason, event.verdict)
        hung = place(event, parent)
        return VisitRow(
            *first, token.channel, token.n, hung.via_id, hung.parent_id, parent.root, hung.depth, hung.flags,
            event.reason, event.verdict,
        )  # fmt: skip

    async def _visitors(self, landed: list[VisitRow]) -> None:
        """Counts the new visits, and those of them that are their visitor's first of the day."""
        known, firsts = self.knowledge.known.visitors, dict[tuple[int, int, int], VisitRow]()
        people = sorted((row for row in landed if row.verdict is None), key=_order)
        for row in people:
            key = (row.site_id, ids.day_at(row.at), row.visitor or 0)
            if key not in known:
                firsts.setdefault(key, row)
        new = await self.batch.guard(
            [
                (site, GUARD_VISITOR, visitor << 16 | day, ids.hashed_cell(visitor), ids.day_start(day + 2))
                for site, day, visitor in sorted(firsts)
            ]
        )
        self.learned.visitors.extend(firsts)
        counted = {id(firsts[site, key & 0xFFFF, key >> 16]) for site, _, key in new}
        for row in people:
            self.tally.landed(row, first_of_day=id(row) in counted)

    async def _suspects(self, landed: list[VisitRow]) -> None:
        """Notes machines that open a link again and again; they are judged later."""
        named = self.knowledge.bursts.suspicious(landed)
        await self.batch.verdicts.suspect([(*each, each.cell, due_at) for each, due_at in sorted(named.items())])

    async def _views(self) -> None:
        guards: dict[tuple[int, int, int], tuple[int, View]] = {}
        for index, event in self._of(View):
            row = self.named.get((event.site_id, event.visit_id))
            if row is None:
                self.outcomes[index] = VisitNotFound()
                continue
            self.outcomes[index] = Stored(duplicate=True)
            key = self.knowledge.nonces.guard_key("view", event.site_id, event.visit_id, event.nonce)
            guards.setdefault((event.site_id, GUARD_VIEW, key), (index, event))
        new = await self.batch.guard(_expiring(guards))
        added: Counter[tuple[int, int, int]] = Counter()
        for guard in new:
            index, event = guards[guard]
            self.outcomes[index] = Stored()
            row = self.named[event.site_id, event.visit_id]
            self.tally.view(row, event.at)
            added[row.site_id, row.visit_id, row.cell] += 1
        await self.batch.add_views([(*key, added[key]) for key in sorted(added)])

    async def _unfurls(self) -> None:
        rows = {}
        for index, event in self._of(Unfurl):
            if (event.site_id, event.token.visit_id) not in self.named:
                self.outcomes[index] = VisitNotFound()
                continue
            key = _share_key(event.site_id, event.token)
            rows[key, event.app, event.at // ids.HOUR_MS] = event.at
        new = await self.batch.insert_unfurls([(*key.plain(), app, hour, at) for (key, app, hour), at in rows.items()])
        for site_id, app, at in new:
            self.tally.unfurl(site_id, app, at)

    async def _unlinked(self) -> None:
        guards: dict[tuple[int, int, int], tuple[int, OptedOutVisit]] = {}
        for index, event in self._of(OptedOutVisit):
            self.outcomes[index] = Stored(duplicate=True)
            key = self.knowledge.nonces.guard_key("unlinked", event.site_id, event.nonce)
            guards.setdefault((event.site_id, GUARD_UNLINKED, key), (index, event))
        for guard in await self.batch.guard(_expiring(guards)):
            index, event = guards[guard]
            self.outcomes[index] = Stored()
            page = self._page_id(event.site_id, event.page)
            self.tally.unlinked(event.site_id, event.at, event.source, page, event.device)

    async def _conversions(self) -> None:
        converting = Converting(GUARD_CONVERSION, self.knowledge.nonces.guard_key)
        for index, event in self._of(Conversion):
            row = self.named.get((event.site_id, event.visit_id))
            if row is None or row.flags & ERASED:
                self.outcomes[index] = VisitNotFound()
            else:
                self.outcomes[index] = Stored(duplicate=True)
                converting.add(index, event)
        for index, event in await converting.write(self.batch):
            self.outcomes[index] = Stored()
            self.tally.conversion(self.named[event.site_id, event.visit_id], event.at)

    async def _answers(self) -> None:
        """Stores what was answered, which counts as nothing else: a visit with a verdict keeps its answer, too."""
        rows: dict[tuple[int, int, int], tuple[int, AnswerRow]] = {}
        for index, event in self._of(Answer):
            row = self.named.get((event.site_id, event.visit_id))
            if event.visit_id and (row is None or row.flags & ERASED):
                self.outcomes[index] = VisitNotFound()
                continue
            self.outcomes[index] = Stored(duplicate=True)
            key = self.knowledge.nonces.guard_key("answer", event.site_id, event.nonce)
            cell = ids.cell_of(event.visit_id) if event.visit_id else ids.hashed_cell(key)
            answer = AnswerRow(event.site_id, event.visit_id, cell, key, event.at, event.text, event.contact)
            rows.setdefault((event.site_id, event.visit_id, key), (index, answer))
        for new in await self.batch.insert_answers([rows[key][1] for key in sorted(rows)]):
            self.outcomes[rows[new][0]] = Stored()

    def _shares(self, landed: list[VisitRow]) -> list[ShareRow]:
        """First sights, reports and proofs of shares, and how often they were opened: what is to be added to them."""
        sharing = Sharing()
        sharing.landed(landed)
        indexes: dict[ShareKey, int] = {}
        for index, _ in self._of(ShareReport):
            self.outcomes[index] = VisitNotFound()
        for index, event, key in self._reported():
            self.outcomes[index] = Stored(duplicate=True)
            if sharing.report(key, event, self._page_id(event.site_id, event.page)):
                indexes[key] = index
        changes = sharing.changes(self.shares)
        for change in changes:
            row, sharer = change.row, self.named[change.key.site_id, change.key.visit_id]
            for measure in change.measures:
                self.tally.share(sharer, row.channel, row.first_at or 0, measure, page_id=row.page_id)
            if row.page_id is not None and not change.seen:
                self.tally.move_share(sharer, row.channel, row.page_id)
            if change.seen and sharer.verdict is None:
                self.tally.cascade(sharer).shares += 1
            if change.reported:
                self.outcomes[indexes[change.key]] = Stored()
        return [change.row for change in changes]


def _order(row: VisitRow) -> tuple[int, int]:
    return row.at, row.visit_id


def _came_with_token(event: VisitEvent) -> bool:
    return event.token is not None or event.reason is not None


def _landed(row: VisitRow, *, came_with_token: bool, duplicate: bool) -> VisitOutcome:
    return VisitOutcome(
        visit_id=row.visit_id,
        returned=came_with_token,
        reason=row.reason,
        depth=row.depth,
        is_self=row.is_self,
        same_network=bool(row.flags & SAME_NETWORK),
        duplicate=duplicate,
    )


def _names(events: Iterable[Event]) -> Iterable[tuple[int, int, int]]:
    """The (site, visit, cell) that events name: a return's sharer, the visit of a view, a conversion or a share."""
    for event in events:
        if isinstance(event, View | Conversion | Answer):
            if event.visit_id:
                yield event.site_id, event.visit_id, ids.cell_of(event.visit_id)
        elif not isinstance(event, OptedOutVisit) and event.token is not None:
            yield event.site_id, event.token.visit_id, ids.cell_of(event.token.visit_id)


def _share_key(site_id: int, token: Token) -> ShareKey:
    return ShareKey(site_id, token.visit_id, ids.cell_of(token.visit_id), token.channel, token.n)


def _expiring(guards: dict[tuple[int, int, int], tuple[int, E]]) -> list[tuple[int, ...]]:
    return [
        (*key, ids.hashed_cell(key[2]), event.at + _NONCE_REMEMBERED_MS) for key, (_, event) in sorted(guards.items())
    ]


def _page_row(site_id: int, page: Page, day: int, title: str | None) -> PageRow:
    return PageRow(site_id, page.page_id, ids.hashed_cell(page.page_id), day, page.url, title)
