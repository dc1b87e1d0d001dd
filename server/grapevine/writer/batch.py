"""One batch on its way into the store, as a list of steps.

Everything that depends on other rows is decided in these steps and nowhere else: a visit's id, root, depth and parent,
whether a return is a self-return, whether a share is seen, reported or proven for the first time. Each step is
set-based, and only what a step really changed is counted; so a repeated event changes nothing.
"""

from __future__ import annotations

from typing import Final

from grapevine.domain.events import Answer, Click, Conversion, OptedOutVisit, Outcome, Unfurl, View
from grapevine.writer import (
    announcements,
    answers,
    click_ids,
    clicks,
    conversions,
    names,
    opted_out,
    pages,
    share_urls,
    shares,
    unfurls,
    views,
    visits,
    webhook_events,
)
from grapevine.writer.state import BatchState

_BY_KIND: Final = (
    (View, views.record),
    (Unfurl, unfurls.record),
    (Click, clicks.record),
    (OptedOutVisit, opted_out.record),
    (Conversion, conversions.record),
    (Answer, answers.record),
)


async def record(state: BatchState) -> list[Outcome]:
    """Stores all events of a batch and returns their outcomes, by index.

    The order matters in four places: locks come first, pages before the visits on them, visits before what is counted
    of them, and the counts last.
    """
    if state.of(Conversion):
        # A conversion may replace one of another visit, which has to be locked with all others.
        await conversions.load_guards(state)
    # Locks the visits that events name, and their cascades, until the transaction ends. All later steps decide by these
    # rows, and a writer that took its locks in another order could wait for this one in a circle.
    await visits.load_named(state)
    # A visit's row holds its page and its app, and bounds decide whether these are themselves or `(other)`.
    await pages.choose(state)
    await names.choose(state)
    # A visit's row holds its source, which a click id decides at its first sight.
    await click_ids.judge(state)
    # One round trip inserts pages and visits and reads the shares that the batch touches.
    await visits.insert(state)
    # From here on `state.visits` holds the new visits alone: a repeated arrival is counted nowhere.
    if state.visits or state.given_back:
        await visits.count(state)
        await visits.note_suspects(state)
    # These only need the visits named above, which earlier batches stored; their order does not matter.
    for kind, record_kind in _BY_KIND:
        if state.of(kind):
            await record_kind(state)
    # Needs the stored shares: one that was reported before keeps what it has.
    await share_urls.choose(state)
    # Needs the new visits, which open and prove shares, and changes the counts.
    shares.change(state)
    if state.shared.announcer.watched:
        await announcements.announce(state)
    if state.shared.subscriptions.any_wanted:
        await webhook_events.post(state)
    # Last, since other writers may wait for these rows: their locks are held for one round trip before the commit, or
    # for three where a cascade has passed a milestone, which is known from here on.
    grown = await state.deltas.write(state.transaction, state.share_rows, state.drops)
    if grown and state.shared.subscriptions.any_wanted:
        await webhook_events.post_milestones(state, grown)
    if state.retried_erased:
        await pages.delete_retried(state)
    return state.outcomes
