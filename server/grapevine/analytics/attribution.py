"""Which channels, pages and shares the conversions of a period are owed to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from grapevine.analytics.breakdown import MOST_ROWS
from grapevine.analytics.count_tables import scope_of
from grapevine.analytics.metrics import EVERYTHING, Filters, ReporterTotals, totals_by_reporter
from grapevine.analytics.models.attribution import (
    MODELS,
    Attribution,
    Credit,
    CreditRow,
    Share,
    ShareCredit,
    Unshared,
    added,
    credit,
    number,
)
from grapevine.domain import channels, money
from grapevine.domain.periods import Period
from grapevine.domain.urls import OTHER_PAGE
from grapevine.errors import Invalid
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads
from grapevine.store.rows import CascadeVisit

MOST_CONVERSIONS: Final = 200_000
MOST_STEPS: Final = 1_000
"""How far chains are followed up; visits above that count as past retention, which bounds the cost of a chain."""


class _Chain(NamedTuple):
    """The shares on the way to a visit, the first one first, and whether visits above them are missing."""

    touches: tuple[Share, ...]
    truncated: bool


async def attribute_conversions(
    reads: Reads,
    site: Site,
    model: str,
    period: Period,
    filters: Filters = EVERYTHING,
    goal: str | None = None,
    limit: int = 100,
) -> Attribution:
    """The conversions of ``period``, credited as ``model`` says; filters are the converting visit's.

    Pages and shares beyond ``limit`` (1…1000) are added up as ``(other)``, as are pages that are not known any more.
    Raises Invalid for an unknown model, a limit outside its bounds, or more than 200,000 conversions.
    """
    if model not in MODELS:
        raise Invalid.of("model", f"must be one of {', '.join(MODELS)}")
    if not 1 <= limit <= MOST_ROWS:
        raise Invalid.of("limit", f"must be a number from 1 to {MOST_ROWS}")
    found = await reads.attribution.credited(await scope_of(reads, site, period, filters), goal, MOST_CONVERSIONS + 1)
    if len(found) > MOST_CONVERSIONS:
        raise Invalid.of("from", f"begins a period with more than {MOST_CONVERSIONS} conversions; ask for less")
    visits = await _with_ancestors(reads, site.site_id, {one.visit_id for one in found})
    # In a thread: many thousands of conversions take a while, in which no other request should wait.
    chains = await asyncio.to_thread(_chains, {one.visit_id for one in found}, visits)
    owed = await asyncio.to_thread(
        lambda: credit(model, ((chains[one.visit_id].touches, one.currency, one.worth) for one in found))
    )
    urls = await _urls(reads, site.site_id, [share for share in owed if share is not None], visits)
    truncated = sum(chains[one.visit_id].truncated for one in found)
    by = totals_by_reporter((one.reported_by, 1, one.currency, one.worth) for one in found)
    return await asyncio.to_thread(_attribution, site, model, len(found), by, truncated, owed, urls, limit)


def _attribution(
    site: Site,
    model: str,
    conversions: int,
    conversions_by: dict[str, ReporterTotals],
    truncated: int,
    owed: dict[Share | None, Credit],
    urls: Mapping[Share, str],
    limit: int,
) -> Attribution:
    unshared = owed.pop(None, Credit())
    shares = {share: one for share, one in owed.items() if share is not None}
    total = added((None, one) for one in (unshared, *shares.values())).get(None, Credit())
    return Attribution(
        model=model,
        conversions=conversions,
        value=money.amounts(total.worth.items()),
        conversions_by=conversions_by,
        truncated=truncated,
        without_share=Unshared(conversions=number(unshared.conversions), value=money.amounts(unshared.worth.items())),
        channels=_rows(((channels.NAMES[code], one) for (_, code, _), one in shares.items()), len(channels.NAMES)),
        pages=_rows(((urls.get(share) or OTHER_PAGE, one) for share, one in shares.items()), limit),
        shares=_share_rows(site, shares, urls, limit),
    )


async def _with_ancestors(reads: Reads, site_id: int, visits: set[int]) -> dict[int, CascadeVisit]:
    """The visits and everything above them, one step of all chains at a time."""
    known: dict[int, CascadeVisit] = {}
    wanted = visits
    for _ in range(MOST_STEPS):
        if not wanted:
            break
        found = await reads.cascades.visits_by_id(site_id, sorted(wanted))
        known |= found
        above = {above for one in found.values() for above in (one.parent_id, one.via_id) if above is not None}
        wanted = above - known.keys() - wanted
    return known


def _chains(wanted: Iterable[int], visits: Mapping[int, CascadeVisit]) -> dict[int, _Chain]:
    """Returns the chain to each of ``wanted``. Chains have many shares in common, so each is made once."""
    opened: dict[int, Share] = {}
    for visit_id, visit in visits.items():
        sharer = visit.sharer_id
        if sharer is not None and visit.channel is not None and visit.n is not None and not visit.is_aside:
            opened[visit_id] = (sharer, visit.channel, visit.n)
    return {visit_id: _chain(visit_id, visits, opened) for visit_id in wanted}


def _chain(visit_id: int, visits: Mapping[int, CascadeVisit], opened: Mapping[int, Share]) -> _Chain:
    touches: list[Share] = []
    above: int | None = visit_id
    for _ in range(MOST_STEPS):
        visit = None if above is None else visits.get(above)
        if above is None or visit is None:
            break
        if above in opened:
            touches.append(opened[above])
        above = visit.parent_id
    return _Chain(tuple(reversed(touches)), truncated=above is not None)


async def _urls(
    reads: Reads, site_id: int, shares: list[Share], visits: Mapping[int, CascadeVisit]
) -> dict[Share, str]:
    """Returns the shared page: the one that a report named, else the first page of the visit that made the share."""
    pages = await reads.shares.reported_pages(site_id, shares)
    for share in shares:
        sharer = visits.get(share[0])
        if sharer is not None and not sharer.is_erased:
            pages.setdefault(share, sharer.page_id)
    urls = await reads.pages.urls(site_id, pages.values())
    return {share: urls[page] for share, page in pages.items() if page in urls}


def _rows(credits_of: Iterable[tuple[str, Credit]], limit: int) -> list[CreditRow]:
    """Returns the keys with the most credit; the last row holds the rest."""
    total = added(credits_of)
    other = total.pop(OTHER_PAGE, None)
    order = sorted(total, key=lambda key: (-total[key].conversions, key))
    rows = [(key, total[key]) for key in order[:limit]]
    rest = [total[key] for key in order[limit:]] + ([other] if other else [])
    rows += added((OTHER_PAGE, one) for one in rest).items()
    return [
        CreditRow(key=key, conversions=number(one.conversions), value=money.amounts(one.worth.items()))
        for key, one in rows
    ]


def _share_rows(site: Site, shares: Mapping[Share, Credit], urls: Mapping[Share, str], limit: int) -> list[ShareCredit]:
    order = sorted(shares, key=lambda share: (-shares[share].conversions, share))
    rows = [
        ShareCredit(
            key=site.tokens.mint_one(visit, channel, n),
            channel=channels.NAMES[channel],
            url=urls.get((visit, channel, n)),
            conversions=number(shares[visit, channel, n].conversions),
            value=money.amounts(shares[visit, channel, n].worth.items()),
        )
        for visit, channel, n in order[:limit]
    ]
    rest = added((OTHER_PAGE, shares[share]) for share in order[limit:])
    return rows + [
        ShareCredit(
            key=key, channel=None, url=None, conversions=number(one.conversions), value=money.amounts(one.worth.items())
        )
        for key, one in rest.items()
    ]
