"""The pages of a batch: which may be new, and which exceed the bound of their site and day and count as ``(other)``."""

from __future__ import annotations

from functools import partial
from typing import Final

from grapevine.domain import ids
from grapevine.domain.events import OptedOutVisit, ShareReport, VisitEvent
from grapevine.domain.urls import OTHER_PAGE, Page, page_id
from grapevine.store.rows import PageRow
from grapevine.writer.caches import OfferedTitle
from grapevine.writer.name_bounds import PAGE, BoundKey
from grapevine.writer.state import BatchState

PageKey = tuple[int, int]
"""A page as (site, page)."""

MAX_TITLE_CHANGES: Final = 100
"""How often a process stores another title of a page on one day: of a page that greets each visitor by name, each would
be one, and on PostgreSQL each locks the page's row until its batch has committed."""


async def choose(state: BatchState) -> None:
    """Finds the pages to offer to the store; ``visits.insert`` stores them.

    The last title of a page is the right one: a page corrects it, and a script often sets it after the page has come.
    """
    known, rows, networks = state.shared.known.pages, dict[PageKey, PageRow](), dict[PageKey, int]()
    for event in state.of_pages():
        day, key = ids.day_at(event.at), (event.site_id, event.page.page_id)
        offered = known.get((*key, day))
        settled = offered is not None and key not in rows
        if settled and offered and (offered.title == hash(event.title) or offered.changes >= MAX_TITLE_CHANGES):
            continue
        title = _own_title(state, event)
        if offered is None:
            networks.setdefault(key, event.network)
        elif settled and title is None:
            continue
        if key not in rows:
            rows[key] = _row(event.site_id, event.page, day, title)
        elif title is not None:
            rows[key] = _row(event.site_id, event.page, rows[key].day, title)
    if networks:
        state.excess_pages = await _excess(state, rows, networks)
    for site_id, number in state.excess_pages:
        replaced = rows.pop((site_id, number))
        other = Page(page_id(site_id, OTHER_PAGE), OTHER_PAGE, is_home=False)
        rows[site_id, other.page_id] = _row(site_id, other, replaced.day, None)
    for row in rows.values():
        page_day = row.site_id, row.page_id, row.day
        offered, title_hash = known.get(page_day), 0 if row.title is None else hash(row.title)
        changes = offered.changes + 1 if offered and offered.title not in (0, title_hash) else 0
        state.new_keys.pages[page_day] = OfferedTitle(title_hash, changes)
    state.pages = [rows[key] for key in sorted(rows)]


def _own_title(state: BatchState, event: VisitEvent | ShareReport | OptedOutVisit) -> str | None:
    """Returns the title that an event gives to its page.

    A share may be of another page than the one it was made on, and older builds of the widget send the title of that
    one; so does a single-page app that changes its address before its title. The title that the visit's first page has
    is not taken for another page.
    """
    if isinstance(event, ShareReport):
        visit = state.stored[event.site_id, event.token.visit_id]
        first = state.shared.known.pages.get((event.site_id, visit.page_id, ids.day_at(visit.at)))
        if visit.page_id != event.page.page_id and first and first.title == hash(event.title):
            return None
    return event.title


async def delete_retried(state: BatchState) -> None:
    """Deletes the pages again that came with arrivals of erased visits, unless others name them."""
    for event in state.retried_erased:
        page = event.page.page_id
        if await state.transaction.erasures.delete_page_if_unused(event.site_id, page, ids.day_at(event.at)):
            for key in [key for key in state.new_keys.pages if key[:2] == (event.site_id, page)]:
                del state.new_keys.pages[key]


async def _excess(state: BatchState, rows: dict[PageKey, PageRow], networks: dict[PageKey, int]) -> set[PageKey]:
    """Returns those of ``networks``, pages with the network that named each, that exceed the bound of their day."""
    stored = await state.transaction.known_pages([(*key, rows[key].cell) for key in networks])
    by_bound: dict[BoundKey, dict[PageKey, int]] = {}
    for key, network in networks.items():
        if key not in stored:
            by_bound.setdefault(BoundKey(PAGE, key[0], rows[key].day), {})[key] = network
    excess = set[PageKey]()
    for bound, new in by_bound.items():
        count = partial(state.transaction.pages_of_day, bound.site_id, bound.day)
        excess |= await state.shared.bounds.exceeding(bound, new, count, state.new_keys.taken)
    if excess:
        for event in state.of_pages():
            if (event.site_id, event.page.page_id) in excess:
                state.deltas.add_bound_hit(event.site_id, PAGE, event.at)
    return excess


def _row(site_id: int, page: Page, day: int, title: str | None) -> PageRow:
    return PageRow(
        site_id=site_id,
        page_id=page.page_id,
        cell=ids.hashed_cell(page.page_id),
        day=day,
        url=page.url,
        title=title,
    )
