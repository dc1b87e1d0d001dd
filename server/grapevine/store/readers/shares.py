"""Single shares: the stored row, the reach below it, and its page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from grapevine.domain import ids
from grapevine.store.query_runner import Runner
from grapevine.store.readers.cascades import CascadeReader
from grapevine.store.readers.pages import PageReader
from grapevine.store.readers.scope import visit_params
from grapevine.store.readers.summary import counted


class ShareFacts(msgspec.Struct, frozen=True):
    """The stored facts of one share. ``url`` is that of a shared page beyond the bound of pages."""

    page_id: int | None = None
    first_at: int | None = None
    reported_at: int | None = None
    proven_at: int | None = None
    returns: int = 0
    self_returns: int = 0
    url: str | None = None
    reported_by: int | None = None


class FollowedLink(NamedTuple):
    """Where a short link leads; ``url`` is None where nothing says so.

    ``channel``, that of its token, and ``places`` are those of a minted link, None of a share. A minted link leads
    nowhere from ``expires_at`` (UTC milliseconds) on.
    """

    url: str | None
    channel: int | None = None
    places: tuple[str, ...] | None = None
    expires_at: int | None = None


class ReachFacts(msgspec.Struct, frozen=True):
    """The reach of one share; ``worth`` are (currency, millionths), ``max_depth`` is None when nothing came of it.

    ``networks`` is from how many networks others than its sharer opened it, each counted once a day."""

    visits: int
    max_depth: int | None
    networks: int
    shares: int
    conversions: int
    worth: list[tuple[str | None, int | None]]


class ShareReader:
    """Reads single shares and their reach (``shares.sql``)."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run
        self._cascades = CascadeReader(runner)
        self._pages = PageReader(runner)

    async def share(self, site_id: int, visit_id: int, channel: int, n: int) -> ShareFacts:
        """Returns the stored facts of a share; zeros for one that was neither reported nor opened."""
        rows = await self._run("share", **visit_params(site_id, visit_id), channel=channel, n=n)
        return ShareFacts(*rows[0]) if rows else ShareFacts()

    async def unfurls_of(self, site_id: int, visit_id: int, channel: int, n: int) -> dict[str, int]:
        """How many preview robots fetched a share's link, by app."""
        return dict(await self._run("unfurls_of_share", **visit_params(site_id, visit_id), channel=channel, n=n))

    async def networks(
        self, site_id: int, shares: Iterable[tuple[int, int, int, int]]
    ) -> dict[tuple[int, int, int], int]:
        """Returns from how many networks each of ``shares`` (visit, channel, n, parent of its returns) was opened by
        others, each counted once a day; leaves out those that were never opened."""
        keys = [(visit, ids.cell_of(visit), channel, n, hangs_on) for visit, channel, n, hangs_on in shares]
        rows = await self._run("networks_of_shares", keys, site_id=site_id)
        return {(visit, channel, n): number for visit, channel, n, number in rows}

    async def reach(
        self, site_id: int, visit_id: int, channel: int, n: int, hangs_on: int, least_reporter: int
    ) -> ReachFacts:
        """Everything below a share.

        ``hangs_on`` is the sharing visit itself, or the visit it hangs on where it is a self-return: those never have
        children of their own.
        """
        rows = await self._run(
            "reach_of_share",
            **visit_params(site_id, visit_id),
            channel=channel,
            n=n,
            hangs_on=hangs_on,
        )
        found = {what: numbers for what, _, _, *numbers in rows if what != "conversions"}
        visits, max_depth, networks = found["visits"]
        converted = [counted(None, least_reporter, *numbers) for what, *numbers in rows if what == "conversions"]
        return ReachFacts(
            visits=visits,
            max_depth=max_depth,
            networks=networks,
            shares=found["shares"][0],
            conversions=sum(one.times for one in converted),
            worth=[(one.currency, one.worth) for one in converted],
        )

    async def followed_link(self, site_id: int, visit_id: int, channel: int, n: int) -> FollowedLink:
        """Where a token leads: to the page of a minted link, or to the one that the sharer's own browser said it
        shared."""
        rows = await self._run("followed_link", **visit_params(site_id, visit_id), channel=channel, n=n)
        for _, url, own_channel, places, expires_at in rows:
            if places is not None:
                return FollowedLink(url, own_channel, tuple(places.split()), expires_at)
        return FollowedLink(await self._url_of(site_id, [row[:2] for row in rows]))

    async def kept_url(self, site_id: int, visit_id: int, channel: int, n: int) -> str | None:
        """The page that was shared by a share of a visit that is past retention, where its link was kept."""
        rows = await self._run("kept_share", **visit_params(site_id, visit_id), channel=channel, n=n)
        return await self._url_of(site_id, rows)

    async def shares_of_page(self, site_id: int, page_id: int) -> dict[int, int]:
        """How often a page was shared since it was first shared, by channel; without those it never was."""
        return dict(await self._run("shares_of_page", site_id=site_id, page_id=page_id))

    async def reported_pages(
        self, site_id: int, shares: Iterable[tuple[int, int, int]]
    ) -> dict[tuple[int, int, int], int]:
        """The pages of those of ``shares`` (visit, channel, n) that were reported with one."""
        keys = [(visit, ids.cell_of(visit), channel, n) for visit, channel, n in shares]
        rows = await self._run("reported_pages", keys, site_id=site_id)
        return {(visit, channel, n): page for visit, channel, n, page in rows}

    async def last_return(self, site_id: int, visit_id: int, channel: int, n: int, at: int) -> int | None:
        """The last visit that came through a share at or before ``at``, self-returns left out."""
        sharer = (await self._cascades.visits_by_id(site_id, [visit_id])).get(visit_id)
        hangs_on = visit_id if sharer is None else sharer.hangs_on
        rows = await self._run(
            "last_return", **visit_params(site_id, visit_id), channel=channel, n=n, hangs_on=hangs_on, at=at
        )
        return rows[0][0] if rows else None

    async def _url_of(self, site_id: int, rows: Sequence[tuple[Any, ...]]) -> str | None:
        """The URL of the first of ``rows`` (page, own URL), if there is one."""
        if not rows:
            return None
        page, url = rows[0]
        return url or (await self._pages.urls(site_id, [page])).get(page)
