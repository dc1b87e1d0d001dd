"""Webmentions that wait for their source to be read, now or again in some weeks (``webmentions.sql``).

Any number of processes may ask what is ``due``; which of them reads a source is decided by ``claim``, and so is that no
host is asked too often. What is read is stored with the claim in one transaction: a process that dies loses nothing,
and stores nothing twice.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec

from grapevine.store.query_runner import Runner
from grapevine.store.repositories.mentions import MentionRow, add_mention
from grapevine.store.repositories.repository import Repository
from grapevine.store.repositories.webhooks import Draw, Event

Accepted = Literal["accepted", "repeated", "site-full", "host-full", "server-full"]
"""What becomes of a webmention: it is new, or known and read anew, or one too many of its site, of its source's host or
of this server."""


class QueueBounds(msgspec.Struct, frozen=True, kw_only=True):
    """How many webmentions of a kind may wait: of a site, with sources on one host, and in all."""

    of_site: int
    of_host: int
    of_server: int


class WebmentionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A webmention; times in UTC milliseconds. The schema says what each column means."""

    webmention_id: str
    site_id: int
    source_url: str
    source_host: str
    target_url: str
    received_at: int
    attempts: int = 0
    checks: int = 0
    next_at: int


class HostTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A host whose turn is to be taken at ``now``; the next one is at ``until``."""

    host: str
    now: int
    until: int


def webmention_id(site_id: int, source_url: str, target_url: str) -> str:
    """Returns the id of the webmention with this source and target: a repeat has the same."""
    text = f"{source_url} {target_url}".encode()  # addresses as they are spelled hold no blanks
    return hashlib.blake2b(text, digest_size=16, key=site_id.to_bytes(8, "big")).hexdigest()


class WebmentionRepository(Repository):
    """The queries of ``webmentions.sql``."""

    async def accept(self, row: WebmentionRow, bounds: QueueBounds) -> Accepted:
        """Stores a webmention; one that is stored is to be read anew."""
        async with self._transaction() as change:
            now = row.received_at
            if await change.run("repeat_webmention", webmention_id=row.webmention_id, now=now):
                return "repeated"
            if await _number(change, "new_webmentions", bounds.of_site, site_id=row.site_id) >= bounds.of_site:
                return "site-full"
            if await _number(change, "new_webmentions_of_host", bounds.of_host, host=row.source_host) >= bounds.of_host:
                return "host-full"
            if await _number(change, "new_webmentions", bounds.of_server, site_id=None) >= bounds.of_server:
                return "server-full"
            await change.run(
                "insert_webmention",
                webmention_id=row.webmention_id,
                site_id=row.site_id,
                source_url=row.source_url,
                source_host=row.source_host,
                target_url=row.target_url,
                received_at=now,
            )
            return "accepted"

    async def waiting(self, limit: int) -> int:
        """How many new webmentions wait for their source to be read, counted up to ``limit``."""
        ((number,),) = await self._read("new_webmentions", site_id=None, limit=limit)
        return int(number)

    async def due(self, now: int, limit: int) -> list[WebmentionRow]:
        """Returns the webmentions whose source is to be read at ``now``, the longest due first."""
        rows = await self._read("due_webmentions", now=now, limit=limit)
        return [WebmentionRow(**dict(zip(WebmentionRow.__struct_fields__, row, strict=True))) for row in rows]

    async def claim(self, row: WebmentionRow, until: int, turn: HostTurn) -> WebmentionRow | None:
        """Claims a webmention up to ``until`` together with the ``turn`` of its host. Returns it as it is claimed; None
        where another process has claimed it, or its host was asked a moment ago.

        All others whose host is the same wait for its next turn.
        """
        async with self._transaction() as change:
            if not await change.run("claim_webmention", webmention_id=row.webmention_id, seen=row.next_at, until=until):
                return None
            if await _take_turn(change, turn):
                await change.run("postpone_webmentions", host=turn.host, now=turn.now, until=turn.until)
                return msgspec.structs.replace(row, next_at=until)
            later = await _next_turn(change, turn)
            await _keep(change, row, until, next_at=later)
            await change.run("postpone_webmentions", host=turn.host, now=turn.now, until=later)
            return None

    async def take_turn(self, turn: HostTurn) -> int:
        """Takes the turn of a host. Returns 0, or when its next one is (UTC milliseconds)."""
        async with self._transaction() as change:
            return 0 if await _take_turn(change, turn) else await _next_turn(change, turn)

    async def linked(self, claimed: WebmentionRow, next_at: int, mention: MentionRow, event: Event, draw: Draw) -> bool:
        """Stores that the source of a claimed webmention links to its target, and when it is read again. Returns
        whether the mention is new; its event is stored with it.

        One that was there before and is not any more, because it is past retention, does not come back.
        """
        async with self._transaction() as change:
            checks = claimed.checks + 1
            if not await _keep(change, claimed, claimed.next_at, next_at=next_at, attempts=0, checks=checks):
                return False
            if claimed.checks and not await change.run("mention", **_key(mention)):
                await change.run("drop_webmention", webmention_id=claimed.webmention_id, claimed=next_at)
                return False
            return await add_mention(change, mention, event, draw)

    async def ended(self, claimed: WebmentionRow, mention: MentionRow, at: int) -> bool:
        """Deletes a claimed webmention whose source does not link to its target, and notes that the mention is gone, if
        there is one by a webmention: anybody can send one, and what an admin's feed found is not theirs to end. Returns
        whether there is."""
        async with self._transaction() as change:
            if not await _drop(change, claimed):
                return False
            return bool(await change.run("end_mention", **_key(mention), kind=mention.kind, gone_at=at))

    async def put_off(self, claimed: WebmentionRow, next_at: int, attempts: int, failing: QueueBounds) -> None:
        """Plans another attempt of a claimed webmention. Of those that were tried and never succeeded as many stay as
        ``failing`` says; the oldest beyond them are deleted."""
        async with self._transaction() as change:
            await _keep(change, claimed, claimed.next_at, next_at=next_at, attempts=attempts)
            if claimed.checks or not attempts:
                return
            for site_id, host, most in (
                (None, claimed.source_host, failing.of_host),
                (claimed.site_id, None, failing.of_site),
                (None, None, failing.of_server),
            ):
                await change.run("drop_failing_webmentions", site_id=site_id, host=host, most=most)

    async def put_off_unasked(self, claimed: WebmentionRow, next_at: int) -> None:
        """Plans another attempt of a claimed webmention whose host was not asked: its turn is at ``next_at``, too."""
        async with self._transaction() as change:
            await _keep(change, claimed, claimed.next_at, next_at=next_at)
            await change.run("give_turn_back", host=claimed.source_host, until=next_at)

    async def drop(self, claimed: WebmentionRow) -> None:
        """Deletes a claimed webmention."""
        async with self._transaction() as change:
            await _drop(change, claimed)

    async def known_since(self, site_id: int, since: int, kind: int) -> int:
        """Returns how many mentions of a kind a site got from ``since`` on."""
        ((number, _),) = await self._read("mentions_since", site_id=site_id, since=since, kind=kind, feed_id=None)
        return int(number)

    async def forget_hosts(self, before: int) -> None:
        """Deletes the turns of hosts that were over before ``before``."""
        async with self._transaction() as change:
            await change.run("forget_hosts", before=before)


async def _number(change: Runner, query: str, limit: int, **scope: int | str | None) -> int:
    ((number,),) = await change.run(query, None, **scope, limit=limit)
    return int(number)


async def _take_turn(change: Runner, turn: HostTurn) -> bool:
    return bool(await change.run("claim_host", host=turn.host, now=turn.now, until=turn.until))


async def _next_turn(change: Runner, turn: HostTurn) -> int:
    rows = await change.run("turn_of_host", host=turn.host)
    return max(turn.now + 1, min(turn.until, rows[0][0])) if rows else turn.until


async def _keep(
    change: Runner,
    row: WebmentionRow,
    claimed: int,
    *,
    next_at: int,
    attempts: int | None = None,
    checks: int | None = None,
) -> bool:
    return bool(
        await change.run(
            "keep_webmention",
            webmention_id=row.webmention_id,
            claimed=claimed,
            next_at=next_at,
            attempts=row.attempts if attempts is None else attempts,
            checks=row.checks if checks is None else checks,
        )
    )


async def _drop(change: Runner, claimed: WebmentionRow) -> bool:
    return bool(await change.run("drop_webmention", webmention_id=claimed.webmention_id, claimed=claimed.next_at))


def _key(mention: MentionRow) -> dict[str, Any]:
    return {
        "site_id": mention.site_id,
        "page_id": mention.page_id,
        "cell": mention.cell,
        "mention_key": mention.mention_key,
    }
