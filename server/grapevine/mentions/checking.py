"""Reads the sources of webmentions, and stores what comes of it.

Every process polls; the process that claims a webmention reads its source. A claim expires a while after the attempt
must have ended, so another process reads what a killed one was reading, and what it stores is there once: a mention and
the end of its claim are one transaction.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from functools import partial
from ipaddress import ip_address
from typing import Final, NamedTuple

from grapevine import http_client
from grapevine.background.periodic import log_failures
from grapevine.background.task import background_task
from grapevine.config.logging import Seldom
from grapevine.domain import ids
from grapevine.domain.periods import Clock
from grapevine.domain.urls import origin_of
from grapevine.egress.bounded_fetch import FetchedText, Fetcher, FetchFailed
from grapevine.egress.host_lookup import BoundedLookup, HostLookup
from grapevine.egress.policy import EgressPolicy
from grapevine.egress.special_addresses import same_host
from grapevine.errors import GrapevineError
from grapevine.mentions.bounds import (
    ACCEPT,
    ADDRESS_MS,
    FAILING,
    HOST_MS,
    LAST_RETRIES_MS,
    LOOK_AGAIN_MS,
    LOOKUPS_AT_ONCE,
    MOST_A_DAY,
    RETRY_MS,
    SOURCE,
    USER_AGENT,
)
from grapevine.mentions.pages import KnownPage, ids_of_page, known_page, shows_page
from grapevine.mentions.recording import mention_event, message_ids
from grapevine.mentions.source_page import SourceFacts, read_source
from grapevine.sites.cache import Site, SiteCache
from grapevine.store.base import Store
from grapevine.store.repositories.mentions import WEBMENTION, MentionRow, mention_row
from grapevine.store.repositories.webmentions import HostTurn, WebmentionRow
from grapevine.telemetry.job_runs import JobRuns
from grapevine.webhooks.signing import Random

log = logging.getLogger(__name__)
log.addFilter(Seldom())

CLAIM_MS: Final = 60_000
"""Longer than an attempt takes, its parts in the store included."""
MOST_AT_ONCE: Final = 8
POLL_SECONDS: Final = 5.0
_JOB: Final = "webmentions"
_DUE_AT_ONCE: Final = 64
_CLEANUP_MS: Final = 600_000
_MOST_RETRY_AFTER_MS: Final = ids.DAY_MS
_GONE: Final = (404, 410)
_FOR_NOW: Final = (408, 425, 429)


class Result(StrEnum):
    """What an attempt comes to."""

    NEW = "new"  # it links, and that was not known
    SEEN = "seen"  # it links, as before
    NOT_LINKED = "not-linked"
    GONE = "gone"  # 404 or 410, or not to be read for weeks
    REFUSED = "refused"  # it cannot be read and never will (private address, status), or ends at an own page
    FAILED = "failed"  # it cannot be read for now
    GIVEN_UP = "given-up"
    PUT_OFF = "put-off"  # one of its hosts was asked a moment ago, or the site has had enough for a day


class _HostBusy(GrapevineError):
    """A host, or its address, was asked a moment ago; its next turn is at ``until`` (UTC milliseconds)."""

    def __init__(self, until: int) -> None:
        super().__init__("a host was asked a moment ago")
        self.until = until


class _Outcome(NamedTuple):
    """What an attempt found: what the source says, or why it says nothing. ``until`` is when it may be tried again;
    ``was_asked`` is false where no host was asked, not even its own."""

    result: Result
    facts: SourceFacts = SourceFacts(links=False)
    until: int = 0
    was_asked: bool = True


class WebmentionReader:
    """Reads sources for one process. ``notify`` is called when an event was put into the outbox of webhooks; ``tls`` is
    None for the usual certificates. No page of ``own_origins``, those of this server, mentions anything."""

    def __init__(
        self,
        store: Store,
        sites: SiteCache,
        egress: EgressPolicy,
        clock: Clock,
        random: Random,
        *,
        on_event: Callable[[], None],
        own_origins: Collection[str] = (),
        lookup: HostLookup | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._store = store
        self._sites = sites
        self._egress = egress
        self._clock = clock
        self._draw = message_ids(random)
        self._on_event = on_event
        self._own_origins = own_origins
        self._lookup = lookup or BoundedLookup(LOOKUPS_AT_ONCE)
        self._judging = asyncio.Lock()
        self._tls = tls
        self._notified = asyncio.Event()
        self._in_flight = 0
        self._client: http_client.AsyncClient | None = None
        self._cleaned_at = 0
        self.results = Counter({result.value: 0 for result in Result})

    def notify(self) -> None:
        """Called when a webmention was accepted: polls now."""
        self._notified.set()

    @asynccontextmanager
    async def running(self, jobs: JobRuns) -> AsyncIterator[None]:
        """Reads sources as long as the block runs."""
        try:
            async with background_task(self._poll_for_ever(jobs), _JOB):
                yield
        finally:
            await self._close_client()

    async def read_due(self) -> int:
        """Reads sources that are due now, as many as may be read at once. Returns the number of attempts after all of
        them have ended."""
        try:
            async with asyncio.TaskGroup() as group:
                return await self._start_due(group)
        finally:
            await self._close_client()

    async def _poll_for_ever(self, jobs: JobRuns) -> None:
        async with asyncio.TaskGroup() as group:
            poll = jobs.timed(_JOB, partial(self._poll, group))
            while True:
                self._notified.clear()
                await log_failures(_JOB, poll())
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._notified.wait()

    async def _poll(self, group: asyncio.TaskGroup) -> None:
        now = self._clock()
        if abs(now - self._cleaned_at) >= _CLEANUP_MS:
            self._cleaned_at = now
            await self._store.webmentions.forget_hosts(now - HOST_MS)
        if not await self._start_due(group) and not self._in_flight:
            await self._close_client()  # a server that gets none keeps nothing

    async def _start_due(self, group: asyncio.TaskGroup) -> int:
        started = 0
        for due in await self._store.webmentions.due(self._clock(), _DUE_AT_ONCE):
            if self._in_flight >= MOST_AT_ONCE:
                break
            # The client comes before the claim: what takes long must not eat into the time that the claim allows.
            client = await self._opened_client()
            now = self._clock()
            turn = HostTurn(host=due.source_host, now=now, until=now + HOST_MS)
            claimed = await self._store.webmentions.claim(due, now + CLAIM_MS, turn)
            if claimed is not None:
                self._in_flight += 1
                group.create_task(log_failures("a webmention", self._read(client, claimed)))
                started += 1
        return started

    async def _opened_client(self) -> http_client.AsyncClient:
        if self._client is None:
            self._client = await http_client.make_pinned_client(seconds=SOURCE.seconds, tls=self._tls)
        return self._client

    async def _close_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _read(self, client: http_client.AsyncClient, claimed: WebmentionRow) -> None:
        try:
            site = await self._sites.by_id(claimed.site_id)
            page = None if site is None else await known_page(self._store.reads, site, claimed.target_url)
            if site is None or page is None or site.row.webmention != "on":
                await self._store.webmentions.drop(claimed)  # the site changed its mind, or the page went
                self.results[Result.REFUSED] += 1
                return
            outcome = await self._ask(client, claimed, site, page)
            result = await self._settle(claimed, site, page, outcome)
            self.results[result] += 1
        finally:
            self._in_flight -= 1
            if self._in_flight >= MOST_AT_ONCE - 1:
                self.notify()

    async def _ask(
        self, client: http_client.AsyncClient, claimed: WebmentionRow, site: Site, page: KnownPage
    ) -> _Outcome:
        """Reads a source. Raises nothing but what the store raises."""
        fetcher = Fetcher(client, self._egress, SOURCE, USER_AGENT, lookup=self._lookup)
        taken, asked = {claimed.source_host}, False

        async def admit(host: str, address: str) -> None:
            nonlocal asked
            for name, pause in ((host, HOST_MS), (_network(address), ADDRESS_MS)):
                if name not in taken:
                    now = self._clock()
                    busy = await self._store.webmentions.take_turn(HostTurn(host=name, now=now, until=now + pause))
                    if busy:
                        raise _HostBusy(busy)
                    taken.add(name)
            asked = True

        try:
            answer = await fetcher.get(claimed.source_url, accept=ACCEPT, admit=admit)
        except _HostBusy as error:
            return _Outcome(Result.PUT_OFF, until=error.until, was_asked=asked)
        except FetchFailed as error:
            # A host that does not resolve may do so again; what the policy forbids stays forbidden, for a new one.
            return _Outcome(Result.REFUSED if error.reason in ("address", "packed", "redirects") else Result.FAILED)
        if (end := origin_of(answer.url)) in site.origins or end in self._own_origins:
            return _Outcome(Result.REFUSED)
        ids_of_target = await ids_of_page(self._store.reads, site, page)
        async with self._judging:  # one at a time: threads of Python share a processor with all requests
            return await asyncio.to_thread(_judged, answer, site, ids_of_target)

    async def _settle(self, claimed: WebmentionRow, site: Site, page: KnownPage, outcome: _Outcome) -> Result:
        """Stores what an attempt found. Returns what it came to."""
        now, queue = self._clock(), self._store.webmentions
        result, facts, until, was_asked = outcome
        mention = mention_row(
            site.site_id,
            page.page_id,
            WEBMENTION,
            claimed.source_url,
            now,  # when it becomes known, by which a day's bound counts it: a queue of yesterday is no room today
            title=facts.title,
            author=facts.author,
        )
        if result is Result.NEW:
            if not claimed.checks and await self._had_enough(site, now):
                await queue.put_off(claimed, ids.day_start(ids.day_at(now) + 1), claimed.attempts, FAILING)
                return Result.PUT_OFF
            pause = LOOK_AGAIN_MS[min(claimed.checks, len(LOOK_AGAIN_MS) - 1)]
            told = mention_event(site, page, mention, now)
            if not await queue.linked(claimed, now + pause, mention, told, self._draw):
                return Result.SEEN
            self._on_event()
            return Result.NEW
        if result is Result.PUT_OFF:
            if was_asked:
                # A source that led to a host that is busy has had its try: it keeps no place of a new one.
                await queue.put_off(claimed, max(until, now + 1), max(claimed.attempts, 1), FAILING)
            else:
                await queue.put_off_unasked(claimed, max(until, now + 1))
            return result
        if result is Result.REFUSED and not claimed.checks:
            await queue.drop(claimed)
            return result
        if result in (Result.REFUSED, Result.FAILED):
            return await self._retry(claimed, outcome, now) or await self._given_up(claimed, mention, now)
        await queue.ended(claimed, mention, now)
        return result

    async def _had_enough(self, site: Site, now: int) -> bool:
        since = ids.day_start(ids.day_at(now))
        return await self._store.webmentions.known_since(site.site_id, since, WEBMENTION) >= MOST_A_DAY

    async def _retry(self, claimed: WebmentionRow, outcome: _Outcome, now: int) -> Result | None:
        pauses = LAST_RETRIES_MS if claimed.checks else RETRY_MS
        if claimed.attempts >= len(pauses):
            return None
        pause = max(pauses[claimed.attempts], min(outcome.until, _MOST_RETRY_AFTER_MS))
        await self._store.webmentions.put_off(claimed, now + pause, claimed.attempts + 1, FAILING)
        return Result.FAILED

    async def _given_up(self, claimed: WebmentionRow, mention: MentionRow, now: int) -> Result:
        return Result.GONE if await self._store.webmentions.ended(claimed, mention, now) else Result.GIVEN_UP


def _judged(answer: FetchedText, site: Site, target: Collection[int]) -> _Outcome:
    """Returns what an answer says; in a thread, since it reads up to a mebibyte of a stranger's text."""
    if answer.status in _GONE:
        return _Outcome(Result.GONE)
    if answer.status in _FOR_NOW or answer.status >= 500:
        return _Outcome(Result.FAILED, until=answer.retry_after * 1_000)
    if not 200 <= answer.status < 300:
        return _Outcome(Result.REFUSED)
    facts = read_source(answer, lambda url: shows_page(site, url, target))
    if facts is None:
        return _Outcome(Result.NOT_LINKED)
    return _Outcome(Result.NEW if facts.links else Result.NOT_LINKED, facts)


def _network(address: str) -> str:
    """Returns the name of the turns of an address: an IPv6 /64 is one host."""
    found = same_host(ip_address(address))
    return f"[{found}]" if found.version == 4 else f"[{int(found) >> 64:x}]"
