"""The feeds of a site: list, add, rename and remove them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from grapevine.config.settings import Settings
from grapevine.domain.periods import rfc3339
from grapevine.domain.printable import is_legible, name_text
from grapevine.domain.urls import UrlError, spelled_url
from grapevine.egress.policy import EgressPolicy, EgressRefused
from grapevine.errors import Invalid, NotFound
from grapevine.mentions.feeds.schemas import MOST_NAME, FeedChanges, FeedView, NewFeed
from grapevine.store.repositories.feeds import FeedKnown, FeedRepository, FeedRow, TooManyFeeds
from grapevine.store.rows import KeptAnswer
from grapevine.webhooks.signing import Random, new_id

MOST_FEEDS: Final = 20
"""Feeds of one site."""


def feed_egress(settings: Settings) -> EgressPolicy:
    """Returns where feeds may be read: public addresses, over HTTP as well, and the networks of
    ``GRAPEVINE_MENTION_NETWORKS``."""
    remedy = "; GRAPEVINE_MENTION_NETWORKS can allow it"
    return EgressPolicy(settings.mention_networks, plain_http=True, remedy=remedy)


async def list_feeds(feeds: FeedRepository, site_id: int) -> list[FeedView]:
    """Returns a site's feeds, the oldest first."""
    return [_feed(row) for row in await feeds.feeds(site_id)]


async def get(feeds: FeedRepository, site_id: int, feed_id: str) -> FeedView:
    """Returns one feed. Raises NotFound."""
    row = await feeds.feed(site_id, feed_id)
    if row is None:
        raise _unknown(feed_id)
    return _feed(row)


async def add(
    feeds: FeedRepository,
    egress: EgressPolicy,
    site_id: int,
    wanted: NewFeed,
    now: int,
    random: Random,
    answer: Callable[[FeedView], KeptAnswer | None] = lambda _: None,
) -> FeedView:
    """Adds a feed, which is read within a minute. ``answer`` makes what is kept for a repeat of the request.

    Raises Invalid, AlreadyAnswered.
    """
    url = _checked(egress, wanted.url)
    name = _name(wanted.name) if wanted.name else url.partition("://")[2].partition("/")[0][:MOST_NAME]
    row = FeedRow(feed_id=new_id("feed", random), site_id=site_id, url=url, name=name, created_at=now, next_at=now)
    added = _feed(row)
    try:
        await feeds.add(row, MOST_FEEDS, answer(added))
    except TooManyFeeds:
        raise Invalid.of("url", f"would be one more than the {MOST_FEEDS} feeds that a site can have") from None
    except FeedKnown as error:
        raise Invalid.of("url", f"is the address of a feed of this site already: {error}") from None
    return added


async def rename(feeds: FeedRepository, site_id: int, feed_id: str, changes: FeedChanges) -> FeedView:
    """Gives a feed another name. Raises Invalid, NotFound."""
    if not await feeds.rename(site_id, feed_id, _name(changes.name)):
        raise _unknown(feed_id)
    return await get(feeds, site_id, feed_id)


async def remove(feeds: FeedRepository, site_id: int, feed_id: str) -> None:
    """Removes a feed; the mentions that it brought stay. Raises NotFound."""
    if not await feeds.remove(site_id, feed_id):
        raise _unknown(feed_id)


def _checked(egress: EgressPolicy, url: str) -> str:
    try:
        egress.check(url.strip())
        return spelled_url(url.strip())
    except (EgressRefused, UrlError) as error:
        raise Invalid.of("url", str(error)) from None


def _name(name: str) -> str:
    name = name_text(name)
    if not name or not is_legible(name):
        raise Invalid.of("name", "must be text that can be read: no control or invisible characters, and not empty")
    return name


def _unknown(feed_id: str) -> NotFound:
    return NotFound(f"This site has no feed {feed_id[:60]!r}.")


def _feed(row: FeedRow) -> FeedView:
    return FeedView(
        id=row.feed_id,
        url=row.url,
        name=row.name,
        created_at=rfc3339(row.created_at),
        checked_at=None if row.checked_at is None else rfc3339(row.checked_at),
        next_at=rfc3339(row.next_at),
        failures=row.failures,
        error=row.error,
    )
