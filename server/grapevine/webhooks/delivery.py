"""Sends webhook deliveries from the outbox: many endpoints at once, at most a few deliveries at a time to each.

Every process polls the outbox; the process that claims a delivery sends it. A claim expires a while after the attempt
must have ended, so another process sends what a killed one was sending: at least once.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from grapevine import http_client
from grapevine.background.periodic import log_failures
from grapevine.background.task import background_task
from grapevine.config.logging import Seldom
from grapevine.domain.ids import DAY_MS
from grapevine.domain.periods import Clock
from grapevine.egress.host_lookup import HostLookup, resolve_host
from grapevine.egress.policy import PORTS, EgressPolicy, EgressRefused
from grapevine.keyring.encryption import SealError
from grapevine.store.repositories.webhooks import DueRow, WebhookRepository
from grapevine.telemetry.job_runs import JobRuns
from grapevine.webhooks.error_text import error_text
from grapevine.webhooks.retry_schedule import CLAIM_MS, JITTER, LONGEST_RETRY_AFTER_MS, retry_delay
from grapevine.webhooks.sealed_secrets import SecretBox, place_of
from grapevine.webhooks.signing import headers

log = logging.getLogger(__name__)
log.addFilter(Seldom())

ATTEMPT_SECONDS: Final = 20.0
RETENTION_MS: Final = 30 * DAY_MS
"""How long a delivery that succeeded or was given up stays in the list of deliveries."""
MOST_AT_ONCE: Final = 32
MOST_PER_ENDPOINT: Final = 2
POLL_SECONDS: Final = 5.0
PAUSE_MS: Final = 3_600_000
"""An endpoint that has failed for so long without accepting anything is paused when the next attempt fails."""
PROBE_MS: Final = 3_600_000
"""How often a paused endpoint is tried, each time with one event."""
DISABLE_MS: Final = 5 * DAY_MS
"""An endpoint that has accepted nothing for so long is disabled."""
MOST_WAITING: Final = 20_000
"""So many events wait for a paused endpoint; the oldest of more are given up."""
RESULTS: Final = ("delivered", "failed", "gone", "given-up")
"""What an attempt comes to: the endpoint took it, it will be tried again, the endpoint answered 410, no further try."""
_TOO_MANY: Final = f"given up: {MOST_WAITING} newer events wait"
_DUE_AT_ONCE: Final = 256
_CLEANUP_MS: Final = 3_600_000


class AttemptResult(NamedTuple):
    """The result of an attempt: the response's status, or an ``error``. ``retry_after`` is in milliseconds."""

    status: int | None
    error: str = ""
    retry_after: int = 0


class Sender:
    """Sends the deliveries of one process. ``random`` draws from 0 to 1, ``box`` opens secrets; ``tls`` is None for the
    usual certificates."""

    def __init__(
        self,
        hooks: WebhookRepository,
        egress: EgressPolicy,
        clock: Clock,
        random: Callable[[], float],
        box: SecretBox,
        *,
        lookup: HostLookup = resolve_host,
        tls: ssl.SSLContext | None = None,
        seconds: float = ATTEMPT_SECONDS,
    ) -> None:
        self._hooks = hooks
        self._egress = egress
        self._clock = clock
        self._random = random
        self._box = box
        self._lookup = lookup
        self._tls = tls
        self._seconds = seconds
        self._notified = asyncio.Event()
        self._in_flight: Counter[str] = Counter()
        self._client: http_client.AsyncClient | None = None
        self._cleaned_at = 0
        self.attempts = Counter(dict.fromkeys(RESULTS, 0))

    def notify(self) -> None:
        """Called when a delivery became due: polls the outbox now."""
        self._notified.set()

    @asynccontextmanager
    async def running(self, jobs: JobRuns) -> AsyncIterator[None]:
        """Sends deliveries as long as the block runs."""
        try:
            async with background_task(self._poll_for_ever(jobs), "webhooks"):
                yield
        finally:
            await self._close_client()

    async def send_due(self) -> int:
        """Sends everything that is due now. Returns the number of attempts after all of them have ended."""
        try:
            async with asyncio.TaskGroup() as group:
                return await self._start_due(group)
        finally:
            await self._close_client()

    async def _poll_for_ever(self, jobs: JobRuns) -> None:
        async with asyncio.TaskGroup() as group:
            poll = jobs.timed("webhooks", partial(self._poll, group))
            while True:
                self._notified.clear()
                await log_failures("webhooks", poll())
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._notified.wait()

    async def _poll(self, group: asyncio.TaskGroup) -> None:
        await self.clean_up()
        await self._start_due(group)

    async def _start_due(self, group: asyncio.TaskGroup) -> int:
        started = 0
        for due in await self._hooks.due(self._clock(), _DUE_AT_ONCE):
            if self._in_flight.total() >= MOST_AT_ONCE:
                break
            if self._in_flight[due.webhook_id] >= (MOST_PER_ENDPOINT if due.paused_at is None else 1):
                continue
            # The client comes before the claim: what takes long must not eat into the time that the claim allows.
            client = await self._opened_client()
            now = self._clock()
            attempt = await self._hooks.claim(due, now, now + CLAIM_MS)
            if attempt is not None:
                self._in_flight[due.webhook_id] += 1
                group.create_task(log_failures("a webhook", self._deliver(client, due, attempt)))
                started += 1
        return started

    async def _opened_client(self) -> http_client.AsyncClient:
        if self._client is None:
            self._client = await http_client.make_pinned_client(seconds=self._seconds, tls=self._tls)
        return self._client

    async def _close_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _deliver(self, client: http_client.AsyncClient, due: DueRow, attempt: int) -> None:
        try:
            result = await self._attempt(client, due)
            await self._record(due, attempt, result)
        finally:
            self._in_flight -= Counter([due.webhook_id])
            self.notify()

    async def _attempt(self, client: http_client.AsyncClient, due: DueRow) -> AttemptResult:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(client, due)
        except TimeoutError:
            return AttemptResult(None, f"no answer within {self._seconds:g} seconds")
        except EgressRefused as error:
            log.warning("webhook %s of site %d: the address %s", due.webhook_id, due.site_id, error)
            return AttemptResult(None, f"the address {error}")
        except SealError as error:
            log.error("webhook %s of site %d: its secret cannot be used: %s", due.webhook_id, due.site_id, error)
            return AttemptResult(None, "its secret cannot be used; delete the endpoint and add it again")
        except (OSError, UnicodeError) as error:
            return AttemptResult(None, f"the host was not found: {error}")
        except http_client.RemoteProtocolError:
            return AttemptResult(None, "no answer: what came back is no HTTP")  # and not ours to repeat
        except http_client.HTTPError as error:
            return AttemptResult(None, f"no answer: {str(error) or type(error).__name__}")
        except Exception:
            log.exception("a webhook could not be sent")
            return AttemptResult(None, "it could not be sent")

    async def _post(self, client: http_client.AsyncClient, due: DueRow) -> AttemptResult:
        self._egress.check(due.url)
        parts = urlsplit(due.url)
        found = await self._lookup(parts.hostname or "", PORTS[parts.scheme] if parts.port is None else parts.port)
        addresses = self._egress.usable(found, parts.scheme)
        payload = due.payload.encode()
        secret = self._box.unseal(due.secret, place_of(due.webhook_id))
        signed = headers(due.delivery_id, self._clock(), payload, secret)
        for number, address in enumerate(addresses, 1):
            request = http_client.stream_to_address(client, due.url, address, content=payload, headers=signed)
            try:
                async with request as response:
                    return AttemptResult(response.status_code, retry_after=_retry_after(response))
            except http_client.ConnectError:
                if number == len(addresses):
                    raise
        raise OSError("it has no address")

    async def _record(self, due: DueRow, attempt: int, result: AttemptResult) -> None:
        now, status = self._clock(), result.status
        if status is not None and 200 <= status < 300:
            if await self._hooks.delivered(due, now, status, now + CLAIM_MS):
                log.info("webhook %s of site %d accepts events again and goes on", due.webhook_id, due.site_id)
            self.attempts["delivered"] += 1
            return
        error = error_text(result.error or f"answered {status}")
        if status == HTTPStatus.GONE:
            await self._hooks.disable(due, now, status, "the endpoint answered 410 Gone")
            self.attempts["gone"] += 1
            log.warning("webhook %s of site %d is gone and disabled", due.webhook_id, due.site_id)
            return
        failing = now - await self._hooks.failing(due, now)
        if failing >= DISABLE_MS:
            await self._hooks.disable(due, now, status, error)
            self.attempts["given-up"] += 1
            log.warning("webhook %s of site %d took nothing for days and is disabled", due.webhook_id, due.site_id)
            return
        if due.paused_at is not None or failing >= PAUSE_MS:
            pause = max(
                round(PROBE_MS * (1 + JITTER * self._random())), min(result.retry_after, LONGEST_RETRY_AFTER_MS)
            )
            await self._hooks.pause(due, now, now + pause, status, error)
            self.attempts["failed"] += 1
            if due.paused_at is None:
                log.warning("webhook %s of site %d took nothing for an hour and is paused", due.webhook_id, due.site_id)
            return
        delay = retry_delay(attempt, self._random(), result.retry_after)
        self.attempts["given-up" if delay is None else "failed"] += 1
        if delay is not None:
            await self._hooks.put_off(due, now, now + delay, status, error)
        elif await self._hooks.given_up(due, now, status, error):
            log.warning("webhook %s of site %d took nothing for days and is disabled", due.webhook_id, due.site_id)

    async def clean_up(self) -> None:
        """Deletes old events, and gives up the oldest of paused endpoints that too many wait for; once an hour."""
        now = self._clock()
        if abs(now - self._cleaned_at) >= _CLEANUP_MS:
            self._cleaned_at = now
            await self._hooks.forget(now - RETENTION_MS)
            for webhook_id, site_id in await self._hooks.paused():
                number = await self._hooks.give_up_excess(webhook_id, MOST_WAITING, now, _TOO_MANY)
                self.attempts["given-up"] += number
                if number:
                    log.warning("paused webhook %s of site %d: %d events are given up", webhook_id, site_id, number)


def _retry_after(response: http_client.Response) -> int:
    """Returns the ``Retry-After`` header in milliseconds; 0 when it is missing or not a number of seconds."""
    text = response.headers.get("retry-after", "")
    return int(text) * 1000 if text.isascii() and text.isdecimal() and len(text) < 9 else 0
