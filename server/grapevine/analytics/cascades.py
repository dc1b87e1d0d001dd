"""Cascades: a site's list of them in several orders, and one of them as a tree."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from grapevine.analytics.cascade_shapes import (
    CascadeShape,
    current_shapes,
    is_stale,
    refresh_stale_shapes,
    store_shapes,
)
from grapevine.analytics.links import LinkNames, names_at_roots
from grapevine.analytics.models.virality import Shape, cascade_shape
from grapevine.domain import channels, cursors, enums, ids, money
from grapevine.domain.money import Amounts
from grapevine.domain.periods import rfc3339
from grapevine.errors import Invalid, NotFound, UnknownVisit
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.store.readers.cascades import CascadeFacts
from grapevine.store.readers.reads import Reads
from grapevine.store.readers.scope import HIGHEST_ID
from grapevine.store.readers.summary import Converted
from grapevine.store.rows import CascadeVisit

SORTS: Final = ("size", "depth", "virality", "value", "recent")
MOST_CASCADES: Final = 200
MOST_NODES: Final = 50_000
"""Nodes in a response: some 10 MiB of JSON. An export has all of them."""

_LINK: Final = enums.SOURCES["link"]
_HIGHEST: Final = (1 << 63) - 1
_HIGHEST_WORTH: Final = (1 << 63) * money.MILLION - 1


class CascadeHead(msgspec.Struct, frozen=True):
    """A cascade in numbers."""

    root: str
    """The visit that it grew from."""
    url: str | None
    """The page that this visit began on; null when it is not known any more."""
    started_at: str
    """When this visit began."""
    last_at: str
    """When the last visit came."""
    size: int
    """Its visits, without self-returns and without the node that stands for a minted link."""
    max_depth: int
    """The depth of its deepest visit; the root has 0."""
    breadth: int
    """The size of its largest generation; the root is one of its own."""
    structural_virality: float | None
    """The mean distance over all pairs of nodes (Goel, Anderson, Hofman, Watts 2016): the visits, and the node that
    stands for a minted link. Null below two nodes."""
    shares: int
    """Shares that its visits made, those of self-returns included. The tokens of a minted link are none of them."""
    conversions: int
    """Goals that its visits reached."""
    value: Amounts
    """Their value by currency."""
    networks: int
    """From how many networks its returns came, each counted once a day; rows of versions that did not store networks
    are not among them."""
    link: LinkNames | None
    """The minted link that it grew from; null where it began with a visit."""


class CascadePage(msgspec.Struct, frozen=True):
    """Some cascades, in the order asked for."""

    cascades: list[CascadeHead]
    """The cascades."""
    next: str | None
    """The cursor of those that follow; null after the last."""


class CascadeArrival(msgspec.Struct, frozen=True):
    """The share through which a visit came."""

    channel: str
    """Its channel."""
    n: int
    """Which share of the sharer on this channel, from 0."""


class CascadeNode(msgspec.Struct, frozen=True, omit_defaults=True):
    """One visit of a cascade, or, as its root, the node that stands for a minted link. An erased visit keeps only its
    place."""

    visit: str
    """The visit."""
    parent: str | None
    """The visit that shared what this one opened; null at the root."""
    via: CascadeArrival | None
    """The share through which it came; null at the root."""
    depth: int
    """How many shares it is away from the root."""
    at: str | None
    """When it began; null where it was erased."""
    url: str | None
    """The page that it began on; null where it was erased."""
    source: str | None
    """Where it came from; null where it was erased."""
    device: str | None
    """The kind of device; null where it was erased."""
    conversions: int
    """Goals that it reached."""
    verdict: str | None = None
    """Why the first visit is taken for no person's; no other visit of the kind is a node."""
    erased: bool = False
    """Whether it was erased."""
    link: LinkNames | None = None
    """The minted link that this node stands for; absent at a visit."""


class Cascade(CascadeHead, frozen=True, omit_defaults=True):
    """A whole cascade."""

    nodes: list[CascadeNode]
    """Its visits by depth and time, without self-returns."""
    omitted: int = 0
    """How many are left out at the end of this order."""

    def first(self, most: int) -> Cascade:
        """Returns the cascade with at most ``most`` nodes."""
        return msgspec.structs.replace(self, nodes=self.nodes[:most], omitted=max(0, len(self.nodes) - most))


class _Position(NamedTuple):
    """After which cascade a page of the list begins."""

    value: int | float
    root_id: int


async def list_cascades(
    store: Store, site: Site, now: int, sort: str = "size", limit: int = 20, cursor: str | None = None
) -> CascadePage:
    """The site's cascades in the order ``sort`` (one of ``SORTS``), ``limit`` (1…200) at a time.

    ``value`` adds up amounts of all currencies as they are. ``virality`` brings the shapes of at most 2,000 cascades
    up to date first. Raises Invalid for an unknown order, a limit outside its bounds, or a cursor that was not handed
    out for this order.
    """
    if sort not in SORTS:
        raise Invalid.of("sort", f"must be one of {', '.join(SORTS)}")
    cursors.check_limit(limit, MOST_CASCADES)
    start = _Position(_highest(sort), HIGHEST_ID) if cursor is None else _read_cursor(cursor, sort)
    if sort == "virality" and cursor is None:
        await refresh_stale_shapes(store, site.site_id, now)
    order = await store.reads.cascades.cascade_order(
        site.site_id, sort, start.value, start.root_id, limit + 1, site.least_reporter
    )
    roots = [root for _, root in order[:limit]]
    heads = await store.reads.cascades.cascade_heads(site.site_id, roots)
    shapes = await current_shapes(store, site.site_id, list(heads.values()), now)
    worth = await store.reads.cascades.cascade_worth(
        site.site_id, [root for root, facts in heads.items() if facts.conversions], site.least_reporter
    )
    urls = await store.reads.pages.urls(site.site_id, (facts.page_id for facts in heads.values()))
    of_links = [root for root, facts in heads.items() if facts.is_of_link]
    links = await names_at_roots(store.reads, site, of_links) if of_links else {}
    return CascadePage(
        cascades=[
            _head(heads[root], shapes[root], urls, worth.get(root, ()), links.get(root))
            for root in roots
            if root in heads
        ],
        next=cursors.written(sort, _Position(*order[limit - 1])) if len(order) > limit else None,
    )


async def read_cascade(store: Store, site: Site, root: str, now: int) -> Cascade:
    """Returns the cascade that grew from the visit ``root`` (11 characters); without returns its size is 1.

    Raises errors.NotFound when ``root`` spells no visit or names one that is not a root, errors.UnknownVisit when
    nothing is stored of it.
    """
    root_id = ids.visit_number(root)
    if root_id is None:
        raise NotFound("That is not the id of a visit: those are 11 letters and digits.")
    facts = await _facts(store.reads, site.site_id, root_id)
    visits = await store.reads.cascades.cascade_visits(site.site_id, root_id)
    converted: list[Converted] = []
    if facts.conversions:
        converted = await store.reads.cascades.cascade_conversions(site.site_id, root_id, site.least_reporter)
    urls = await store.reads.pages.urls(site.site_id, [facts.page_id, *(visit.page_id for visit in visits)])
    sums: dict[str | None, int] = {}
    times: dict[int, int] = {}
    for one in converted:
        if isinstance(one.key, int):
            times[one.key] = times.get(one.key, 0) + one.times
        sums[one.currency] = sums.get(one.currency, 0) + (one.worth or 0)
    # In a thread: a cascade of 100,000 visits takes the better part of a second, in which no other request should wait.
    shape, tree = await asyncio.to_thread(_drawn, root_id, visits, urls, times)
    networks = await store.reads.cascades.networks(site.site_id, [root_id])
    current = CascadeShape(*shape, networks[root_id])
    if is_stale(facts, now):
        await store_shapes(store, site.site_id, [facts], {root_id: current}, now)
    link = await _link_at(store.reads, site, visits)
    if link is not None:
        tree[0] = msgspec.structs.replace(tree[0], link=link)
    head = _head(facts, current, urls, sums.items(), link)
    return Cascade(**{name: getattr(head, name) for name in CascadeHead.__struct_fields__}, nodes=tree)


async def _link_at(reads: Reads, site: Site, visits: Sequence[CascadeVisit]) -> LinkNames | None:
    """Returns the names of the link that the first of ``visits`` stands for, if it does."""
    if not visits or visits[0].source != _LINK:
        return None
    root = visits[0].visit_id
    return (await names_at_roots(reads, site, [root])).get(root)


def _drawn(
    root_id: int, visits: Sequence[CascadeVisit], urls: Mapping[int, str], conversions: Mapping[int, int]
) -> tuple[Shape, list[CascadeNode]]:
    below = [(visit.visit_id, visit.parent_id, visit.depth) for visit in visits]
    erased = {visit.visit_id for visit in visits if visit.is_erased}
    return cascade_shape(root_id, below, erased), cascade_nodes(visits, urls, conversions)


async def _facts(reads: Reads, site_id: int, root_id: int) -> CascadeFacts:
    facts = (await reads.cascades.cascade_heads(site_id, [root_id])).get(root_id)
    if facts is not None:
        return facts
    path = (await reads.cascades.chain_to(site_id, root_id)).visits
    if not path:
        raise UnknownVisit("Nothing is stored of that visit: it is not this site's, or past retention.")
    if path[-1].parent_id is not None:
        raise NotFound(f"That visit is not the first of its cascade; {ids.visit_text(path[0].visit_id)} is.")
    if path[-1].is_erased:
        raise UnknownVisit("That visit was erased, and no return to it is stored.")
    lonely = await reads.cascades.lonely_cascade(site_id, root_id)
    if lonely is None:
        raise UnknownVisit("That visit was deleted a moment ago.")
    return lonely


def _head(
    facts: CascadeFacts,
    current: CascadeShape,
    urls: Mapping[int, str],
    worth: Iterable[tuple[str | None, int | None]],
    link: LinkNames | None,
) -> CascadeHead:
    return CascadeHead(
        root=ids.visit_text(facts.root_id),
        url=urls.get(facts.page_id),
        started_at=rfc3339(facts.started_at),
        last_at=rfc3339(facts.last_at),
        size=facts.size,
        max_depth=facts.max_depth,
        breadth=current.breadth,
        structural_virality=current.virality,
        networks=current.networks,
        shares=facts.shares,
        conversions=facts.conversions,
        value=money.amounts(worth),
        link=link,
    )


def cascade_nodes(
    visits: Iterable[CascadeVisit], urls: Mapping[int, str], conversions: Mapping[int, int]
) -> list[CascadeNode]:
    """The nodes of a cascade, with how many ``conversions`` each visit had."""
    spelled: dict[int, str] = {}  # each is also its children's parent
    arrivals: dict[tuple[int, int], CascadeArrival] = {}  # of which there are few

    def spell(visit_id: int) -> str:
        text = spelled.get(visit_id)
        if text is None:
            text = spelled[visit_id] = ids.visit_text(visit_id)
        return text

    def arrival(channel: int | None, n: int | None) -> CascadeArrival | None:
        if channel is None or n is None:
            return None
        found = arrivals.get((channel, n))
        if found is None:
            found = arrivals[channel, n] = CascadeArrival(channel=channels.NAMES[channel], n=n)
        return found

    def node(visit: CascadeVisit) -> CascadeNode:
        erased = visit.is_erased
        return CascadeNode(
            visit=spell(visit.visit_id),
            parent=None if visit.parent_id is None else spell(visit.parent_id),
            via=arrival(visit.channel, visit.n),
            depth=visit.depth,
            at=None if erased else rfc3339(visit.at),
            url=None if erased else urls.get(visit.page_id),
            source=None if erased else enums.SOURCE_NAMES[visit.source],
            device=None if erased else enums.DEVICE_NAMES[visit.device],
            conversions=conversions.get(visit.visit_id, 0),
            verdict=None if erased else visit.verdict_name,
            erased=erased,
        )

    return [node(visit) for visit in visits]


def _highest(sort: str) -> int:
    """The most that cascades may be sorted by: 64 bits, as the store compares them, and for values as many units."""
    return _HIGHEST_WORTH if sort == "value" else _HIGHEST


def _read_cursor(text: str, sort: str) -> _Position:
    position = cursors.read(text, sort, _Position)
    value_fits = abs(position.value) <= _highest(sort) and (sort == "virality" or isinstance(position.value, int))
    if not value_fits or not 0 <= position.root_id <= HIGHEST_ID:
        raise cursors.refusal()
    return position
