"""The questions that the read API, the dashboard and the command line ask, each answered with a struct of the contract.

All times that come in are UTC milliseconds, all that go out are RFC 3339 texts.
"""

from __future__ import annotations

from collections.abc import Sequence

from grapevine.chains import Cascade, CascadePage, Resolution, Unresolved
from grapevine.sites import Site
from grapevine.stats import EVERYTHING, BreakdownRow, Filters, Point, Summary
from grapevine.store.base import Store
from grapevine.store.reads import Reads
from grapevine.times import Period


async def resolve(reads: Reads, site: Site, text: str) -> Resolution:
    """What the share token ``text`` stands for.

    Raises tokens.NotAToken, tokens.BadSignature (also for a session, which names no share) and errors.UnknownVisit
    when the visit that made the share was erased or is past retention.
    """
    raise NotImplementedError


async def resolve_many(reads: Reads, site: Site, texts: Sequence[str]) -> list[Resolution | Unresolved]:
    """As ``resolve`` for each of ``texts`` in their order, with the reason where one stands for no share."""
    raise NotImplementedError


async def summary(reads: Reads, site: Site, period: Period, filters: Filters = EVERYTHING) -> Summary:
    """The numbers of ``period``."""
    raise NotImplementedError


async def series(
    reads: Reads, site: Site, metric: str, interval: str, period: Period, filters: Filters = EVERYTHING
) -> list[Point]:
    """One of ``stats.METRICS`` for each of ``times.INTERVALS`` in ``period``, without gaps.

    Raises Invalid for an unknown metric or interval, or for more than 10,000 points.
    """
    raise NotImplementedError


async def breakdown(
    reads: Reads, site: Site, by: str, period: Period, filters: Filters = EVERYTHING, limit: int = 100
) -> list[BreakdownRow]:
    """The numbers of ``period`` for each key of one of ``stats.DIMENSIONS``, most visits and shares first.

    What has no key (arrivals without a share, visits outside any app) has no row. Raises Invalid for an unknown
    dimension or a ``limit`` outside 1…1000.
    """
    raise NotImplementedError


async def cascades(
    store: Store, site: Site, now: int, sort: str = "size", limit: int = 20, cursor: str | None = None
) -> CascadePage:
    """The site's cascades in the order ``sort`` (``chains.SORTS``), ``limit`` (1…200) at a time.

    Raises Invalid for an unknown order, a limit outside its bounds, or a cursor that was not handed out for this order.
    """
    raise NotImplementedError


async def cascade(store: Store, site: Site, root: str, now: int) -> Cascade:
    """The whole cascade that grew from the visit ``root`` (11 characters); a visit nobody followed is one of size 1.

    Raises errors.NotFound when ``root`` spells no visit or names one that is not a root, errors.UnknownVisit when
    nothing is stored of it.
    """
    raise NotImplementedError
