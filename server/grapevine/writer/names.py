"""The names of a batch, goals and apps: which are known, which are new, and which exceed their bound."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from grapevine.domain import ids
from grapevine.domain.enums import OTHER_NAME
from grapevine.domain.events import Conversion, VisitEvent
from grapevine.store.rows import NameRow
from grapevine.writer.name_bounds import APP, GOAL, BoundKey
from grapevine.writer.state import BatchState

_NO_DAY = -1
"""The day of a name that counts against no bound: its owner's."""


class NameKey(NamedTuple):
    """A name of a site; ``kind`` is one of ``BOUND_KINDS``."""

    site_id: int
    kind: int
    name: str


async def choose(state: BatchState) -> None:
    """Decides which names count as themselves, stores the new ones, and counts the events of the others."""
    known = state.shared.known.names
    wanted: dict[NameKey, tuple[int, int]] = {}
    for key, event in _named(state):
        if key not in known and (key not in wanted or not event.network):
            wanted[key] = (event.network, ids.day_at(event.at))
    if not wanted:
        return
    stored = {NameKey(*key) for key in await state.transaction.known_names([(*key, _cell(key)) for key in wanted])}
    state.new_keys.names.extend(stored)
    new = {key: found for key, found in wanted.items() if key not in stored}
    by_bound: dict[BoundKey, dict[tuple[int, int, str], int]] = {}
    for key, (network, day) in new.items():
        by_bound.setdefault(BoundKey(key.kind, key.site_id, day), {})[key] = network
    for bound, names in by_bound.items():
        count = partial(state.transaction.names_of_day, bound.site_id, bound.kind, bound.day)
        state.excess_names |= await state.shared.bounds.exceeding(bound, names, count, state.new_keys.taken)
    admitted = sorted(key for key in new if key not in state.excess_names)
    await state.transaction.insert_names([_row(key, *new[key]) for key in admitted])
    state.new_keys.names.extend(admitted)
    if state.excess_names:
        for key, event in _named(state):
            if key in state.excess_names:
                state.deltas.add_bound_hit(event.site_id, key.kind, event.at)


def _named(state: BatchState) -> Iterator[tuple[NameKey, VisitEvent | Conversion]]:
    """Yields the names that events bring, where their senders may have invented them."""
    for _, conversion in state.of(Conversion):
        if conversion.goal != OTHER_NAME and conversion.refunds is None:  # a refund has that of what it takes back
            yield NameKey(conversion.site_id, GOAL, conversion.goal), conversion
    for _, visit in state.of(VisitEvent):
        if visit.app is not None and not visit.app_listed:
            yield NameKey(visit.site_id, APP, visit.app), visit


def _row(key: NameKey, network: int, day: int) -> NameRow:
    return NameRow(site_id=key.site_id, kind=key.kind, name=key.name, cell=_cell(key), day=day if network else _NO_DAY)


def _cell(key: NameKey) -> int:
    return ids.hashed_cell(key.site_id)
