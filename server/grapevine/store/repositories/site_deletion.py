"""The deletion of a whole site: the tables that name it, a few rows a transaction; a method a named query of
``sql/site_deletion.sql``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, NamedTuple

from grapevine.store.query_runner import Runner
from grapevine.store.repositories.repository import Repository

AT_ONCE: Final = 200
"""Rows of one transaction: some milliseconds, for which requests of a running server wait on SQLite."""

EMPTIED: Final = (
    "live_watches", "live_batches", "page_joins", "suspects", "suspected_floods", "deliveries", "webhooks",
    "webmentions", "feeds", "mentions", "answers", "conversions", "unfurls", "shares", "later_views", "log_joins",
    "visits", "receipt_sharers", "receipts", "receipt_keys", "kept_shares", "deleted_counts", "guards", "names",
    "bound_hits", "links", "link_names", "link_words", "link_clicks", "cascades", "spikes", "silences", "pages",
    "counts_hour", "counts_day", "counts_page", "counts_device", "counts_week", "counts_shared", "drops",
    "kept_answers", "key_sites", "api_keys", "origins",
)  # fmt: skip
"""Every table that names a site, but ``sites`` and ``deleted_sites``, in the order in which they are emptied.

Jobs that are at work at the same time (erasures, verdicts, retention) change counts of a visit only while they hold its
row: counts come after visits, so that none is raised again. Deliveries are found by their endpoints, and come first.
A key made for several sites goes with the last of them: ``key_sites`` comes before ``api_keys``. Clicks are counted of
links that are stored: ``links`` comes before ``link_clicks``. Rows of ``link_words`` stay without their link for 90
days, so that no other site gets the word.
"""


class DeletedSite(NamedTuple):
    """A site whose deletion has begun and not ended: its number, public key and name."""

    site_id: int
    key: str
    name: str


class SiteAmounts(NamedTuple):
    """What a site's counts say: the first and last day (None where nothing was counted), and how much was counted;
    ``answers`` and ``keys`` are rows."""

    first_day: int | None
    last_day: int | None
    visits: int
    shares: int
    conversions: int
    answers: int
    keys: int


class SiteDeletionRepository(Repository):
    """Deletes sites. ``relaxed`` opens a transaction that does not wait for the disk: one of ``finish`` follows."""

    def __init__(
        self,
        reader: Runner,
        transaction: Callable[[], AbstractAsyncContextManager[Runner]],
        relaxed: Callable[[], AbstractAsyncContextManager[Runner]],
    ) -> None:
        super().__init__(reader, transaction)
        self._relaxed = relaxed

    async def amounts(self, site_id: int) -> SiteAmounts:
        """Returns how much a site has."""
        ((first_day, last_day, *counted),) = await self._read("amounts_of_site", site_id=site_id)
        ((answers,),) = await self._read("number_of_answers", site_id=site_id)
        ((keys,),) = await self._read("number_of_keys_of_site", site_id=site_id)
        visits, shares, conversions = (int(number or 0) for number in counted)
        return SiteAmounts(
            first_day=first_day,
            last_day=last_day,
            visits=visits,
            shares=shares,
            conversions=conversions,
            answers=int(answers),
            keys=int(keys),
        )

    async def begin(self, site_id: int, at: int, *, by_server: bool = False) -> None:
        """Takes a site out of use for ever: its API keys and sessions end, and every process forgets it in a second or
        so. ``at`` are UTC milliseconds; ``by_server`` has a server carry the deletion out. A repeat changes nothing."""
        async with self._transaction() as change:
            await change.run("begin_site_deletion", site_id=site_id, at=at, by_server=int(by_server))
            while reached := await change.run("key_sites_to_delete", site_id=site_id, limit=AT_ONCE):
                await change.run("delete_key_sites_of_site", reached)
            while keys := await change.run("api_keys_to_delete", site_id=site_id, limit=AT_ONCE):
                await change.run("end_sessions_of_site", keys)
                await change.run("delete_api_keys_of_site", keys)
            await change.run("disable_webhooks_of_site", site_id=site_id, at=at)
            await change.run("give_up_deliveries_of_site", site_id=site_id, at=at)
            await change.run("touch_versions")

    async def unfinished(self) -> list[DeletedSite]:
        """Returns the sites whose deletion has begun and not ended."""
        return [DeletedSite(*row) for row in await self._read("unfinished_site_deletions")]

    async def by_server(self) -> list[int]:
        """Returns the numbers of the sites whose deletion a server has to carry out, and has not ended."""
        return [int(site_id) for (site_id,) in await self._read("site_deletions_by_server")]

    async def finished(self, after: int) -> list[int]:
        """Returns the numbers of sites whose deletion began after a time (UTC milliseconds) and has ended."""
        return [int(site_id) for (site_id,) in await self._read("finished_site_deletions", after=after)]

    async def delete_some(self, table: str, site_id: int) -> int:
        """Deletes some rows of a site from one of ``EMPTIED``. Returns how many were found."""
        found = await self._read(f"{table}_to_delete", site_id=site_id, limit=AT_ONCE)
        if found:
            async with self._relaxed() as change:
                await change.run(f"delete_{table}_of_site", found)
        return len(found)

    async def finish(self, site_id: int) -> None:
        """Deletes the row of a site of which nothing else is left."""
        async with self._transaction() as change:
            await change.run("delete_site", site_id=site_id)
            await change.run("touch_versions")
