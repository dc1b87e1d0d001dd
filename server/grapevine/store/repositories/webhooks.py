"""Webhook endpoints, and the outbox of events on their way to them.

An event goes into the outbox (``post``, ``WebhookBatches``) in the transaction of what it tells of. ``due`` may be
asked by any number of processes; which of them sends a delivery is decided by ``claim``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from grapevine.domain import ids
from grapevine.domain.redaction import redacted_repr
from grapevine.errors import GrapevineError
from grapevine.store.query_runner import Changes, Runner
from grapevine.store.repositories.kept_answers import keep_answer
from grapevine.store.repositories.links import LinkRow
from grapevine.store.repositories.repository import Repository
from grapevine.store.rows import KeptAnswer


class TooManyWebhooks(GrapevineError):
    """A site has as many endpoints as it may have."""


_EVERY_DELIVERY: Final = 1 << 31

Draw = Callable[[], str]
"""A new id of a delivery."""


class ResumeTimes(NamedTuple):
    """When waiting deliveries are made due: those that a process may be sending until ``claimed_until`` are left."""

    now: int
    claimed_until: int


class WebhookRow(msgspec.Struct, frozen=True):
    """An endpoint. ``events`` are names with spaces between; ``disabled_at`` (UTC milliseconds) and ``reason`` are None
    while it gets events. While it is paused since ``paused_at``, ``reason`` says why and ``paused_until`` is when it is
    tried next; it has accepted nothing since ``failing_since``. ``secret`` is encrypted."""

    webhook_id: str
    site_id: int
    url: str
    secret: str
    events: str
    created_at: int
    disabled_at: int | None = None
    reason: str | None = None
    failing_since: int | None = None
    paused_at: int | None = None
    paused_until: int | None = None

    def __repr__(self) -> str:
        return redacted_repr(self)


class Event(NamedTuple):
    """Something that happened on a site at ``at`` (UTC milliseconds); ``payload`` is sent unchanged, byte for byte.

    ``visit_id``, ``via_id`` and ``link_id`` are the visits that it names, by which an erasure finds it.
    """

    site_id: int
    name: str
    payload: str
    at: int
    visit_id: int | None = None
    via_id: int | None = None
    link_id: int | None = None


class DueRow(NamedTuple):
    """A delivery that is to be sent, with its endpoint. ``next_at`` is handed back to claim it; ``secret`` is
    encrypted."""

    delivery_id: str
    webhook_id: str
    site_id: int
    event: str
    payload: str
    created_at: int
    attempts: int
    next_at: int
    url: str
    secret: str
    paused_at: int | None

    def __repr__(self) -> str:
        return redacted_repr(self)


class DeliveryRow(NamedTuple):
    """A delivery and how it stands; times in UTC milliseconds, ``status`` and ``error`` of the last attempt."""

    delivery_id: str
    event: str
    payload: str
    created_at: int
    attempts: int
    next_at: int | None
    delivered_at: int | None
    failed_at: int | None
    status: int | None
    error: str | None


async def post(change: Runner, event: Event, draw: Draw) -> int:
    """Puts an event on its way to every endpoint of its site that wants it, in the transaction ``change``. Returns
    their number."""
    rows = await change.run("webhooks_of_site", site_id=event.site_id)
    wanted = [row for row in map(_webhook, rows) if row.disabled_at is None and event.name in row.events.split()]
    await change.run(
        "insert_deliveries",
        [
            (draw(), row.webhook_id, event.site_id, event.name, event.payload, event.at, 0, event.at, *event[4:])
            for row in wanted
        ],
    )
    return len(wanted)


class WebhookBatches:
    """Events of the writer's transaction, set by set."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def facts(
        self, pages: Iterable[tuple[int, int]], roots: Iterable[tuple[int, int]]
    ) -> tuple[dict[tuple[int, int], str], dict[tuple[int, int], LinkRow]]:
        """Returns the URLs of ``pages`` (site, page), and those of ``roots`` (site, visit) that are minted links."""
        urls, links = await self._changes.run_many(
            [
                ("urls_of_pages", [(site_id, page, ids.hashed_cell(page)) for site_id, page in pages]),
                ("named_links", [(site_id, root, ids.cell_of(root)) for site_id, root in roots]),
            ]
        )
        named = (LinkRow(*row) for row in links)
        return {(site, page): url for site, page, url in urls}, {(row.site_id, row.visit_id): row for row in named}

    async def post(self, events: Sequence[tuple[str, Event]]) -> None:
        """Puts events, each with the id of its message, on their way to every endpoint of their sites that wants them.
        What was posted before, and is still kept, is not posted again."""
        await self._changes.run("post_events", [(message, *event) for message, event in events])


class WebhookRepository(Repository):
    """The queries of ``webhooks.sql``."""

    async def webhooks(self, site_id: int) -> list[WebhookRow]:
        """The endpoints of a site, oldest first."""
        return [_webhook(row) for row in await self._read("webhooks_of_site", site_id=site_id)]

    async def webhook(self, site_id: int, webhook_id: str) -> WebhookRow | None:
        """One endpoint of a site."""
        rows = await self._read("webhook", site_id=site_id, webhook_id=webhook_id)
        return _webhook(rows[0]) if rows else None

    async def secrets(self) -> list[tuple[str, str]]:
        """Returns the id and the secret, as it is stored, of every endpoint."""
        return [(webhook_id, secret) for webhook_id, secret in await self._read("webhook_secrets")]

    async def replace_secret(self, webhook_id: str, before: str, secret: str) -> None:
        """Stores an endpoint's secret in another form, unless it has been changed meanwhile."""
        async with self._transaction() as change:
            await change.run("replace_webhook_secret", webhook_id=webhook_id, before=before, secret=secret)

    async def add(self, row: WebhookRow, answer: KeptAnswer | None = None, most: int | None = None) -> None:
        """Adds an endpoint, whose id must be new, and keeps the ``answer``, if any.

        Raises TooManyWebhooks where its site has ``most``; AlreadyAnswered.
        """
        async with self._transaction() as change:
            await keep_answer(change, answer)
            if most is not None:
                await change.run("lock_additions")
                ((number,),) = await change.run("number_of_webhooks", site_id=row.site_id)
                if number >= most:
                    raise TooManyWebhooks(f"site {row.site_id} has {number} endpoints")
            await change.run("insert_webhook", **msgspec.structs.asdict(row))
            await change.run("touch_webhooks")

    async def change(
        self,
        site_id: int,
        webhook_id: str,
        changed: Callable[[WebhookRow], WebhookRow],
        resumed: ResumeTimes | None = None,
    ) -> WebhookRow | None:
        """Stores and returns what ``changed`` makes of an endpoint's url, events and whether it is disabled or paused.

        With ``resumed``, all that waits for an endpoint which failed and is to be tried anew is due. Concurrent changes
        follow one another. Returns None where there is no such endpoint. Raises as ``changed``.
        """
        async with self._transaction() as change:
            await change.run("lock_webhook", site_id=site_id, webhook_id=webhook_id)
            rows = await change.run("webhook", site_id=site_id, webhook_id=webhook_id)
            if not rows:
                return None
            before = _webhook(rows[0])
            row = changed(before)
            await change.run("update_webhook", **msgspec.structs.asdict(row))
            if resumed is not None and before.failing_since is not None and row.failing_since is None:
                await change.run("resume_deliveries", webhook_id=webhook_id, **resumed._asdict())
            await change.run("touch_webhooks")
            if row.disabled_at is not None:
                await change.run("give_up_deliveries", webhook_id=row.webhook_id, at=row.disabled_at, error=row.reason)
        return row

    async def remove(self, site_id: int, webhook_id: str) -> bool:
        """Takes an endpoint away with all its deliveries; False when there is no such endpoint."""
        async with self._transaction() as change:
            removed = await change.run("delete_webhook", site_id=site_id, webhook_id=webhook_id)
            if removed:
                await change.run("delete_deliveries", webhook_id=webhook_id)
                await change.run("touch_webhooks")
            return bool(removed)

    async def subscriptions(self) -> list[tuple[int, str]]:
        """Returns the site and the events, with spaces between, of every endpoint that gets events."""
        return [(site_id, events) for site_id, events in await self._read("subscriptions")]

    async def waiting(self, limit: int) -> int:
        """How many deliveries wait for their first or next attempt, counted up to ``limit``."""
        ((number,),) = await self._read("waiting_deliveries", limit=limit)
        return int(number)

    async def deliveries(
        self, site_id: int, webhook_id: str, limit: int, before: int = 1 << 62, after_id: str = ""
    ) -> list[DeliveryRow]:
        """The events of an endpoint, the newest first: behind ``after_id`` of those from ``before``, and older ones."""
        rows = await self._read(
            "deliveries_of_webhook",
            site_id=site_id,
            webhook_id=webhook_id,
            limit=limit,
            before=before,
            after_id=after_id,
        )
        return [DeliveryRow(*row) for row in rows]

    async def retry(self, site_id: int, webhook_id: str, delivery_id: str, now: int) -> bool:
        """Puts an event that was delivered or given up on its way once more; False when there is none."""
        async with self._transaction() as change:
            return bool(
                await change.run(
                    "retry_delivery", site_id=site_id, webhook_id=webhook_id, delivery_id=delivery_id, now=now
                )
            )

    async def publish(self, event: Event, draw: Draw) -> int:
        """Puts an event on its way that belongs to no stored row. Returns the number of its endpoints."""
        async with self._transaction() as change:
            return await post(change, event, draw)

    async def due(self, now: int, limit: int) -> list[DueRow]:
        """Returns the deliveries due at ``now``, the longest due first."""
        return [DueRow(*row) for row in await self._read("due_deliveries", now=now, limit=limit)]

    async def claim(self, due: DueRow, now: int, until: int) -> int | None:
        """Claims a delivery. Returns the attempt's number, from 1; None when another process has claimed it, or tries
        its paused endpoint.

        Unless it is settled it is due again at ``until``.
        """
        async with self._transaction() as change:
            if due.paused_at is not None and not await change.run(
                "try_paused_webhook", webhook_id=due.webhook_id, now=now, until=until
            ):
                return None
            rows = await change.run("claim_delivery", delivery_id=due.delivery_id, seen=due.next_at, until=until)
            return int(rows[0][0]) if rows else None

    async def delivered(self, due: DueRow, at: int, status: int, claimed_until: int) -> bool:
        """Records that an endpoint accepted a delivery at ``at`` (UTC milliseconds). Returns whether it was paused.

        Then all that waits for it is due, but what a process may be sending until ``claimed_until``.
        """
        async with self._transaction() as change:
            await _settle(change, due, delivered_at=at, status=status)
            was_failing = await change.run("resume_webhook", webhook_id=due.webhook_id)
            if not was_failing or due.paused_at is None:
                return False
            await change.run("resume_deliveries", webhook_id=due.webhook_id, now=at, claimed_until=claimed_until)
            return True

    async def failing(self, due: DueRow, now: int) -> int:
        """Notes that an attempt failed. Returns since when (UTC milliseconds) its endpoint has accepted nothing."""
        async with self._transaction() as change:
            noted = await change.run("note_failure", webhook_id=due.webhook_id, at=now)
            return int(noted[0][0]) if noted else now

    async def put_off(self, due: DueRow, now: int, until: int, status: int | None, error: str) -> None:
        """Records a failed attempt: the delivery, and the others due for its endpoint, wait until ``until``."""
        async with self._transaction() as change:
            await _settle(change, due, next_at=until, status=status, error=error)
            await change.run("postpone_deliveries", webhook_id=due.webhook_id, now=now, until=until)

    async def pause(self, due: DueRow, now: int, until: int, status: int | None, error: str) -> None:
        """Records a failed attempt and pauses the endpoint: it is tried with one event at ``until``, and nothing that
        waits for it is given up."""
        async with self._transaction() as change:
            await _settle(change, due, next_at=until, status=status, error=error)
            await change.run("pause_webhook", webhook_id=due.webhook_id, at=now, until=until, reason=error)
            await change.run("postpone_deliveries", webhook_id=due.webhook_id, now=now, until=until)

    async def paused(self) -> list[tuple[str, int]]:
        """Returns the id and the site of every paused endpoint."""
        return [(webhook_id, site_id) for webhook_id, site_id in await self._read("paused_webhooks")]

    async def give_up_excess(self, webhook_id: str, most: int, now: int, error: str) -> int:
        """Gives up what waits for an endpoint beyond its ``most`` newest events. Returns how many those are."""
        async with self._transaction() as change:
            given_up = await change.run(
                "give_up_excess", webhook_id=webhook_id, most=most, limit=_EVERY_DELIVERY, at=now, error=error
            )
            return len(given_up)

    async def resend(self, site_id: int, webhook_id: str, since: int, limit: int, now: int) -> int:
        """Puts failed events of an endpoint from ``since`` on (UTC milliseconds) on their way once more, the oldest
        ``limit``. Returns their number."""
        async with self._transaction() as change:
            resent = await change.run(
                "resend_deliveries", site_id=site_id, webhook_id=webhook_id, since=since, limit=limit, now=now
            )
            return len(resent)

    async def disable(self, due: DueRow, now: int, status: int | None, error: str) -> None:
        """Records a failed attempt and disables the endpoint, with all that waits for it."""
        async with self._transaction() as change:
            await _settle(change, due, failed_at=now, status=status, error=error)
            await _disable(change, due.webhook_id, now, error)

    async def given_up(self, due: DueRow, now: int, status: int | None, error: str) -> bool:
        """Records that the last attempt failed. Disables an endpoint that has accepted nothing since the event
        happened, and gives up its other deliveries; returns whether it did."""
        async with self._transaction() as change:
            await _settle(change, due, failed_at=now, status=status, error=error)
            if await change.run("delivered_since", webhook_id=due.webhook_id, since=due.created_at):
                return False
            await _disable(change, due.webhook_id, now, error)
            return True

    async def forget(self, before: int) -> None:
        """Deletes events from before ``before`` that were delivered or given up."""
        async with self._transaction() as change:
            await change.run("forget_deliveries", before=before)


async def _settle(
    change: Runner,
    due: DueRow,
    *,
    status: int | None,
    error: str | None = None,
    next_at: int | None = None,
    delivered_at: int | None = None,
    failed_at: int | None = None,
) -> None:
    await change.run(
        "settle_delivery",
        delivery_id=due.delivery_id,
        next_at=next_at,
        delivered_at=delivered_at,
        failed_at=failed_at,
        status=status,
        error=error,
    )


async def _disable(change: Runner, webhook_id: str, now: int, reason: str) -> None:
    await change.run("disable_webhook", webhook_id=webhook_id, at=now, reason=reason)
    await change.run("give_up_deliveries", webhook_id=webhook_id, at=now, error="the endpoint is disabled")
    await change.run("touch_webhooks")


def _webhook(row: tuple[object, ...]) -> WebhookRow:
    return msgspec.convert(dict(zip(WebhookRow.__struct_fields__, row, strict=True)), WebhookRow)
