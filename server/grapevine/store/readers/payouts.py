"""What pay-outs are made of: conversions of a period, the visits of their chains, networks below minted links."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from grapevine.domain.networks import WIDE_SHIFT
from grapevine.store.query_runner import Runner
from grapevine.store.readers.scope import visit_keys
from grapevine.store.rows import ASIDE, ERASED, SAME_NETWORK


class PayableConversion(NamedTuple):
    """A conversion or, with ``refund_of``, a refund."""

    visit_id: int
    goal: str
    event_key: int
    external_id: str | None
    at: int
    value: int | None
    currency: str | None
    refund_of: str | None


class ReferralVisit(NamedTuple):
    """A visit of a chain, with the hashes of its visitor and network."""

    visit_id: int
    at: int
    channel: int | None
    via_id: int | None
    parent_id: int | None
    depth: int
    flags: int
    verdict: int | None
    visitor: int | None
    network: int | None

    @property
    def wide_network(self) -> int | None:
        """The hash of its wide network."""
        return None if self.network is None else self.network >> WIDE_SHIFT

    @property
    def is_return(self) -> bool:
        """Whether a share brought it, and not its sharer's own browser. A minted link's node is none.

        An erasure takes the channel, and leaves the place in the tree.
        """
        erased = bool(self.flags & ERASED) and self.parent_id is not None
        return (self.channel is not None or erased) and not self.flags & ASIDE

    @property
    def is_self(self) -> bool:
        """Whether its browser knew the link as its own."""
        return bool(self.flags & ASIDE) and self.verdict is None and not self.flags & ERASED

    @property
    def is_same_visitor(self) -> bool:
        """Whether its hash equals that of the sharer."""
        return bool(self.flags & SAME_NETWORK)


class LinkNetwork(NamedTuple):
    """Visits below a link from one wide network on one day (since 1970)."""

    link: int
    day: int
    network: int
    visits: int


class PayoutReader:
    """Reads what pay-outs are made of (``payouts.sql``)."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def conversions(
        self, site_id: int, start: int, end: int, least_reporter: int, goal: str | None, limit: int
    ) -> list[PayableConversion]:
        """At most ``limit`` conversions and refunds from ``start`` to before ``end`` (ms), in no order."""
        rows = await self._run(
            "payable_conversions",
            site_id=site_id,
            start=start,
            end=end,
            least_reporter=least_reporter,
            goal=goal,
            limit=limit,
        )
        return [PayableConversion(*row) for row in rows]

    async def conversions_of(self, site_id: int, visits: Iterable[int]) -> list[PayableConversion]:
        """The conversions of some visits, whenever they were."""
        rows = await self._run("payable_conversions_of_visits", visit_keys(visits), site_id=site_id)
        return [PayableConversion(*row) for row in rows]

    async def visits(self, site_id: int, visits: Iterable[int]) -> dict[int, ReferralVisit]:
        """Those of ``visits`` that are stored."""
        rows = await self._run("referral_visits", visit_keys(visits), site_id=site_id)
        return {row[0]: ReferralVisit(*row) for row in rows}

    async def networks(self, site_id: int, links: Iterable[int], start: int, end: int) -> list[LinkNetwork]:
        """The networks below links, by day, of visits from ``start`` to before ``end`` (ms)."""
        rows = await self._run("networks_of_links", visit_keys(links), site_id=site_id, start=start, end=end)
        return [LinkNetwork(*row) for row in rows]
