"""The pages of a batch: which may be new, and which exceed the budget of their site and count as ``(other)``."""

from __future__ import annotations

from grapevine.domain import ids
from grapevine.domain.events import OptedOutVisit, ShareReport, VisitEvent
from grapevine.domain.urls import OTHER_PAGE, Page, page_id
from grapevine.store.rows import PageRow
from grapevine.writer.state import BatchState


async def choose(state: BatchState) -> None:
    """Finds the pages to offer to the store; ``visits.insert`` stores them."""
    known, rows = state.shared.known.pages, dict[tuple[int, int], PageRow]()
    for event in state.events:
        if not isinstance(event, VisitEvent | ShareReport | OptedOutVisit):
            continue
        day, key = ids.day_at(event.at), (event.site_id, event.page.page_id)
        if (*key, day, True) in known or (not event.title and (*key, day, False) in known):
            continue
        if key not in rows or rows[key].title is None:
            rows[key] = _row(event.site_id, event.page, day, event.title)
    state.over_budget = await _over_budget(state, rows)
    for site_id, number in state.over_budget:
        replaced = rows.pop((site_id, number))
        other = Page(page_id(site_id, OTHER_PAGE), OTHER_PAGE, is_home=False)
        rows[site_id, other.page_id] = _row(site_id, other, replaced.day, None)
    state.new_keys.pages.extend((row.site_id, row.page_id, row.day, bool(row.title)) for row in rows.values())
    state.pages = [rows[key] for key in sorted(rows)]


async def _over_budget(state: BatchState, pages: dict[tuple[int, int], PageRow]) -> set[tuple[int, int]]:
    """Returns those of ``pages`` that exceed their site's budget of the day."""
    budget, excess = state.shared.budget, set[tuple[int, int]]()
    by_day: dict[tuple[int, int], list[PageRow]] = {}
    for page in pages.values():
        by_day.setdefault((page.site_id, page.day), []).append(page)
    for (site_id, day), found in by_day.items():
        if budget.admits(site_id, day, len(found)):
            continue
        stored = await state.transaction.pages_of_day(site_id, day)
        budget.set_used(site_id, day, stored + len(found))
        left = budget.bound - stored
        if left < len(found):
            known = await state.transaction.known_pages([(page.site_id, page.page_id, page.cell) for page in found])
            new = [(page.site_id, page.page_id) for page in found if (page.site_id, page.page_id) not in known]
            excess.update(new[max(left, 0) :])
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
