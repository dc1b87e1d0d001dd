"""The mentions of a site's pages elsewhere that became known in a period."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec

from grapevine.analytics.mention_effects import MOST_JUDGED, effects
from grapevine.analytics.models.mention_effect import Effect
from grapevine.analytics.pages import named_page
from grapevine.domain import cursors
from grapevine.domain.periods import Period, rfc3339
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.store.repositories.mentions import KIND_NAMES, KINDS, MentionRow

MOST_MENTIONS: Final = 1_000

Kind = Literal["webmention", "feed"]


class MentionView(msgspec.Struct, frozen=True, kw_only=True):
    """A page elsewhere that mentions a page of the site. Its address, title and author are texts of strangers."""

    source: Annotated[str, msgspec.Meta(examples=["https://blog.example.org/2026/on-bread"])]
    """The address of the page that mentions it."""
    page: Annotated[str, msgspec.Meta(examples=["https://www.example.com/bread"])]
    """The URL of the page that is mentioned; empty when it is not known any more."""
    kind: Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*KINDS]})]
    """How it became known: by a `webmention`, or in a `feed`."""
    feed: str | None
    """The id of the feed in which it was found."""
    title: str | None
    """The title of the source, as plain text; null where it has none, and when it is gone."""
    author: str | None
    """Who wrote it, as the source says; null where it does not, and when it is gone."""
    published_at: str | None
    """When it was published, as its feed says."""
    at: str
    """When it became known."""
    gone_at: str | None
    """When the source was gone, or did not link to the page any more."""
    effect: Effect | None
    """How often the page was shared in the two days (UTC) after that of the mention, against its own past. Null until
    they are over, where the page is known for less than three weeks or hardly shared, and in calls with a `limit` above
    100."""


class ListedMentions(NamedTuple):
    """Some mentions; ``next`` is the cursor of older ones, None after the oldest."""

    mentions: list[MentionView]
    next: str | None


class _Position(NamedTuple):
    """Behind which mention a page begins."""

    at: cursors.Number
    page_id: cursors.Number
    mention_key: cursors.Number


async def list_mentions(
    store: Store,
    site: Site,
    period: Period,
    now: int,
    limit: int = 100,
    *,
    page: str | None = None,
    kind: str | None = None,
    gone: bool | None = None,
    cursor: str | None = None,
) -> ListedMentions:
    """The mentions that became known in ``period``, the newest first, ``limit`` (1…1000) at a time; with ``page`` those
    of that page alone, with ``kind`` and ``gone`` those of that kind, and those that are gone or not. ``now`` in
    UTC milliseconds.

    Raises Invalid for a limit outside its bounds, or a cursor of another list.
    """
    cursors.check_limit(limit, MOST_MENTIONS)
    asked = cursors.question("mentions", site.key, page, kind, gone)
    behind: dict[str, Any] = {}
    if cursor is not None:
        position = cursors.read(cursor, asked, _Position)
        behind = {"before": position.at, "after_page": position.page_id, "after_key": position.mention_key}
    wanted = None if page is None else await named_page(store.reads, site, page)
    code = None if kind is None else KINDS[kind]
    found = await store.mentions.mentions(
        site.site_id, period.start, period.end, limit + 1, page_id=wanted, kind=code, gone=gone, **behind
    )
    rows = found[:limit]
    following = None
    if len(found) > limit:
        following = cursors.written(asked, _Position(rows[-1].at, rows[-1].page_id, rows[-1].mention_key))
    return ListedMentions(await _views(store, site, rows, now if limit <= MOST_JUDGED else 0), following)


async def _views(store: Store, site: Site, rows: Sequence[MentionRow], now: int) -> list[MentionView]:
    known = await store.reads.pages.urls(site.site_id, [row.page_id for row in rows])
    judged = await effects(store, site, rows, now)
    return [
        MentionView(
            source=row.source_url,
            page=known.get(row.page_id, ""),
            kind=KIND_NAMES[row.kind],
            feed=row.feed_id,
            title=row.title,
            author=row.author,
            published_at=None if row.published_at is None else rfc3339(row.published_at),
            at=rfc3339(row.at),
            gone_at=None if row.gone_at is None else rfc3339(row.gone_at),
            effect=effect,
        )
        for row, effect in zip(rows, judged, strict=True)
    ]
