"""The pages of a batch: which may be new, and which exceed the bound of their site and day and count as ``(other)``."""

from __future__ import annotations

from functools import partial

from grapevine.domain import ids
from grapevine.domain.urls import OTHER_PAGE, Page, page_id
from grapevine.store.rows import PageRow
from grapevine.writer.name_bounds import PAGE, BoundKey
from grapevine.writer.state import BatchState

PageKey = tuple[int, int]
"""A page as (site, page)."""


async def choose(state: BatchState) -> None:
    """Finds the pages to offer to the store; ``visits.insert`` stores them."""
    known, rows, networks = state.shared.known.pages, dict[PageKey, PageRow](), dict[PageKey, int]()
    for event in state.of_pages():
        day, key = ids.day_at(event.at), (event.site_id, event.page.page_id)
        if (*key, day, True) in known or (not event.title and (*key, day, False) in known):
            continue
        if (*key, day, False) not in known:
            networks.setdefault(key, event.network)
        if key not in rows or rows[key].title is None:
            rows[key] = _row(event.site_id, event.page, day, event.title)
    if networks:
        state.excess_pages = await _excess(state, rows, networks)
    for site_id, number in state.excess_pages:
        replaced = rows.pop((site_id, number))
        other = Page(page_id(site_id, OTHER_PAGE), OTHER_PAGE, is_home=False)
        rows[site_id, other.page_id] = _row(site_id, other, replaced.day, None)
    state.new_keys.pages.extend((row.site_id, row.page_id, row.day, bool(row.title)) for row in rows.values())
    state.pages = [rows[key] for key in sorted(rows)]


async def delete_retried(state: BatchState) -> None:
    """Deletes the pages again that came with arrivals of erased visits, unless others name them."""
    for event in state.retried_erased:
        page = event.page.page_id
        if await state.transaction.erasures.delete_page_if_unused(event.site_id, page, ids.day_at(event.at)):
            state.new_keys.pages[:] = [key for key in state.new_keys.pages if key[:2] != (event.site_id, page)]


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
