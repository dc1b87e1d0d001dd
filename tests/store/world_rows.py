"""The rows that a store holds of a world, with its counts and summaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from msgspec.structs import astuple

from grapevine.domain import channels, enums, ids
from grapevine.domain.urls import page_id
from grapevine.store.repositories.links import LinkRow
from grapevine.store.rows import ASIDE, SAME_NETWORK, THROUGH_LINK
from grapevine.writer.link_names import names_of
from grapevine.writer.nonces import Nonces
from tests.store.world import CHANNELS, FIRST_DAY, LINK, PAGES, Visit, World

NONCES = Nonces(b"n" * 32)
"""What the keys of the links' names come from."""

FIRST_REFUND = 100
"""The key of a visit's first refund; those of its conversions begin with 0."""

MEASURES = (
    "views visits visitors returns self_returns same_network shares reported proven conversions unlinked unfurls"
).split()


def rows_of(world: World) -> dict[str, Iterable[tuple[Any, ...]]]:
    """The rows of a world in a store, with its counts and summaries."""
    site = world.site_id
    shares = [share for share in world.shares.values() if share.reported_at or share.openings]
    counts = _counts(world)
    return {
        "pages": [
            (site, number, number % ids.CELLS, FIRST_DAY, page, None)
            for page in PAGES for number in [page_id(site, page)]
        ],
        "visits": [_visit_row(site, visit) for visit in world.visits],
        **link_rows(world),
        "shares": [
            (
                site, share.visit.visit_id, ids.cell_of(share.visit.visit_id), share.channel, share.n,
                page_id(site, share.page) if share.page and share.reported_at else None, share.first_at,
                share.reported_at, share.proven_at, len(share.returns), len(share.self_returns), None,
                share.reporter, None,
            )
            for share in shares
        ],
        "unfurls": [
            (site, share.visit.visit_id, ids.cell_of(share.visit.visit_id), share.channel, share.n, app,
             at // ids.HOUR_MS, at)
            for share in world.shares.values() for app, at in share.unfurls
        ],
        "conversions": [
            (site, visit.visit_id, ids.cell_of(visit.visit_id), "signup", number, visit.order(number), at, value,
             currency, number % 2, None, None)
            for visit in world.visits for number, (at, value, currency) in enumerate(visit.conversions)
        ] + [
            (site, visit.visit_id, ids.cell_of(visit.visit_id), "signup", FIRST_REFUND + index,
             f"{visit.order(one.number)}-R{index}", one.at, one.value, one.currency, one.number % 2,
             visit.order(one.number), one.number)
            for visit in world.visits for index, one in enumerate(visit.refunds)
        ],
        "drops": [(site, hour, reason, 1, number) for (hour, reason), number in world.drops.items()],
        "cascades": [_cascade_row(world, root) for root in world.roots()],
        **counts,
        "counts_week": _weeks(counts["counts_page"]),
        "counts_shared": _shared(world),
    }  # fmt: skip


def link_rows(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """What is said of the minted links of a world, and how often each of their tokens was followed: the node's number
    in the world says both."""
    nodes = [(number, visit) for number, visit in enumerate(world.visits) if visit.source == LINK]
    site = world.site_id
    links = [
        LinkRow(
            site_id=site,
            visit_id=visit.visit_id,
            cell=ids.cell_of(visit.visit_id),
            channel=CHANNELS[number % 3],
            url=visit.page,
            label=f"Label {number}",
            external_id=f"contact-{number}" if number % 2 else None,
            campaign=f"mailing {number % 3}",
            word=None,
            places="shop fair" if number % 2 else "",
            keep=0,
            created_at=visit.at,
            expires_at=visit.expires_at,
        )
        for number, visit in nodes
    ]
    return {
        "links": [(*astuple(link), None) for link in links],
        "link_names": [astuple(name) for name in names_of(NONCES, links)],
        "link_clicks": [
            (site, visit.visit_id, ids.cell_of(visit.visit_id), channel, n, number % 7 + n, visit.at)
            for number, visit in nodes
            for channel in (CHANNELS[number % 3], channels.CODES["qr"])
            for n in range(number % 3)
        ],
    }


def _visit_row(site: int, visit: Visit) -> tuple[Any, ...]:
    parent, sharer = visit.parent, visit.sharer
    flags = (ASIDE if visit.aside else 0) | (SAME_NETWORK if visit.same_network else 0)
    flags |= THROUGH_LINK if sharer and sharer.source == LINK else 0
    return (
        site, visit.visit_id, ids.cell_of(visit.visit_id), 0, visit.at, visit.views + 1,
        page_id(site, visit.page), visit.source, visit.device, visit.app, visit.visitor,
        visit.through.channel if visit.through else None, visit.through.n if visit.through else None,
        sharer.visit_id if sharer and sharer is not parent else None, parent.visit_id if parent else None,
        visit.root.visit_id if parent else None, visit.depth, flags, None, visit.verdict, visit.network,
        visit.evidence,
    )  # fmt: skip


def _cascade_row(world: World, root: Visit) -> tuple[Any, ...]:
    members = world.members(root)
    return (
        world.site_id, root.visit_id, ids.cell_of(root.visit_id), page_id(world.site_id, root.page), root.at,
        max(visit.at for visit in members), sum(visit.counts for visit in members),
        max(visit.depth for visit in members),
        sum(share.first_at is not None for share in world.shares.values()
            if share.visit.root is root and share.visit.verdict is None and share.visit.source != LINK),
        sum(len(visit.conversions) for visit in world.visits if visit.root is root and visit.verdict is None),
        None, None, 0, 0, None,
    )  # fmt: skip


def _counts(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """The tables of counts, each number split over two slots."""
    site = world.site_id
    names = ("counts_hour", "counts_day", "counts_page", "counts_device")
    tables: dict[str, dict[tuple[Any, ...], Counter[str]]] = {name: {} for name in names}

    def add(visit: Visit, at: int, channel: int, **measures: int) -> None:
        hour, day = at // ids.HOUR_MS, ids.day_at(at)
        keys: list[tuple[str, tuple[Any, ...]]] = [
            ("counts_hour", (hour, visit.source, channel, visit.depth)),
            *(
                ("counts_day", (day, *key))
                for key in ((0, channel), (1, visit.source), (2, visit.depth), (3, hour % 24))
            ),
            ("counts_page", (day, page_id(site, visit.page))),
            ("counts_device", (day, visit.device, visit.app or "")),
        ]
        for table, key in keys:
            tables[table].setdefault(key, Counter()).update(measures)

    first = world.first_of_day()
    for visit in world.visits:
        if visit.verdict is not None:
            continue
        if visit.counts:
            add(
                visit, visit.at, visit.arrival, views=visit.views, visits=1, visitors=int(visit.visit_id in first),
                returns=int(visit.returned), self_returns=int(visit.own),
                same_network=int(visit.returned and visit.same_network),
            )  # fmt: skip
        for at, _, _ in visit.conversions:
            add(visit, at, visit.arrival, conversions=1)
    for share in world.shares.values():
        if share.first_at is not None and share.visit.verdict is None:
            add(
                share.visit,
                share.first_at,
                share.channel,
                shares=1,
                reported=int(share.reported_at is not None),
                proven=int(share.proven_at is not None),
            )
        for app, at in share.unfurls:
            day, hour = ids.day_at(at), at // ids.HOUR_MS % 24
            tables["counts_device"].setdefault((day, 0, app), Counter())["unfurls"] += 1
            tables["counts_day"].setdefault((day, 3, hour), Counter())["unfurls"] += 1
    for at, source, page, device in world.unlinked:
        ghost = Visit(0, at, page, source, device, None, 0, 1)
        add(ghost, at, enums.NO_CHANNEL, views=1, unlinked=1)
    return {
        table: [
            (site, *key, slot, *((measures[name] + slot) // 2 for name in MEASURES))
            for key, measures in counts.items()
            for slot in (0, 1)
        ]
        for table, counts in tables.items()
    }


def _weeks(days: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The counts by page and week: what those by day add up to."""
    weekly = [MEASURES.index(name) for name in ("views", "visits", "returns", "shares", "proven", "unlinked")]
    weeks: dict[tuple[int, ...], list[int]] = {}
    for site, day, page, slot, *numbers in days:
        total = weeks.setdefault((site, day // 7, page, slot), [0] * len(weekly))
        for index, measure in enumerate(weekly):
            total[index] += numbers[measure]
    return [(*key, *total) for key, total in weeks.items()]


def _shared(world: World) -> list[tuple[Any, ...]]:
    """The counts of shares by page, each split over two slots."""
    shared = Counter(
        (page_id(world.site_id, share.page if share.page and share.reported_at else share.visit.page), share.channel)
        for share in world.shares.values()
        if share.first_at is not None and share.visit.verdict is None
    )
    return [(world.site_id, *key, slot, (number + slot) // 2) for key, number in shared.items() for slot in (0, 1)]
