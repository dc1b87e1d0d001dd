"""Sends what is in the outbox: many endpoints at once, a few deliveries at a time to each, none twice on purpose.

Every process looks; who claims a delivery sends it. The claim ends a while after the attempt must have ended, so what a
killed process was sending is sent again by another: at least once.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import httpx

from grapevine.background.periodic import log_failures
from grapevine.background.task import background_task
from grapevine.config.logging import Seldom
from grapevine.domain.ids import DAY_MS
from grapevine.domain.periods import Clock
from grapevine.store.repositories.webhooks import DueRow, WebhookRepository
from grapevine.webhooks.egress_policy import EgressPolicy, EgressRefused, HostLookup, resolve_host
from grapevine.webhooks.retry_schedule import retry_delay
from grapevine.webhooks.signing import headers

log = logging.getLogger(__name__)
log.addFilter(Seldom())

ATTEMPT_SECONDS: Final = 20.0
CLAIM_MS: Final = 60_000
KEPT_MS: Final = 30 * DAY_MS
"""So long what was delivered or given up can be looked at."""
MOST_AT_ONCE: Final = 32
MOST_TO_ONE: Final = 2
LOOK_SECONDS: Final = 5.0
_LOOKED_AT: Final = 256
_TIDY_MS: Final = 3_600_000
_PORTS: Final = {"https": 443, "http": 80}


class Answer(NamedTuple):
    """What an attempt came to: a status, or the ``error`` why there is none; ``asked`` milliseconds to wait."""

    status: int | None
    error: str = ""
    asked: int = 0


class Sender:
    """What one process sends. ``chance`` draws from 0 to 1; ``tls`` is None for the system's trust."""

    def __init__(
        self, hooks: WebhookRepository, egress: EgressPolicy, clock: Clock, chance: Callable[[], float], *,
        lookup: HostLookup = resolve_host, tls: ssl.SSLContext | None = None, seconds: float = ATTEMPT_SECONDS,
    ) -> None:  # fmt: skip
        self._hooks = hooks
        self._egress = egress
        self._clock = clock
        self._chance = chance
        self._lookup = lookup
        self._tls = tls
        self._seconds = seconds
        self._wake = asyncio.Event()
        self._to: Counter[str] = Counter()
        self._client: httpx.AsyncClient | None = None
        self._tidied = 0

    def notify(self) -> None:
        """Something is due that was not."""
        self._wake.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sends as long as the block runs."""
        try:
            async with background_task(self._again_and_again(), "webhooks"):
                yield
        finally:
            await self._hang_up()

    async def send_due(self) -> int:
        """Sends what is due now; answers with how many attempts that were, when all of them have ended."""
        try:
            async with asyncio.TaskGroup() as group:
                return await self._start_due(group)
        finally:
            await self._hang_up()

    async def _again_and_again(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                await log_failures("webhooks", self._look(group))
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._wake.wait()

    async def _look(self, group: asyncio.TaskGroup) -> None:
        await self._tidy()
        await self._start_due(group)

    async def _start_due(self, group: asyncio.TaskGroup) -> int:
        started = 0
        for due in await self._hooks.due(self._clock(), _LOOKED_AT):
            if self._to.total() >= MOST_AT_ONCE:
                break
            if self._to[due.webhook_id] >= MOST_TO_ONE:
                continue
            client = await self._connected()
            attempt = await self._hooks.claim(due, self._clock() + CLAIM_MS)
            if attempt is not None:
                self._to[due.webhook_id] += 1
                group.create_task(log_failures("a webhook", self._deliver(client, due, attempt)))
                started += 1
        return started

    async def _connected(self) -> httpx.AsyncClient:
        """The client, made when there is something to send: reading all the certificates takes a while."""
        if self._client is None:
            tls = self._tls
            if tls is None:
                tls = await asyncio.to_thread(httpx.create_ssl_context)
            # The address stands in the URL, so a connection kept for it would be shared by all names that lead there.
            self._client = httpx.AsyncClient(
                verify=tls, timeout=self._seconds, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
            )
        return self._client

    async def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _deliver(self, client: httpx.AsyncClient, due: DueRow, attempt: int) -> None:
        try:
            answer = await self._attempt(client, due)
            await self._settle(due, attempt, answer)
        finally:
            self._to -= Counter([due.webhook_id])
            self.notify()

    async def _attempt(self, client: httpx.AsyncClient, due: DueRow) -> Answer:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(client, due)
        except TimeoutError:
            return Answer(None, f"no answer within {self._seconds:g} seconds")
        except EgressRefused as error:
            return Answer(None, f"the address {error}")
        except (OSError, UnicodeError) as error:
            return Answer(None, f"the host was not found: {error}")
        except httpx.HTTPError as error:
            return Answer(None, f"no answer: {str(error) or type(error).__name__}")
        except Exception:
            log.exception("a webhook could not be sent")
            return Answer(None, "it could not be sent")

    async def _post(self, client: httpx.AsyncClient, due: DueRow) -> Answer:
        self._egress.check(due.url)
        parts = urlsplit(due.url)
        host = parts.hostname or ""
        addresses = self._egress.usable(
            await self._lookup(host, parts.port or _PORTS[parts.scheme]), parts.scheme
        )  # fmt: skip
        url, payload = httpx.URL(due.url), due.payload.encode()
        sent = headers(due.delivery_id, self._clock(), payload, due.secret) | {"host": url.netloc.decode("ascii")}
        for place, address in enumerate(addresses):
            try:
                async with client.stream(
                    "POST", url.copy_with(host=address), content=payload, headers=sent,
                    extensions={"sni_hostname": url.raw_host.decode("ascii")},
                ) as response:  # fmt: skip
                    return Answer(response.status_code, asked=_asked(response))
            except httpx.ConnectError:
                if place == len(addresses) - 1:
                    raise
        raise OSError("it has no address")

    async def _settle(self, due: DueRow, attempt: int, answer: Answer) -> None:
        now, status = self._clock(), answer.status
        if status is not None and 200 <= status < 300:
            await self._hooks.delivered(due, now, status)
            return
        error = answer.error or f"answered {status}"
        if status == HTTPStatus.GONE:
            await self._hooks.gone(due, now, status, "the endpoint answered 410 Gone")
            log.warning("webhook %s of site %d is gone and disabled", due.webhook_id, due.site_id)
            return
        wait = retry_delay(attempt, self._chance(), answer.asked)
        if wait is not None:
            await self._hooks.put_off(due, now, now + wait, status, error)
        elif await self._hooks.given_up(due, now, status, error):
            log.warning("webhook %s of site %d took nothing for days and is disabled", due.webhook_id, due.site_id)

    async def _tidy(self) -> None:
        now = self._clock()
        if abs(now - self._tidied) >= _TIDY_MS:
            self._tidied = now
            await self._hooks.forget(now - KEPT_MS)


def _asked(response: httpx.Response) -> int:
    """How long the endpoint wants to be left alone, in milliseconds; only whole seconds are understood."""
    text = response.headers.get("retry-after", "")
    return int(text) * 1000 if text.isascii() and text.isdecimal() and len(text) < 9 else 0
