"""Which channels, pages and shares the conversions of a period are owed to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Generic, NamedTuple, TypeVar

from grapevine.analytics.breakdown import MOST_ROWS, SORTS
from grapevine.analytics.count_tables import check_app, scope_of
from grapevine.analytics.links import LinkNames, names_at_roots
from grapevine.analytics.metrics import EVERYTHING, Filters, ReporterTotals, totals_by_reporter
from grapevine.analytics.models.attribution import (
    MODELS,
    Attribution,
    Conversion,
    Credit,
    CreditRow,
    Refunds,
    Share,
    ShareCredit,
    Unshared,
    added,
    credit,
    number,
)
from grapevine.domain import channels, cursors, enums, money
from grapevine.domain.periods import Period
from grapevine.domain.urls import OTHER_PAGE
from grapevine.errors import Invalid
from grapevine.sites.cache import Site
from grapevine.store.readers.attribution import CreditedConversion
from grapevine.store.readers.reads import Reads
from grapevine.store.rows import CascadeVisit

_LINK: Final = enums.SOURCES["link"]
MOST_CONVERSIONS: Final = 200_000
MOST_STEPS: Final = 1_000
"""How far chains are followed up; visits above that count as past retention, which bounds the cost of a chain."""


K = TypeVar("K", str, Share)


class _Chain(NamedTuple):
    """The shares on the way to a visit, the first one first, and whether visits above them are missing."""

    touches: tuple[Share, ...]
    truncated: bool


class _Position(NamedTuple):
    """Behind which page and which share a part of the two lists begins; a list that has ended has no key here.

    Credits are negative millionths of conversions, so that the most comes first (0 in the order ``key``).
    """

    page_credit: cursors.Number = 0
    page: str | None = None
    share_credit: cursors.Number = 0
    visit: cursors.Number | None = None
    channel: cursors.Number = 0
    n: cursors.Number = 0

    @property
    def share(self) -> Share | None:
        """The last share; None where all were listed."""
        return None if self.visit is None else (self.visit, self.channel, self.n)


class _Part(NamedTuple):
    """Which part of the lists of pages and shares is asked for."""

    asked: str
    limit: int
    sort: str
    after: _Position | None


class _Listed(NamedTuple, Generic[K]):
    """The keys of a part of a list, and the keys behind it."""

    keys: list[K]
    rest: list[K]
    has_ended: bool = False


async def attribute_conversions(
    reads: Reads,
    site: Site,
    model: str,
    period: Period,
    filters: Filters = EVERYTHING,
    goal: str | None = None,
    limit: int = 100,
    sort: str = "top",
    cursor: str | None = None,
) -> Attribution:
    """The conversions of ``period``, credited as ``model`` says; filters are the converting visit's. A refund takes its
    value back from where that of its conversion went, in the period of its own time.

    Pages and shares beyond ``limit`` (1…1000) are added up as ``(other)``, as are pages that are not known any more.
    With a ``cursor`` both lists go on behind it, in the order ``sort`` (one of ``breakdown.SORTS``).
    Raises Invalid for an unknown model or order, a limit outside its bounds, a cursor that was not handed out for this
    question, or more than 200,000 conversions.
    """
    for name, value, known in (("model", model, MODELS), ("sort", sort, SORTS)):
        if value not in known:
            raise Invalid.of(name, f"must be one of {', '.join(known)}")
    cursors.check_limit(limit, MOST_ROWS)
    asked = cursors.question("attribution", site.key, model, sort, period, filters, goal)
    part = _Part(asked, limit, sort, None if cursor is None else cursors.read(cursor, asked, _Position))
    await check_app(reads, period, filters, "goal")
    found = await reads.attribution.credited(await scope_of(reads, site, period, filters), goal, MOST_CONVERSIONS + 1)
    if len(found) > MOST_CONVERSIONS:
        raise Invalid.of("from", f"begins a period with more than {MOST_CONVERSIONS} conversions; ask for less")
    visits = await _with_ancestors(reads, site.site_id, {one.visit_id for one in found})
    # In a thread: many thousands of conversions take a while, in which no other request should wait.
    chains = await asyncio.to_thread(_chains, {one.visit_id for one in found}, visits)
    paid, taken_back = [one for one in found if not one.is_refund], [one for one in found if one.is_refund]

    def touched(some: Iterable[CreditedConversion]) -> Iterator[Conversion]:
        return ((chains[one.visit_id].touches, one.currency, one.worth) for one in some)

    owed = await asyncio.to_thread(lambda: credit(model, touched(paid), touched(taken_back)))
    urls = await _urls(reads, site.site_id, [share for share in owed if share is not None], visits)
    truncated = sum(chains[one.visit_id].truncated for one in paid)
    by = totals_by_reporter((one.reported_by, int(not one.is_refund), one.currency, one.worth) for one in found)
    refunds = Refunds(refunds=len(taken_back), value=money.amounts((one.currency, one.worth) for one in taken_back))
    unshared = owed.pop(None, Credit())
    shares = {share: one for share, one in owed.items() if share is not None}
    after = part.after
    listed = await asyncio.to_thread(
        _listed, shares, part, None if after is None else (after.share_credit, after.share)
    )
    nodes = {share[0] for share in listed.keys if share[0] in visits and visits[share[0]].source == _LINK}
    links = await names_at_roots(reads, site, nodes) if nodes else {}
    rows = _share_rows(site, shares, urls, listed, links)
    return await asyncio.to_thread(
        _attribution, model, len(paid), by, refunds, truncated, unshared, shares, urls, part, listed, rows
    )


def _attribution(
    model: str,
    conversions: int,
    conversions_by: dict[str, ReporterTotals],
    refunds: Refunds,
    truncated: int,
    unshared: Credit,
    shares: Mapping[Share, Credit],
    urls: Mapping[Share, str],
    part: _Part,
    listed_shares: _Listed[Share],
    share_rows: list[ShareCredit],
) -> Attribution:
    total = added((None, one) for one in (unshared, *shares.values())).get(None, Credit())
    by_channel = added((channels.NAMES[code], one) for (_, code, _), one in shares.items())
    by_page = added((urls.get(share) or OTHER_PAGE, one) for share, one in shares.items())
    unnamed = by_page.pop(OTHER_PAGE, None)
    after = part.after
    listed_pages = _listed(by_page, part, None if after is None else (after.page_credit, after.page))
    return Attribution(
        model=model,
        conversions=conversions,
        value=money.amounts(total.worth.items()),
        conversions_by=conversions_by,
        refunded=refunds if refunds.refunds else None,
        truncated=truncated,
        without_share=Unshared(conversions=number(unshared.conversions), value=money.amounts(unshared.worth.items())),
        channels=_rows(by_channel, _listed(by_channel, _Part(part.asked, len(channels.NAMES), "top", None), None)),
        pages=_rows(by_page, listed_pages, unnamed),
        shares=share_rows,
        next=_next(part, by_page, listed_pages, shares, listed_shares),
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


def _place(sort: str, credit: Credit, key: K) -> tuple[int, K]:
    return (-credit.conversions if sort == "top" else 0, key)


def _listed(credits_of: Mapping[K, Credit], part: _Part, after: tuple[int, K | None] | None) -> _Listed[K]:
    """Returns the keys of a part, and all that follow."""
    if after is not None and after[1] is None:
        return _Listed([], [], has_ended=True)
    order = sorted(credits_of, key=lambda key: _place(part.sort, credits_of[key], key))
    if after is not None and after[1] is not None:
        start = (after[0], after[1])
        order = [key for key in order if _place(part.sort, credits_of[key], key) > start]
    return _Listed(order[: part.limit], order[part.limit :])


def _next(
    part: _Part,
    pages: Mapping[str, Credit],
    listed_pages: _Listed[str],
    shares: Mapping[Share, Credit],
    listed_shares: _Listed[Share],
) -> str | None:
    """Returns the cursor of what follows; None where nothing does."""
    position = _Position()
    if listed_pages.rest:
        last = listed_pages.keys[-1]
        credit, _ = _place(part.sort, pages[last], last)
        position = position._replace(page_credit=credit, page=last)
    if listed_shares.rest:
        share = listed_shares.keys[-1]
        credit, _ = _place(part.sort, shares[share], share)
        position = position._replace(share_credit=credit, visit=share[0], channel=share[1], n=share[2])
    return cursors.written(part.asked, position) if listed_pages.rest or listed_shares.rest else None


def _rows(credits_of: Mapping[str, Credit], listed: _Listed[str], unnamed: Credit | None = None) -> list[CreditRow]:
    """Returns the rows of a part; the last one holds what follows, and what has no name."""
    rows = [(key, credits_of[key]) for key in listed.keys]
    rest = [credits_of[key] for key in listed.rest] + ([unnamed] if unnamed and not listed.has_ended else [])
    rows += added((OTHER_PAGE, one) for one in rest).items()
    return [
        CreditRow(key=key, conversions=number(one.conversions), value=money.amounts(one.worth.items()))
        for key, one in rows
    ]


def _share_rows(
    site: Site,
    shares: Mapping[Share, Credit],
    urls: Mapping[Share, str],
    listed: _Listed[Share],
    links: Mapping[int, LinkNames],
) -> list[ShareCredit]:
    rows = [
        ShareCredit(
            key=site.tokens.mint_one(*share),
            channel=channels.NAMES[share[1]],
            url=urls.get(share),
            conversions=number(shares[share].conversions),
            value=money.amounts(shares[share].worth.items()),
            link=links.get(share[0]),
        )
        for share in listed.keys
    ]
    rest = added((OTHER_PAGE, shares[share]) for share in listed.rest)
    return rows + [
        ShareCredit(
            key=key,
            channel=None,
            url=None,
            conversions=number(one.conversions),
            value=money.amounts(one.worth.items()),
            link=None,
        )
        for key, one in rest.items()
    ]
