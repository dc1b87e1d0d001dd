"""Mentions: pages elsewhere that name a page of the site, reported by a webmention or found in a feed."""

from __future__ import annotations

import hashlib
from typing import Any, Final, NamedTuple

import msgspec

from grapevine.domain import ids
from grapevine.store.query_runner import Runner
from grapevine.store.repositories.repository import Repository
from grapevine.store.repositories.webhooks import Draw, Event, post

WEBMENTION: Final = 1
FEED: Final = 2
KINDS: Final = {"webmention": WEBMENTION, "feed": FEED}
KIND_NAMES: Final = {code: name for name, code in KINDS.items()}

_LAST: Final = 1 << 62
_BEFORE_ALL: Final = -(1 << 63)


class MentionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A mention; times in UTC milliseconds. The schema says what each column means."""

    site_id: int
    page_id: int
    cell: int
    mention_key: int
    kind: int
    feed_id: str | None = None
    source_url: str
    title: str | None = None
    author: str | None = None
    published_at: int | None = None
    at: int
    gone_at: int | None = None


class ExportMention(NamedTuple):
    """A mention as an export reads it: the columns of ``MentionRow``."""

    site_id: int
    page_id: int
    cell: int
    mention_key: int
    kind: int
    feed_id: str | None
    source_url: str
    title: str | None
    author: str | None
    published_at: int | None
    at: int
    gone_at: int | None


def mention_key(site_id: int, source_url: str) -> int:
    """Returns the key of the mentions by a source on a site: a signed 64-bit hash. The same source has one key, whether
    a webmention or a feed names it."""
    digest = hashlib.blake2b(source_url.encode(), digest_size=8, key=site_id.to_bytes(8, "big")).digest()
    return int.from_bytes(digest, "big", signed=True)


def mention_row(
    site_id: int,
    page_id: int,
    kind: int,
    source_url: str,
    at: int,
    *,
    feed_id: str | None = None,
    title: str | None = None,
    author: str | None = None,
    published_at: int | None = None,
) -> MentionRow:
    """Returns the row of a mention that became known at ``at``; ``source_url`` is spelled as ``spelled_url`` does."""
    return MentionRow(
        site_id=site_id,
        page_id=page_id,
        cell=ids.hashed_cell(page_id),
        mention_key=mention_key(site_id, source_url),
        kind=kind,
        feed_id=feed_id,
        source_url=source_url,
        title=title,
        author=author,
        published_at=published_at,
        at=at,
    )


async def add_mention(change: Runner, mention: MentionRow, event: Event, draw: Draw) -> bool:
    """Stores a mention in the transaction ``change``. Returns whether it is new.

    Where it is, ``event`` goes to the webhooks that want it; else what its source says now is stored, and it is not
    gone any more.
    """
    if await change.run("insert_mention", **msgspec.structs.asdict(mention)):
        await post(change, event, draw)
        return True
    await change.run(
        "refresh_mention",
        site_id=mention.site_id,
        page_id=mention.page_id,
        cell=mention.cell,
        mention_key=mention.mention_key,
        title=mention.title,
        author=mention.author,
        published_at=mention.published_at,
    )
    return False


class MentionRepository(Repository):
    """The queries of ``mentions.sql``."""

    async def add(self, mention: MentionRow, event: Event, draw: Draw) -> bool:
        """Stores a mention with its event, both or neither; as ``add_mention``."""
        async with self._transaction() as change:
            return await add_mention(change, mention, event, draw)

    async def mentions(
        self,
        site_id: int,
        start: int,
        end: int,
        limit: int,
        *,
        page_id: int | None = None,
        kind: int | None = None,
        gone: bool | None = None,
        before: int = _LAST,
        after_page: int = _BEFORE_ALL,
        after_key: int = _BEFORE_ALL,
    ) -> list[MentionRow]:
        """Returns up to ``limit`` mentions that became known from ``start`` to before ``end``, the newest first; of one
        page, of a kind, and those that are gone or not, if given.

        They begin behind (``after_page``, ``after_key``) of those that became known at ``before``; older ones follow.
        """
        scope: dict[str, Any] = {
            "site_id": site_id,
            "start": start,
            "end": end,
            "limit": limit,
            "kind": kind,
            "gone": None if gone is None else int(gone),
            "before": before,
            "after_key": after_key,
        }
        if page_id is None:
            rows = await self._read("mentions_of_site", **scope, after_page=after_page)
        else:
            rows = await self._read("mentions_of_page", **scope, page_id=page_id, cell=ids.hashed_cell(page_id))
        return [MentionRow(**dict(zip(MentionRow.__struct_fields__, row, strict=True))) for row in rows]
