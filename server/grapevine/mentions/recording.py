"""How a mention is stored: its row, and the event that webhooks get of a new one."""

from __future__ import annotations

from collections.abc import Callable

from grapevine.domain.periods import rfc3339
from grapevine.mentions.pages import KnownPage
from grapevine.sites.cache import Site
from grapevine.store.repositories.mentions import KIND_NAMES, MentionRow
from grapevine.store.repositories.webhooks import Draw, Event
from grapevine.webhooks.payloads import MentionCreated
from grapevine.webhooks.signing import Random, event, new_id

MENTION_CREATED = "mention.created"


def mention_event(site: Site, page: KnownPage, mention: MentionRow, now: int) -> Event:
    """Returns the event of a mention that became known."""
    data = MentionCreated(
        site=site.key,
        page=page.url,
        kind=KIND_NAMES[mention.kind],
        source=mention.source_url,
        title=mention.title,
        author=mention.author,
        published_at=None if mention.published_at is None else rfc3339(mention.published_at),
        at=rfc3339(mention.at),
    )
    return event(site.site_id, MENTION_CREATED, now, data)


def message_ids(random: Random) -> Draw:
    """Returns what draws the ids of events."""
    draw: Callable[[], str] = lambda: new_id("msg", random)  # noqa: E731
    return draw
