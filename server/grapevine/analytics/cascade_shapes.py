"""The shapes of cascades, computed when they are needed and stored with the cascade's summary."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from grapevine.analytics.models.virality import cascade_shape
from grapevine.store.base import Store
from grapevine.store.readers.cascades import CascadeFacts
from grapevine.store.readers.reads import Reads

_SMALL: Final = 10_000
_PATIENCE_MS: Final = 60_000
_MOST_SHAPES: Final = 2_000
_MOST_SHAPE_VISITS: Final = 200_000


class CascadeShape(NamedTuple):
    """What cannot be counted step by step: the largest generation, the structural virality (None below two nodes), and
    from how many networks the returns came."""

    breadth: int
    virality: float | None
    networks: int


async def current_shapes(
    store: Store, site_id: int, heads: Sequence[CascadeFacts], now: int
) -> dict[int, CascadeShape]:
    """The shapes of cascades: as stored where they are up to date, computed and stored where they are not.

    Concurrent callers about one site share a computation: each reads again what is stored when its turn has come.
    """
    known = {facts.root_id: facts for facts in heads}
    stale = [facts.root_id for facts in heads if is_stale(facts, now)]
    computed: dict[int, CascadeShape] = {}
    if stale:
        async with store.reads.cascades.shape_turn(site_id):
            known |= await store.reads.cascades.cascade_heads(site_id, stale)
            still_stale = [known[root] for root in stale if is_stale(known[root], now)]
            computed = await compute_shapes(store.reads, site_id, [facts.root_id for facts in still_stale])
            await store_shapes(store, site_id, still_stale, computed, now)
    kept = {
        root: CascadeShape(facts.breadth or 1, facts.virality, facts.networks or 0) for root, facts in known.items()
    }
    return kept | computed


def is_stale(facts: CascadeFacts, now: int) -> bool:
    """Whether the shape has to be computed again: at each growth, for very large cascades once a minute."""
    return facts.shape_size != facts.size and (facts.size <= _SMALL or facts.shape_at < now - _PATIENCE_MS)


async def refresh_stale_shapes(store: Store, site_id: int, now: int) -> None:
    """Brings shapes up to date, so that they can be sorted by: so many that the call stays bearable."""
    stale = await store.reads.cascades.stale_shapes(site_id, _SMALL, now - _PATIENCE_MS, _MOST_SHAPES)
    chosen: list[int] = []
    visits = 0
    for root, size in stale:
        visits += size
        if chosen and visits > _MOST_SHAPE_VISITS:
            break
        chosen.append(root)
    heads = await store.reads.cascades.cascade_heads(site_id, chosen)
    await current_shapes(store, site_id, list(heads.values()), now)


async def compute_shapes(reads: Reads, site_id: int, roots: Sequence[int]) -> dict[int, CascadeShape]:
    """Computes the shapes of cascades from their visits."""
    if not roots:
        return {}
    found = await reads.cascades.shape_visits(site_id, roots)
    return await asyncio.to_thread(
        lambda: {
            root: CascadeShape(*cascade_shape(root, below.visits, below.erased), len(below.networks))
            for root, below in found.items()
        }
    )


async def store_shapes(
    store: Store, site_id: int, stale: Sequence[CascadeFacts], computed: Mapping[int, CascadeShape], now: int
) -> None:
    """Stores shapes under the size that was read *before* the visits: visits stored since make them stale again."""
    rows = [
        (site_id, facts.root_id, facts.cell, *computed[facts.root_id], facts.size, now)
        for facts in stale
        if facts.root_id in computed
    ]
    if rows:
        async with store.batch() as batch:
            await batch.keep_shapes(rows)
