"""The job that reads feeds: those that are due, one at a time of each host, in one of several processes.

A feed is claimed, read, and settled at last. A process that is killed in between leaves it due again when its claim
expires, and what it had stored is found there: nothing is lost, and nothing stored twice.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

from msgspec.structs import replace

from grapevine import __version__, http_client
from grapevine.background.job_lease import JobLease
from grapevine.background.leases import Leases
from grapevine.background.periodic import log_failures, repeated
from grapevine.domain.ids import DAY_MS
from grapevine.domain.periods import Clock
from grapevine.egress.bounded_fetch import FetchBounds, FetchedText, Fetcher, FetchFailed
from grapevine.egress.host_lookup import HostLookup, resolve_host
from grapevine.egress.hosts import host_of
from grapevine.egress.policy import EgressPolicy
from grapevine.mentions.feeds.matching import Named, named_by
from grapevine.mentions.feeds.reader import FeedUnreadable, read_feed
from grapevine.mentions.pages import KnownPage, known_pages
from grapevine.mentions.recording import mention_event, message_ids
from grapevine.sites.cache import Site, SiteCache
from grapevine.store.base import Store
from grapevine.store.repositories.feeds import FeedRow
from grapevine.store.repositories.mentions import FEED, MentionRow, mention_row
from grapevine.telemetry.job_runs import JobRuns
from grapevine.webhooks.signing import Random

log = logging.getLogger(__name__)

POLL_MS: Final = 15 * 60_000
"""How often a feed is read."""
LONGEST_WAIT_MS: Final = DAY_MS
"""How long a feed that fails waits at most, or one whose server asks for a pause."""
EVERY_SECONDS: Final = 60.0
BOUNDS: Final = FetchBounds(most_bytes=1 << 20, seconds=10.0, redirects=3)
CLAIM_MS: Final = 120_000
MOST_A_DAY: Final = 500
"""New mentions that the feeds of one site bring in 24 hours; further entries wait in their feeds."""
MOST_OF_FEED: Final = MOST_A_DAY // 5
"""Of these, how many one feed brings: a noisy one leaves room for the others."""
_DUE_AT_ONCE: Final = 200
_HOSTS_AT_ONCE: Final = 4
_MOST_ERROR: Final = 200
_MOST_VALIDATOR: Final = 500
_ACCEPT: Final = "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"
_JOB: Final = "feeds"


class FeedPolling:
    """Reads the feeds of all sites. ``on_event`` is called when an event was put into the outbox; ``random`` draws the
    ids of events, ``jitter`` from 0 to 1; ``tls`` is None for the usual certificates."""

    def __init__(
        self,
        store: Store,
        sites: SiteCache,
        clock: Clock,
        leases: Leases,
        egress: EgressPolicy,
        random: Random,
        jitter: Callable[[], float],
        on_event: Callable[[], None],
        *,
        lookup: HostLookup = resolve_host,
        tls: ssl.SSLContext | None = None,
        bounds: FetchBounds = BOUNDS,
    ) -> None:
        self._store = store
        self._sites = sites
        self._clock = clock
        self._lease = JobLease(leases, _JOB, clock, needed=store.shared)
        self._egress = egress
        self._draw = message_ids(random)
        self._jitter = jitter
        self._on_event = on_event
        self._lookup = lookup
        self._tls = tls
        self._bounds = bounds
        self._storing = asyncio.Lock()

    @asynccontextmanager
    async def running(self, jobs: JobRuns) -> AsyncIterator[None]:
        """Runs the job every minute as long as the block runs."""
        async with repeated(_JOB, EVERY_SECONDS, jobs.timed(_JOB, self.poll)):
            yield

    async def poll(self) -> int:
        """Reads all feeds that are due, unless another process does. Returns how many were read."""
        due = await self._store.feeds.due(self._clock(), _DUE_AT_ONCE)
        if not due or not await self._lease.holds():
            return 0
        client = await http_client.make_pinned_client(seconds=self._bounds.seconds, tls=self._tls)
        agent = f"Grapevine/{__version__} (reads feeds that an administrator named)"
        fetcher = Fetcher(client, self._egress, self._bounds, agent, lookup=self._lookup)
        turns = asyncio.Semaphore(_HOSTS_AT_ONCE)

        async def read_host(feeds: list[FeedRow]) -> int:
            read = 0
            async with turns:
                for feed in feeds:
                    if await self._lease.holds() and await self._store.feeds.claim(feed, self._clock() + CLAIM_MS):
                        await log_failures("a feed", self.read(fetcher, feed))
                        read += 1
            return read

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(read_host(feeds)) for feeds in _by_host(due)]
        finally:
            await client.aclose()
            await self._lease.release()
        return sum(task.result() for task in tasks)

    async def read(self, fetcher: Fetcher, feed: FeedRow) -> None:
        """Reads a claimed feed, stores what it mentions, and settles it."""
        site = await self._sites.by_id(feed.site_id)
        if site is None:  # it is being deleted, and its feeds with it
            return
        asked = {"if-none-match": feed.etag, "if-modified-since": feed.last_modified}
        try:
            answer = await fetcher.get(feed.url, accept=_ACCEPT, headers={k: v for k, v in asked.items() if v})
        except FetchFailed as error:
            await self._failed(feed, str(error))
            return
        if answer.status == HTTPStatus.NOT_MODIFIED:
            await self._settle(feed, failures=0, error=feed.error if feed.failures == 0 else None)
        elif answer.status != HTTPStatus.OK:
            await self._failed(feed, f"its server answered {answer.status}", answer.retry_after * 1000)
        else:
            await self._take(site, feed, answer)

    async def _take(self, site: Site, feed: FeedRow, answer: FetchedText) -> None:
        try:
            named, fault = await asyncio.to_thread(_read, answer, site.origins)
        except FeedUnreadable as error:
            await self._failed(feed, f"what it answered {error}")
            return
        async with self._storing:  # one at a time: each counts what the others brought
            held = await self._store_mentions(site, feed, named)
        is_whole = held is None
        if held is not None:
            fault = held
        await self._settle(
            feed,
            failures=0,
            error=fault,
            # Without them the next reading gets everything again, and with it what was left out.
            etag=_validator(answer, "etag") if is_whole else None,
            last_modified=_validator(answer, "last-modified") if is_whole else None,
        )

    async def _store_mentions(self, site: Site, feed: FeedRow, named: list[Named]) -> str | None:
        """Stores what entries mention, oldest entries first. Returns how many wait, and why, where a bound of 24 hours
        left some out."""
        pages = await known_pages(self._store.reads, site, (url for each in named for url in each.urls))
        now = self._clock()
        found: dict[tuple[int, int], tuple[KnownPage, MentionRow]] = {}
        for each in reversed(named):
            for page in dict.fromkeys(pages[url] for url in each.urls if url in pages):
                row = mention_row(
                    site.site_id,
                    page.page_id,
                    FEED,
                    each.source,
                    now,
                    feed_id=feed.feed_id,
                    title=each.title,
                    author=each.author,
                    published_at=None if (each.published_at or now) > now else each.published_at,
                )
                found[row.page_id, row.mention_key] = (page, row)
        stored = await self._store.feeds.stored(site.site_id, (row for _, row in found.values()))
        of_site, of_feed = await self._store.feeds.mentions_since(site.site_id, feed.feed_id, now - DAY_MS)
        room = min(MOST_A_DAY - of_site, MOST_OF_FEED - of_feed)
        held = 0
        for key, (page, row) in found.items():
            known = stored.get(key)
            if known is None:
                if room <= 0:
                    held += 1
                    continue
                room -= 1
            elif known.kind != FEED or (known.title, known.author) == (row.title, row.author):
                continue
            if await self._store.mentions.add(row, mention_event(site, page, row, now), self._draw):
                self._on_event()
        if not held:
            return None
        is_noisy = MOST_OF_FEED - of_feed <= MOST_A_DAY - of_site
        most = f"it brought {MOST_OF_FEED}" if is_noisy else f"its site has {MOST_A_DAY}"
        return f"{most} new mentions{'' if is_noisy else ' from feeds'} in 24 hours, which is the most; {held} wait"

    async def _failed(self, feed: FeedRow, error: str, retry_after: int = 0) -> None:
        log.info("feed %s of site %d was not read: %s", feed.feed_id, feed.site_id, error)
        wait = max(POLL_MS << min(feed.failures, 10), retry_after)
        await self._settle(feed, failures=feed.failures + 1, error=error, wait=min(wait, LONGEST_WAIT_MS))

    async def _settle(
        self,
        feed: FeedRow,
        *,
        failures: int,
        error: str | None,
        wait: int = POLL_MS,
        **validators: str | None,
    ) -> None:
        now = self._clock()
        await self._store.feeds.settle(
            replace(
                feed,
                checked_at=now,
                next_at=now + wait + round(self._jitter() * wait / 15),
                failures=failures,
                error=None if error is None else error[:_MOST_ERROR],
                **validators,
            )
        )


def _read(answer: FetchedText, origins: frozenset[str]) -> tuple[list[Named], str | None]:
    """Reads a feed and matches its entries; in a thread. Raises FeedUnreadable."""
    feed = read_feed(answer.body, answer.url, answer.header("content-type"))
    named = [found for entry in feed.entries if (found := named_by(entry, origins)) is not None]
    fault = None if feed.fault is None else f"it {feed.fault}; what stands before was read"
    if answer.is_cut:
        fault = f"it is longer than {BOUNDS.most_bytes >> 20} MiB; its beginning was read"
    return named, fault


def _validator(answer: FetchedText, name: str) -> str | None:
    """Returns what the next request says of the version that is known; None where nothing usable was said."""
    value = answer.header(name)
    return value if 0 < len(value) <= _MOST_VALIDATOR and value.isascii() and value.isprintable() else None


def _by_host(feeds: Iterable[FeedRow]) -> list[list[FeedRow]]:
    found: dict[str, list[FeedRow]] = {}
    for feed in feeds:
        found.setdefault(host_of(feed.url), []).append(feed)
    return list(found.values())
