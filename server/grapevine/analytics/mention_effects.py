"""What the test of ``models.mention_effect`` says of mentions: the reading of the counts that it needs.

One look-up by key for each page and day, so the cost grows with the mentions that are asked for and not with visits:
at most 100 mentions and 58 days each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from grapevine.analytics.models.mention_effect import DAYS, NEXT_DAYS, Effect, Span, judge, weekdays
from grapevine.domain import ids
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.store.readers.scope import Scope
from grapevine.store.repositories.mentions import MentionRow

MOST_JUDGED: Final = 100
"""Mentions of one call; more are not judged."""


async def effects(store: Store, site: Site, mentions: Sequence[MentionRow], now: int) -> list[Effect | None]:
    """Returns for each mention what came of the shares of its page; None where its days are not over at ``now`` (UTC
    milliseconds), or too little is known, and for all where there are more than ``MOST_JUDGED``."""
    today = ids.day_at(now)
    days = [_day(each) for each in mentions]
    over = {(each.page_id, day) for each, day in zip(mentions, days, strict=True) if day + NEXT_DAYS < today}
    if not over or len(mentions) > MOST_JUDGED:
        return [None] * len(mentions)
    newest = max(day for _, day in over)
    rhythm = await _rhythm(store, site, newest)
    known = await store.spikes.pages(site.site_id, {page for page, _ in over})
    wanted = {(page, each) for page, day in over if page in known for each in range(day - DAYS, day + NEXT_DAYS + 1)}
    shares = await store.reads.pages.shares_by_day(site.site_id, sorted(wanted))
    judged: dict[tuple[int, int], Effect | None] = {}
    for page, day in over:
        if page in known:
            first = max(day - DAYS, known[page].first_day)
            past = [Span(shares.get((page, each), 0), rhythm[each % 7]) for each in range(first, day)]
            window = range(day + 1, day + 1 + NEXT_DAYS)
            after = Span(sum(shares.get((page, each), 0) for each in window), sum(rhythm[each % 7] for each in window))
            judged[page, day] = _rounded(judge(past, after))
    return [judged.get((each.page_id, day)) for each, day in zip(mentions, days, strict=True)]


def _rounded(effect: Effect | None) -> Effect | None:
    if effect is None:
        return None
    figures = {name: round(getattr(effect, name), 2) for name in ("expected", "ratio", "low", "high")}
    return replace(effect, **figures, p=float(f"{effect.p:.2g}"))


def _day(mention: MentionRow) -> int:
    """The day of a mention: when it was published, as far as that is known, or when it became known."""
    return ids.day_at(min(mention.at, ids.nameable(mention.published_at or mention.at)))


async def _rhythm(store: Store, site: Site, day: int) -> list[float]:
    """How busy each weekday is for the site, by the number of its day modulo seven."""
    first = day - DAYS
    scope = Scope(site.site_id, ids.day_start(first), ids.day_start(day))
    counts = await store.reads.summary.counts("day", scope, "day")
    return weekdays([counts[each].shares if each in counts else 0 for each in range(first, day)], first % 7)
