"""Makes minted links: for each a node of the tree and the row that says what it is, in one transaction.

A node is a row of ``visits`` with the source ``link``. It is no visit, and no count has it. What
comes through its tokens hangs on it as on any visit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from grapevine.domain import ids
from grapevine.domain.enums import DEVICES, SOURCES
from grapevine.errors import Conflict
from grapevine.links.new_links import CheckedLink
from grapevine.links.taken_words import take_words
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.store.repositories.links import LinkRow
from grapevine.store.rows import KeptAnswer, PageRow, VisitRow
from grapevine.writer.link_names import names_of
from grapevine.writer.nonces import Nonces

LINK_SOURCE: Final = SOURCES["link"]

_ATTEMPTS: Final = 8
_AT_ONCE: Final = 100
"""Rows that are stored before other requests get their turn: with long URLs some ten milliseconds."""
_FIRST_VIEW: Final = 1

_Row = TypeVar("_Row")

Keep = Callable[[int], KeptAnswer | None]
"""Makes what is kept for a repeat of the request, from the attempt that made its links (``made_before``)."""


async def mint(
    store: Store,
    nonces: Nonces,
    site: Site,
    wanted: Sequence[CheckedLink],
    now: int,
    nonce: str,
    keep: Keep = lambda _: None,
) -> list[LinkRow]:
    """Makes links, all or none. Returns their rows in the order of ``wanted``.

    Ids come from ``nonce``, which must be new. Where one is taken, by a visit that happens to have the same hash, all
    are made anew from the next attempt. Raises WordsRefused, and what ``Batch.keep_answer`` raises.
    """
    for attempt in range(_ATTEMPTS):
        ids_of_links = _link_ids(nonces, site, len(wanted), now, nonce, attempt)
        rows = [_row(site, each, visit_id, now) for each, visit_id in zip(wanted, ids_of_links, strict=True)]
        if await _stored(store, nonces, wanted, rows, keep(attempt)):
            return rows
    raise RuntimeError(f"no free ids in {_ATTEMPTS} attempts; is the nonce key what it was?")


async def made_before(
    store: Store, nonces: Nonces, site: Site, number: int, now: int, nonce: str, attempt: int
) -> list[LinkRow]:
    """Returns the links that were made from the same ``nonce`` at the time ``now``.

    Raises Conflict where some of them are deleted: a repeat gets no link that leads nowhere, and no name that was
    erased.
    """
    wanted = _link_ids(nonces, site, number, now, nonce, attempt)
    stored = await store.links.links(site.site_id, wanted)
    if len(stored) < len(wanted):
        which = "the link" if number == 1 else f"{number - len(stored):,} of the {number:,} links"
        verb = "was" if number - len(stored) == 1 else "were"
        raise Conflict(f"This request was carried out, and {which} that it made {verb} deleted since.")
    return [stored[visit_id] for visit_id in wanted]


def _link_ids(nonces: Nonces, site: Site, number: int, now: int, nonce: str, attempt: int) -> list[int]:
    return [nonces.identify_link(site.site_id, site.spread, f"{nonce} {each}", attempt, now) for each in range(number)]


class _TakenId(Exception):
    """A visit has an id already that a link was to have."""


async def _stored(
    store: Store, nonces: Nonces, wanted: Sequence[CheckedLink], rows: Sequence[LinkRow], kept: KeptAnswer | None
) -> bool:
    """Stores links; returns whether all ids were free, else nothing was stored."""
    nodes = sorted((_node(nonces, row, each) for row, each in zip(rows, wanted, strict=True)), key=_by_id)
    if len({node.visit_id for node in nodes}) < len(nodes):
        return False
    try:
        async with store.batch() as batch:
            await batch.keep_answer(kept)
            # All pages before all nodes, each in order of their keys: as one statement locks them.
            for pages in _in_turns(_pages(rows, wanted)):
                await batch.insert_visits(pages, [], [])
                await asyncio.sleep(0)
            for some in _in_turns(nodes):
                new, _ = await batch.insert_visits([], some, [])
                if len(new) < len(some):
                    raise _TakenId
                await asyncio.sleep(0)
            for links in _in_turns(rows):
                await batch.links.insert(links, names_of(nonces, links))
                await asyncio.sleep(0)
            await take_words(batch, nonces, rows)
    except _TakenId:
        return False
    return True


def _in_turns(rows: Sequence[_Row]) -> list[Sequence[_Row]]:
    return [rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE)]


def _row(site: Site, link: CheckedLink, visit_id: int, now: int) -> LinkRow:
    return LinkRow(
        site_id=site.site_id,
        visit_id=visit_id,
        cell=ids.cell_of(visit_id),
        channel=link.channel,
        url=link.url,
        label=link.label,
        external_id=link.external_id,
        campaign=link.campaign,
        word=link.word,
        places=link.places,
        keep=int(link.keep),
        created_at=now,
        expires_at=link.expires_at,
    )


def _node(nonces: Nonces, row: LinkRow, link: CheckedLink) -> VisitRow:
    return VisitRow(
        site_id=row.site_id,
        visit_id=row.visit_id,
        cell=row.cell,
        nonce_check=nonces.guard_key("link", row.visit_id) >> 32,
        at=row.created_at,
        next_view=_FIRST_VIEW,
        page_id=link.page.page_id,
        source=LINK_SOURCE,
        device=DEVICES["unknown"],
        app=None,
        visitor=None,
        channel=None,
        n=None,
        via_id=None,
        parent_id=None,
        root_id=None,
        depth=0,
        flags=0,
        reason=None,
        verdict=None,
        network=None,
    )


def _pages(rows: Sequence[LinkRow], wanted: Sequence[CheckedLink]) -> list[PageRow]:
    """The pages that the links show: a page has no title before somebody visits it."""
    pages = {
        link.page.page_id: PageRow(
            site_id=row.site_id,
            page_id=link.page.page_id,
            cell=ids.hashed_cell(link.page.page_id),
            day=ids.day_at(row.created_at),
            url=link.page.url,
            title=None,
        )
        for row, link in zip(rows, wanted, strict=True)
    }
    return [pages[key] for key in sorted(pages)]


def _by_id(node: VisitRow) -> int:
    return node.visit_id
