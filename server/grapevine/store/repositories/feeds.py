"""Feeds that an admin named for a site. ``due`` may be asked by any number of processes; ``claim`` decides which of
them reads a feed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from grapevine.errors import GrapevineError
from grapevine.store.repositories.kept_answers import keep_answer
from grapevine.store.repositories.mentions import FEED, MentionRow
from grapevine.store.repositories.repository import Repository
from grapevine.store.rows import KeptAnswer


class TooManyFeeds(GrapevineError):
    """A site has as many feeds as it may have."""


class FeedKnown(GrapevineError):
    """A site has a feed with this address; the text is its id."""


class FeedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A feed; times in UTC milliseconds. The schema says what each column means."""

    feed_id: str
    site_id: int
    url: str
    name: str
    created_at: int
    checked_at: int | None = None
    next_at: int
    failures: int = 0
    error: str | None = None
    etag: str | None = None
    last_modified: str | None = None


class StoredMention(NamedTuple):
    """What is stored of a mention that a feed names again."""

    kind: int
    title: str | None
    author: str | None


class FeedRepository(Repository):
    """The queries of ``feeds.sql``."""

    async def feeds(self, site_id: int) -> list[FeedRow]:
        """The feeds of a site, oldest first."""
        return [_feed(row) for row in await self._read("feeds_of_site", site_id=site_id)]

    async def feed(self, site_id: int, feed_id: str) -> FeedRow | None:
        """One feed of a site."""
        rows = await self._read("feed", site_id=site_id, feed_id=feed_id)
        return _feed(rows[0]) if rows else None

    async def add(self, row: FeedRow, most: int, answer: KeptAnswer | None = None) -> None:
        """Adds a feed, whose id must be new, and keeps the ``answer``, if any.

        Raises TooManyFeeds where its site has ``most``, FeedKnown where it has this address; AlreadyAnswered.
        """
        async with self._transaction() as change:
            await keep_answer(change, answer)
            await change.run("lock_additions")
            known = [_feed(each) for each in await change.run("feeds_of_site", site_id=row.site_id)]
            for each in known:
                if each.url == row.url:
                    raise FeedKnown(each.feed_id)
            if len(known) >= most:
                raise TooManyFeeds(f"site {row.site_id} has {len(known)} feeds")
            await change.run(
                "insert_feed",
                feed_id=row.feed_id,
                site_id=row.site_id,
                url=row.url,
                name=row.name,
                created_at=row.created_at,
                next_at=row.next_at,
            )

    async def rename(self, site_id: int, feed_id: str, name: str) -> bool:
        """Gives a feed another name; False when there is no such feed."""
        async with self._transaction() as change:
            return bool(await change.run("rename_feed", site_id=site_id, feed_id=feed_id, name=name))

    async def remove(self, site_id: int, feed_id: str) -> bool:
        """Takes a feed away; False when there is no such feed."""
        async with self._transaction() as change:
            return bool(await change.run("delete_feed", site_id=site_id, feed_id=feed_id))

    async def due(self, now: int, limit: int) -> list[FeedRow]:
        """Returns the feeds that are to be read at ``now``, the longest due first."""
        return [_feed(row) for row in await self._read("due_feeds", now=now, limit=limit)]

    async def claim(self, due: FeedRow, until: int) -> bool:
        """Claims a feed. Unless it is settled it is due again at ``until``."""
        async with self._transaction() as change:
            return bool(await change.run("claim_feed", feed_id=due.feed_id, seen=due.next_at, until=until))

    async def settle(self, row: FeedRow) -> None:
        """Stores how a reading ended: what ``row`` says of the last one and the next. No-op if the feed is gone."""
        async with self._transaction() as change:
            await change.run(
                "settle_feed",
                feed_id=row.feed_id,
                checked_at=row.checked_at,
                next_at=row.next_at,
                failures=row.failures,
                error=row.error,
                etag=row.etag,
                last_modified=row.last_modified,
            )

    async def mentions_since(self, site_id: int, feed_id: str, since: int) -> tuple[int, int]:
        """How many mentions of a site were found in feeds from ``since`` on, and how many of them in this one."""
        ((number, of_feed),) = await self._read(
            "mentions_since", site_id=site_id, since=since, kind=FEED, feed_id=feed_id
        )
        return int(number), int(of_feed)

    async def stored(self, site_id: int, mentions: Iterable[MentionRow]) -> dict[tuple[int, int], StoredMention]:
        """Returns what is stored of those of ``mentions`` that are there, by page and key."""
        wanted = [(each.page_id, each.cell, each.mention_key) for each in mentions]
        if not wanted:
            return {}
        rows = await self._read("mentions_by_sources", wanted, site_id=site_id)
        return {(page, key): StoredMention(kind, title, author) for page, key, kind, title, author in rows}


def _feed(row: tuple[object, ...]) -> FeedRow:
    return msgspec.convert(dict(zip(FeedRow.__struct_fields__, row, strict=True)), FeedRow)
