"""What minted links brought: of one link, of a list of them, of a campaign; and the names of the link something grew
from.

All numbers are those of the cascade that grows from a link's node, so that a link and its cascade never disagree. The
node itself is no visit, and is in none of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

import msgspec

from grapevine.domain import channels, money
from grapevine.domain.money import Amounts
from grapevine.domain.periods import rfc3339
from grapevine.errors import Invalid
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.store.readers.links import LinkReturns
from grapevine.store.readers.reads import Reads
from grapevine.store.repositories.links import BEFORE_ALL, LinkRow

MOST_OF_CAMPAIGN: Final = 250_000
"""Links that a summary looks at: as many as a site makes in a day. That takes some ten seconds."""

_AT_ONCE: Final = 1_000
_QR: Final = channels.CODES["qr"]
_FORWARDED: Final = 2


class LinkNames(msgspec.Struct, frozen=True):
    """The minted link from which something grew, by the names that you gave it."""

    token: str
    """Its token."""
    label: str | None
    """What it is."""
    external_id: str | None
    """What it is for; null also once it was dropped."""
    campaign: str | None
    """What it is a part of."""


class LinkTotals(msgspec.Struct, frozen=True):
    """What a link brought, in a list of links."""

    clicks: int
    """How often people followed its short links, without the scans of its QR codes."""
    scans: int
    """How often people scanned its QR codes."""
    returns: int
    """Visits through it, without self-returns."""
    visits: int
    """All visits that grew from it, in all generations, without self-returns."""
    max_depth: int
    """The depth of the deepest of them: 1 where none of its visitors shared it further, 0 without a visit."""
    conversions: int
    """Goals that its visits reached."""


class LinkGeneration(msgspec.Struct, frozen=True):
    """The visits of one depth below a link."""

    depth: int
    """How many shares they are away from the link, which is the first of them; 63 stands for all greater depths."""
    visits: int
    """How many visits, without self-returns."""


class PlaceNumbers(msgspec.Struct, frozen=True):
    """What one place of a link brought."""

    at: str
    """The name of the place."""
    token: str
    """The token of the place."""
    qr_token: str
    """The token of its QR code."""
    clicks: int
    """How often people followed its short link."""
    scans: int
    """How often people scanned its QR code."""
    returns: int
    """Visits through either, without self-returns."""


class LinkNumbers(LinkTotals, frozen=True):
    """What one link brought. All places together, and the link without a place, are in the totals."""

    self_returns: int
    """Visits through it by somebody whom the browser knows as its sharer."""
    networks: int
    """From how many networks its returns came, each counted once a day."""
    shares: int
    """Shares that its visits made, those of self-returns included. Its own tokens are none of them."""
    value: Amounts
    """The value of its conversions by currency."""
    generations: list[LinkGeneration]
    """Its visits by depth."""
    unfurls: dict[str, int]
    """Previews of the link by the app that drew them."""
    by_place: list[PlaceNumbers]
    """What each of its places brought."""
    clicked_at: str | None
    """When it was last followed or scanned; null for never."""


class CampaignGeneration(LinkGeneration, frozen=True):
    """The visits of one depth below the links of a campaign."""

    links: int
    """How many of the links have a visit of this depth."""


class CampaignSummary(msgspec.Struct, frozen=True):
    """What the links of one campaign brought together: how far a mailing was forwarded."""

    campaign: str
    """The campaign."""
    links: int
    """Its links."""
    opened: int
    """Those that were followed, scanned, or through which a visit came."""
    forwarded: int
    """Those whose readers shared further, and somebody came through that."""
    clicks: int
    """How often people followed their short links, without the scans of their QR codes."""
    scans: int
    """How often people scanned their QR codes."""
    returns: int
    """Visits through them, without self-returns."""
    self_returns: int
    """Visits through them by somebody whom the browser knows as the sharer."""
    visits: int
    """All visits that grew from them, without self-returns."""
    max_depth: int
    """The depth of the deepest of these."""
    generations: list[CampaignGeneration]
    """These by depth: the first are the readers of the mailing, the second those whom they forwarded it to."""
    conversions: int
    """Goals that these visits reached."""
    value: Amounts
    """Their value by currency."""


def link_names(site: Site, link: LinkRow) -> LinkNames:
    """Returns the names of a link."""
    return LinkNames(
        token=site.tokens.mint_one(link.visit_id, link.channel),
        label=link.label,
        external_id=link.external_id,
        campaign=link.campaign,
    )


async def names_at_roots(reads: Reads, site: Site, visits: Iterable[int]) -> dict[int, LinkNames]:
    """Returns the names of the links from which those of ``visits`` grew that grew from one, with one query."""
    found = await reads.links.at_roots(site.site_id, visits)
    names = {link.visit_id: link_names(site, link) for link in found.values()}
    return {visit: names[link.visit_id] for visit, link in found.items()}


async def link_totals(reads: Reads, site: Site, links: Sequence[int]) -> dict[int, LinkTotals]:
    """Returns what each of some links (the ids of their nodes) brought, with five queries."""
    numbers = await _numbers(reads, site.site_id, links)
    return {link: each.totals() for link, each in numbers.items()}


async def link_numbers(reads: Reads, site: Site, link: LinkRow) -> LinkNumbers:
    """Returns what one link brought."""
    site_id, node = site.site_id, link.visit_id
    numbers = (await _numbers(reads, site_id, [node]))[node]
    if not numbers.visits:
        # There is no summary; but what self-returns shared is there.
        lonely = await reads.cascades.lonely_cascade(site_id, node)
        numbers.shares = 0 if lonely is None else lonely.shares
    generations = await reads.links.generations(site_id, [node])
    worth = await reads.cascades.cascade_worth(site_id, [node], site.least_reporter)
    return LinkNumbers(
        **msgspec.structs.asdict(numbers.totals()),
        self_returns=numbers.self_returns,
        networks=await reads.links.networks(site_id, node),
        shares=numbers.shares,
        value=money.amounts(worth.get(node, ())),
        generations=[LinkGeneration(depth=depth, visits=visits) for _, depth, visits in sorted(generations)],
        unfurls=await reads.links.unfurls(site_id, node),
        by_place=[_place(site, link, numbers, name, n) for n, name in enumerate(link.place_names, 1)],
        clicked_at=None if numbers.clicked_at is None else rfc3339(numbers.clicked_at),
    )


async def campaign_summary(
    store: Store, site: Site, campaign: str, kind: int, key: int, pause: Callable[[], Awaitable[None]]
) -> CampaignSummary:
    """Returns what the links of a campaign brought, which are found by the ``kind`` and ``key`` of its name.

    Calls ``pause`` before each thousand of them. Raises Invalid for a campaign of more than 250,000 links.
    """
    total = _Campaign()
    before = BEFORE_ALL
    while True:
        await pause()
        named = await store.links.ids_named(site.site_id, kind, key, _AT_ONCE, before)
        rows = await store.links.links(site.site_id, named)
        # Another campaign's name may have the same hash.
        nodes = [link for link in named if link in rows and rows[link].campaign == campaign]
        await total.add(store.reads, site, nodes)
        if total.links > MOST_OF_CAMPAIGN:
            raise Invalid.of("campaign", f"has more than {MOST_OF_CAMPAIGN:,} links")
        if len(named) < _AT_ONCE:
            return total.summary(campaign)
        before = named[-1]


class _Numbers:
    """The numbers of one link, as they are added up."""

    def __init__(self) -> None:
        self.followed: dict[tuple[int, int], int] = {}
        self.returned: dict[tuple[int, int], LinkReturns] = {}
        self.clicked_at: int | None = None
        self.visits = 0
        self.max_depth = 0
        self.shares = 0
        self.conversions = 0

    def clicks(self, n: int | None = None) -> int:
        """How often people followed its short links; of one place if given."""
        return sum(
            clicks for (channel, of), clicks in self.followed.items() if channel != _QR and (n is None or of == n)
        )

    def scans(self, n: int | None = None) -> int:
        """How often people scanned its codes; of one place if given."""
        return sum(
            clicks for (channel, of), clicks in self.followed.items() if channel == _QR and (n is None or of == n)
        )

    def returns(self, n: int | None = None) -> int:
        """The visits through it; of one place if given."""
        return sum(row.returns for (_, of), row in self.returned.items() if n is None or of == n)

    @property
    def self_returns(self) -> int:
        return sum(row.self_returns for row in self.returned.values())

    @property
    def is_opened(self) -> bool:
        return bool(self.followed) or self.returns() > 0

    def totals(self) -> LinkTotals:
        return LinkTotals(
            clicks=self.clicks(),
            scans=self.scans(),
            returns=self.returns(),
            visits=self.visits,
            max_depth=self.max_depth,
            conversions=self.conversions,
        )


async def _numbers(reads: Reads, site_id: int, links: Sequence[int]) -> dict[int, _Numbers]:
    found = {link: _Numbers() for link in links}
    for click in await reads.links.clicks(site_id, links):
        numbers = found[click.visit_id]
        numbers.followed[click.channel, click.n] = click.clicks
        numbers.clicked_at = max(numbers.clicked_at or 0, click.clicked_at)
    for row in await reads.links.returns(site_id, links):
        found[row.visit_id].returned[row.channel, row.n] = row
    heads = await reads.cascades.cascade_heads(site_id, links)
    for link, facts in heads.items():
        numbers = found[link]
        numbers.visits, numbers.max_depth = facts.size, facts.max_depth
        numbers.shares, numbers.conversions = facts.shares, facts.conversions
    # Without a return there is no summary, but a server may have reported a conversion all the same.
    lonely = [link for link in links if link not in heads]
    for link, conversions in (await reads.links.conversions(site_id, lonely)).items():
        found[link].conversions = conversions
    return found


def _place(site: Site, link: LinkRow, numbers: _Numbers, name: str, n: int) -> PlaceNumbers:
    return PlaceNumbers(
        at=name,
        token=site.tokens.mint_one(link.visit_id, link.channel, n),
        qr_token=site.tokens.mint_one(link.visit_id, _QR, n),
        clicks=numbers.clicks(n),
        scans=numbers.scans(n),
        returns=numbers.returns(n),
    )


class _Campaign:
    """The sums of a campaign."""

    def __init__(self) -> None:
        self.links = 0
        self._sums: dict[str, int] = dict.fromkeys(("opened", "forwarded", "self_returns", *_ADDED), 0)
        self._max_depth = 0
        self._generations: dict[int, list[int]] = {}
        self._worth: dict[str | None, int] = {}

    async def add(self, reads: Reads, site: Site, links: Sequence[int]) -> None:
        """Adds some links."""
        numbers = await _numbers(reads, site.site_id, links)
        self.links += len(links)
        for each in numbers.values():
            totals = msgspec.structs.asdict(each.totals())
            self._add(opened=each.is_opened, forwarded=each.max_depth >= _FORWARDED, self_returns=each.self_returns)
            self._add(**{name: totals[name] for name in _ADDED})
            self._max_depth = max(self._max_depth, each.max_depth)
        below = [link for link, each in numbers.items() if each.visits]
        for _, depth, visits in await reads.links.generations(site.site_id, below):
            generation = self._generations.setdefault(depth, [0, 0])
            generation[0] += visits
            generation[1] += 1
        converted = [link for link, each in numbers.items() if each.conversions]
        worth = await reads.cascades.cascade_worth(site.site_id, converted, site.least_reporter)
        for currency, amount in (one for sums in worth.values() for one in sums):
            self._worth[currency] = self._worth.get(currency, 0) + (amount or 0)

    def summary(self, campaign: str) -> CampaignSummary:
        """Returns the sums."""
        return CampaignSummary(
            campaign=campaign,
            links=self.links,
            max_depth=self._max_depth,
            generations=[
                CampaignGeneration(depth=depth, visits=visits, links=links)
                for depth, (visits, links) in sorted(self._generations.items())
            ],
            value=money.amounts(self._worth.items()),
            **self._sums,
        )

    def _add(self, **numbers: int) -> None:
        for name, number in numbers.items():
            self._sums[name] += number


_ADDED: Final = ("clicks", "scans", "returns", "visits", "conversions")
