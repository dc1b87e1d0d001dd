"""The state of one batch, and the state that a recorder keeps from batch to batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from grapevine.domain import ids
from grapevine.domain.enums import OTHER_NAME
from grapevine.domain.events import (
    Answer,
    Conversion,
    Event,
    OptedOutVisit,
    Outcome,
    ShareReport,
    Stored,
    View,
    VisitEvent,
)
from grapevine.domain.tokens import Token
from grapevine.domain.urls import OTHER_PAGE, Page, page_id
from grapevine.store.rows import ConversionRow, PageRow, ShareKey, ShareRow, VisitRow
from grapevine.store.write_batch import Batch, ConversionGuard
from grapevine.webhooks.subscriptions import Subscriptions
from grapevine.writer.announcer import Announcer
from grapevine.writer.bursts import Bursts
from grapevine.writer.caches import KnownKeys, NewKeys
from grapevine.writer.counts import CountDeltas, Drop
from grapevine.writer.floods import Floods
from grapevine.writer.name_bounds import NameBounds
from grapevine.writer.nonces import Nonces

_STORED: Final = Stored()

E = TypeVar("E", bound=Event)


class SharedState(NamedTuple):
    """State of all batches: how nonces become ids, which keys are known to be stored, which visitors open links again
    and again, which links one network opens again and again, how much is used of the bounds on what visitors may
    invent, which sites somebody watches, and which have endpoints of webhooks."""

    nonces: Nonces
    known: KnownKeys
    bursts: Bursts
    bounds: NameBounds
    floods: Floods
    announcer: Announcer
    subscriptions: Subscriptions


class BatchState:
    """One batch on its way into the store. Each step reads the results of the steps before it.

    ``transaction`` changes the store, ``deltas`` add up the counts, ``outcomes`` has one outcome per event, by index.
    ``offset`` tells it from batches that are stored at the same time.
    """

    def __init__(
        self,
        shared: SharedState,
        transaction: Batch,
        events: Sequence[Event],
        deltas: CountDeltas,
        drops: Mapping[Drop, int],
        offset: int = 0,
    ) -> None:
        self.shared = shared
        self.transaction = transaction
        self.events = events
        self.deltas = deltas
        self.drops = drops
        self.offset = offset
        self.outcomes: list[Outcome] = [_STORED] * len(events)
        self.locked: set[tuple[int, int]] = set()
        """Visits that events of the batch name, by (site, visit): nobody else changes what is stored of them."""
        self.stored: dict[tuple[int, int], VisitRow] = {}
        """Visits that are in the store and that events of the batch name, by (site, visit)."""
        self.pages: list[PageRow] = []
        """Pages that may be new, or may get another title now."""
        self.excess_pages: set[tuple[int, int]] = set()
        """Pages (site, page) that exceed a bound of the day and count as ``(other)``."""
        self.excess_names: set[tuple[int, int, str]] = set()
        """Goals and apps (site, kind, name) that exceed a bound of the day and count as ``(other)``."""
        self.share_urls: dict[ShareKey, str] = {}
        """The URLs of shares whose page exceeds a bound and that keep it all the same."""
        self.visits: list[VisitRow] = []
        """Visits that are really new."""
        self.given_back: list[VisitRow] = []
        """Visits that count again, since they show life after a verdict that rested on a single opening."""
        self.copied: dict[int, bool] = {}
        """Whether another visitor had come with the click id of a visit before, by the index of its event; without
        those of which that is not known."""
        self.retried_erased: list[VisitEvent] = []
        """Arrivals sent again whose visits were erased meanwhile."""
        self.shares: dict[ShareKey, ShareRow] = {}
        """Shares that the batch touches, as they are stored."""
        self.conversion_guards: dict[tuple[int, int], ConversionGuard] = {}
        """The guards of conversions that are stored already, by (site, guard key)."""
        self.conversion_rows: dict[int, ConversionRow] = {}
        """The rows of conversions and refunds that are really new, by the index of their event."""
        self.share_rows: list[ShareRow] = []
        """The rows to be added to shares."""
        self.new_keys = NewKeys(pages={}, visitors=[], names=[], taken=[])
        self._by_kind: dict[type, list[tuple[int, Any]]] = {}
        for index, event in enumerate(events):
            self._by_kind.setdefault(type(event), []).append((index, event))

    def of(self, kind: type[E]) -> Sequence[tuple[int, E]]:
        """The events of a kind, each with its index in the batch."""
        return self._by_kind.get(kind, ())

    def visit_of(self, event: View | Conversion | Answer) -> VisitRow | None:
        """The stored visit that an event names."""
        return self.stored.get((event.site_id, event.visit_id))

    def of_pages(self) -> Iterator[VisitEvent | ShareReport | OptedOutVisit]:
        """The events that name a page. A report without its visit's session names none but the visit's first page, and
        one of a visit that is not there names none."""
        for event in self.events:
            if isinstance(event, ShareReport):
                if event.by_session and (event.site_id, event.token.visit_id) in self.stored:
                    yield event
            elif isinstance(event, VisitEvent | OptedOutVisit):
                yield event

    def is_excess(self, page: Page, site_id: int) -> bool:
        """Whether a page exceeds a bound of the day."""
        return bool(self.excess_pages) and (site_id, page.page_id) in self.excess_pages

    def page_id(self, site_id: int, page: Page) -> int:
        """The page that an event counts for: its own, or ``(other)``."""
        return page_id(site_id, OTHER_PAGE) if self.is_excess(page, site_id) else page.page_id

    def name(self, site_id: int, kind: int, name: str) -> str:
        """The name that an event counts for: its own, or ``(other)``."""
        return OTHER_NAME if self.excess_names and (site_id, kind, name) in self.excess_names else name


def share_key(site_id: int, token: Token) -> ShareKey:
    """The share that a token of the site names."""
    return ShareKey(site_id, token.visit_id, ids.cell_of(token.visit_id), token.channel, token.n)
