"""Lines of access logs on their way into the store: which of them are visits that nobody stored yet.

A line is decided once, in the transaction that stores it. It was stored before, or joined before; or it is joined now,
with a visit through the same share that a page's script reported, see ``writer.line_joins``; or it is a visit of its
own. Each visit takes one line. So the same line in another file, or in a second run, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from grapevine.domain import ids
from grapevine.domain.events import Unfurl, VisitEvent
from grapevine.domain.tokens import Token
from grapevine.store.repositories.log_joins import LineKey
from grapevine.store.write_batch import Batch
from grapevine.writer.line_joins import join_lines, line_key
from grapevine.writer.nonces import Nonces

_ATTEMPTS: Final = 8


class DecidedLines(NamedTuple):
    """The arrivals and unfurls of a batch that are to be stored, and how many are not: arrivals that were ``joined``
    now or are ``known`` from an earlier run, arrivals and unfurls whose sharer is not here (``unknown``), and arrivals
    that may be those of visits that were ``erased``."""

    events: list[VisitEvent | Unfurl]
    joined: int
    known: int
    unknown: int
    erased: int = 0


async def decide(batch: Batch, nonces: Nonces, events: Sequence[VisitEvent | Unfurl]) -> DecidedLines:
    """Decides the lines of a batch, each an arrival with a token or an unfurl, in the transaction ``batch``.

    It locks the sharers first, as every batch does, so that of two imports one waits for the other here.
    """
    named = {(event.site_id, visit.visit_id): ids.cell_of(visit.visit_id) for event, visit in _tokens(events)}
    held = await batch.held_visits([(*key, cell) for key, cell in named.items()])
    stored = {key for key, row in held.items() if not row.is_erased}
    found = [event for event, token in _tokens(events) if (event.site_id, token.visit_id) in stored]
    arrivals = _without_repeats(event for event in found if isinstance(event, VisitEvent))
    repeats = sum(isinstance(event, VisitEvent) for event in found) - len(arrivals)
    new = await _not_joined(batch, nonces, await _not_stored(batch, nonces, arrivals))
    joins = await join_lines(batch, nonces, new, held)
    erased = sum(visit.is_erased for visit in joins.values())
    own = [event for event in new if event.nonce not in joins]
    return DecidedLines(
        events=[*own, *(event for event in found if isinstance(event, Unfurl))],
        joined=len(joins) - erased,
        known=len(arrivals) - len(new) + repeats,
        unknown=len(events) - len(found),
        erased=erased,
    )


def _tokens(events: Iterable[VisitEvent | Unfurl]) -> list[tuple[VisitEvent | Unfurl, Token]]:
    return [(event, event.token) for event in events if event.token is not None]


def _without_repeats(events: Iterable[VisitEvent]) -> list[VisitEvent]:
    return list({(event.site_id, event.nonce): event for event in events}.values())


async def _not_stored(batch: Batch, nonces: Nonces, events: Sequence[VisitEvent]) -> list[VisitEvent]:
    """Returns the lines that are no visits of their own yet; a visit that was erased is still one.

    As ``visits.insert`` does, this tries the next id where one is another visit's.
    """
    new: list[VisitEvent] = []
    pending = list(events)
    for attempt in range(_ATTEMPTS):
        ids_of = [(event, *nonces.identify(event, attempt)) for event in pending]
        stored = await batch.visits([(event.site_id, number, ids.cell_of(number)) for event, number, _ in ids_of])
        pending = []
        for event, number, check in ids_of:
            row = stored.get((event.site_id, number))
            if row is None:
                new.append(event)
            elif row.nonce_check != check:
                pending.append(event)
        if not pending:
            break
    return new + pending


async def _not_joined(batch: Batch, nonces: Nonces, events: Sequence[VisitEvent]) -> list[VisitEvent]:
    """Returns the lines that were not joined with a visit before."""
    keys = {
        (event.site_id, line_key(nonces, event)): LineKey(
            event.site_id, line_key(nonces, event), ids.cell_of(token.visit_id)
        )
        for event, token in _tokens(events)
        if isinstance(event, VisitEvent)
    }
    joined = await batch.log_joins.joined(keys.values()) if keys else set()
    return [event for event in events if (event.site_id, line_key(nonces, event)) not in joined]
