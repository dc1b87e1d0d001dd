"""Puts what a batch stores on its way to webhooks: shares proven, conversions, answers and milestones of cascades.

In the transaction that stores them, so none of them is there without its event: a batch that is tried again finds them
stored, and posts nothing. Sites without an endpoint for an event cost a look into a set, and the others two round
trips, however many events there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

import msgspec

from grapevine.domain.enums import CONVERSION_REPORTERS, SOURCES
from grapevine.domain.events import Answer, Stored
from grapevine.sites.cache import Site
from grapevine.store.write_batch import GrownCascade
from grapevine.webhooks.milestones import message_id, milestone_passed
from grapevine.webhooks.payloads import Facts, shared_page
from grapevine.webhooks.signing import event as event_of
from grapevine.webhooks.subscriptions import (
    ANSWER_CREATED,
    CASCADE_MILESTONE,
    CONVERSION_CREATED,
    SHARE_PROVEN,
    Bound,
    Kind,
)
from grapevine.writer import answers
from grapevine.writer.state import BatchState

_KEY: Final = CONVERSION_REPORTERS["key"]
_LINK: Final = SOURCES["link"]


class _Found(NamedTuple):
    """Something to be told. ``page_id`` and ``root_id`` are named in the event, and None where there is none.

    ``network`` is the one that caused it, ``data`` says it once the facts are known, ``message`` is its id
    where that is given.
    """

    site: Site
    kind: Kind
    data: Callable[[Facts], msgspec.Struct]
    page_id: int | None
    root_id: int | None
    network: int | None = None
    message: str | None = None


async def post(state: BatchState) -> None:
    """Posts what a batch proves and stores, as far as somebody wants it and the bound of the hour allows."""
    await _post_some(state, (*_proven(state), *_converted(state), *_answered(state)))


async def post_milestones(state: BatchState, grown: Sequence[GrownCascade]) -> None:
    """As ``post``, the milestones that the cascades ``grown`` passed."""
    await _post_some(state, tuple(_milestones(state, grown)))


async def _post_some(state: BatchState, events: Sequence[_Found]) -> None:
    known = state.shared.subscriptions
    chosen, sent, withheld = list[_Found](), Counter[Bound](), Counter[tuple[int, Kind]]()
    for found in events:
        rooms = known.room(found.site.site_id, found.kind, found.network)
        if all(sent[bound] < room for bound, room in rooms.items()):
            sent.update(rooms.keys())
            chosen.append(found)
        else:
            withheld[found.site.site_id, found.kind] += 1
    if chosen:
        await _post(state, chosen)
    if sent or withheld:
        state.transaction.when_committed(partial(known.posted, sent, withheld))


async def _post(state: BatchState, chosen: Sequence[_Found]) -> None:
    known, webhooks = state.shared.subscriptions, state.transaction.webhooks
    facts = Facts(
        *await webhooks.facts(
            sorted({(each.site.site_id, each.page_id) for each in chosen if each.page_id is not None}),
            sorted({(each.site.site_id, each.root_id) for each in chosen if each.root_id is not None}),
        )
    )
    now = known.clock()
    await webhooks.post(
        [
            (each.message or known.new_message(), event_of(each.site.site_id, each.kind[0], now, each.data(facts)))
            for each in chosen
        ]
    )


def _proven(state: BatchState) -> Iterator[_Found]:
    """Yields the shares that this batch proves."""
    known = state.shared.subscriptions
    wanting = known.wanting(SHARE_PROVEN)
    for share in state.share_rows if wanting else ():
        if share.proven_at is None or share.site_id not in wanting:
            continue
        site, sharer = known.find_site(share.site_id), state.stored[share.site_id, share.visit_id]
        if site is not None:
            before = state.shares.get(share.key)
            yield _Found(
                site=site,
                kind=(SHARE_PROVEN, sharer.source == _LINK),
                data=partial(Facts.share_proven, site=site, share=share, before=before, sharer=sharer),
                page_id=shared_page(share, before, sharer),
                root_id=sharer.root,
                network=sharer.network,
            )


def _converted(state: BatchState) -> Iterator[_Found]:
    """Yields the conversions that are new, of visits that count."""
    known = state.shared.subscriptions
    wanting = known.wanting(CONVERSION_CREATED)
    for _, row in sorted(state.conversion_rows.items()) if wanting else ():
        if row.site_id not in wanting:
            continue
        site, visit = known.find_site(row.site_id), state.stored[row.site_id, row.visit_id]
        if site is not None and visit.verdict is None:
            replaces = (row.site_id, row.event_key) in state.conversion_guards
            yield _Found(
                site=site,
                kind=(CONVERSION_CREATED, row.said_by == "key"),
                data=partial(Facts.conversion_created, site=site, row=row, visit=visit, replaces=replaces),
                page_id=visit.page_id,
                root_id=visit.root,
                network=visit.network,
            )


def _answered(state: BatchState) -> Iterator[_Found]:
    """Yields the answers that are new, also those without a visit."""
    known = state.shared.subscriptions
    wanting = known.wanting(ANSWER_CREATED)
    for index, event in state.of(Answer) if wanting else ():
        site = known.find_site(event.site_id)
        if event.site_id not in wanting or not _is_new(state, index) or site is None:
            continue
        key = state.shared.nonces.guard_key("answer", event.site_id, event.nonce)
        row, visit = answers.row_of(event, key), state.visit_of(event)
        if visit is None or visit.verdict is None:
            yield _Found(
                site=site,
                kind=(ANSWER_CREATED, row.reported_by == _KEY),
                data=partial(Facts.answer_created, site=site, row=row, visit=visit),
                page_id=None if visit is None else visit.page_id,
                root_id=None if visit is None else visit.root,
                network=event.network,
            )


def _milestones(state: BatchState, grown: Sequence[GrownCascade]) -> Iterator[_Found]:
    """Yields the milestones that cascades passed."""
    known = state.shared.subscriptions
    wanting, now = known.wanting(CASCADE_MILESTONE), known.clock()
    for cascade in grown if wanting else ():
        milestone = milestone_passed(cascade.size - cascade.growth, cascade.size)
        site = known.find_site(cascade.site_id)
        if cascade.site_id in wanting and milestone is not None and site is not None:
            yield _Found(
                site=site,
                kind=(CASCADE_MILESTONE, False),
                data=partial(Facts.cascade_milestone, site=site, cascade=cascade, milestone=milestone, at=now),
                page_id=cascade.page_id,
                root_id=cascade.root_id,
                message=message_id(cascade.site_id, cascade.root_id, milestone),
            )


def _is_new(state: BatchState, index: int) -> bool:
    outcome = state.outcomes[index]
    return isinstance(outcome, Stored) and not outcome.duplicate
