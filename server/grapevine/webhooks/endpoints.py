"""The webhook endpoints of a site, as its owner adds, changes and looks at them. A secret is shown once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from grapevine.domain.periods import rfc3339
from grapevine.errors import Invalid, NotFound
from grapevine.store.repositories.webhooks import DeliveryRow, Hooks, WebhookRow
from grapevine.webhooks.egress_policy import Reach, Refused
from grapevine.webhooks.signing import EVENTS, Random, new_id, new_secret

MOST_ENDPOINTS: Final = 20
MOST_DELIVERIES: Final = 100
_SWITCHED_OFF: Final = "switched off"


class Changes(msgspec.Struct, forbid_unknown_fields=True):
    """What of an endpoint is to be changed; None stays as it is."""

    url: str | None = None
    events: list[str] | None = None
    enabled: bool | None = None


class Added(msgspec.Struct, forbid_unknown_fields=True):
    """A new endpoint; without ``events`` it gets all there are."""

    url: str
    events: list[str] | None = None


class Disabled(msgspec.Struct, frozen=True):
    """Since when an endpoint gets nothing, and why."""

    at: str
    reason: str


class Endpoint(msgspec.Struct, frozen=True):
    """An endpoint as the API shows it; ``disabled`` is null while it gets events."""

    id: str
    url: str
    events: list[str]
    created_at: str
    enabled: bool
    disabled: Disabled | None


class Delivery(msgspec.Struct, frozen=True):
    """An event on its way to an endpoint. ``state`` is ``pending``, ``delivered`` or ``failed``; ``status`` and
    ``error`` are of the last attempt."""

    id: str
    event: str
    state: str
    at: str
    attempts: int
    next_at: str | None
    delivered_at: str | None
    failed_at: str | None
    status: int | None
    error: str | None
    payload: msgspec.Raw


async def all_of(hooks: Hooks, site_id: int) -> list[Endpoint]:
    """A site's endpoints, oldest first."""
    return [_shown(row) for row in await hooks.webhooks(site_id)]


async def one(hooks: Hooks, site_id: int, webhook_id: str) -> Endpoint:
    """One endpoint. Raises NotFound."""
    return _shown(await _row(hooks, site_id, webhook_id))


async def add(hooks: Hooks, reach: Reach, site_id: int, asked: Added, now: int, random: Random) -> dict[str, Any]:
    """Adds an endpoint, and answers with it and its ``secret``. Raises Invalid."""
    _check_url(reach, asked.url)
    events = _events(EVENTS if asked.events is None else asked.events)
    if len(await hooks.webhooks(site_id)) >= MOST_ENDPOINTS:
        raise Invalid.of("url", f"would be one more than the {MOST_ENDPOINTS} endpoints that a site can have")
    row = WebhookRow(new_id("wh", random), site_id, asked.url, new_secret(random), events, now)
    await hooks.add(row)
    return {**msgspec.structs.asdict(_shown(row)), "secret": row.secret}


async def change(hooks: Hooks, reach: Reach, site_id: int, webhook_id: str, asked: Changes, now: int) -> Endpoint:
    """Changes an endpoint; one that is disabled loses what was on its way. Raises Invalid, NotFound."""
    row = await _row(hooks, site_id, webhook_id)
    if asked.url is not None:
        _check_url(reach, asked.url)
        row = msgspec.structs.replace(row, url=asked.url)
    if asked.events is not None:
        row = msgspec.structs.replace(row, events=_events(asked.events))
    if asked.enabled is True:
        row = msgspec.structs.replace(row, disabled_at=None, reason=None)
    elif asked.enabled is False and row.disabled_at is None:
        row = msgspec.structs.replace(row, disabled_at=now, reason=_SWITCHED_OFF)
    if not await hooks.change(row):
        raise _no_such(webhook_id)
    return _shown(row)


async def remove(hooks: Hooks, site_id: int, webhook_id: str) -> None:
    """Takes an endpoint away. Raises NotFound."""
    if not await hooks.remove(site_id, webhook_id):
        raise _no_such(webhook_id)


async def deliveries(hooks: Hooks, site_id: int, webhook_id: str, limit: int) -> list[Delivery]:
    """The last events of an endpoint, the newest first. Raises Invalid, NotFound."""
    if not 1 <= limit <= MOST_DELIVERIES:
        raise Invalid.of("limit", f"must be 1 to {MOST_DELIVERIES}")
    await _row(hooks, site_id, webhook_id)
    return [_delivery(row) for row in await hooks.deliveries(site_id, webhook_id, limit)]


async def again(hooks: Hooks, site_id: int, webhook_id: str, delivery_id: str, now: int) -> None:
    """Sends an event that was delivered or given up once more. Raises Invalid, NotFound."""
    if (await _row(hooks, site_id, webhook_id)).disabled_at is not None:
        raise Invalid.of("", "the endpoint is disabled; enable it first")
    if not await hooks.again(site_id, webhook_id, delivery_id, now):
        raise NotFound("No event of this endpoint that was delivered or given up has that id.")


async def _row(hooks: Hooks, site_id: int, webhook_id: str) -> WebhookRow:
    row = await hooks.webhook(site_id, webhook_id)
    if row is None:
        raise _no_such(webhook_id)
    return row


def _no_such(webhook_id: str) -> NotFound:
    return NotFound(f"This site has no webhook {webhook_id[:40]!r}.")


def _check_url(reach: Reach, url: str) -> None:
    try:
        reach.check(url)
    except Refused as error:
        raise Invalid.of("url", str(error)) from None


def _events(names: Sequence[str]) -> str:
    unknown = [name for name in names if name not in EVENTS]
    if unknown or not names:
        raise Invalid.of("events", f"must be some of {', '.join(EVENTS)}")
    return " ".join(dict.fromkeys(names))


def _shown(row: WebhookRow) -> Endpoint:
    disabled = None if row.disabled_at is None else Disabled(rfc3339(row.disabled_at), row.reason or "")
    return Endpoint(
        row.webhook_id, row.url, row.events.split(), rfc3339(row.created_at), disabled is None, disabled
    )  # fmt: skip


def _delivery(row: DeliveryRow) -> Delivery:
    state = "delivered" if row.delivered_at is not None else "pending" if row.next_at is not None else "failed"
    return Delivery(
        row.delivery_id, row.event, state, rfc3339(row.created_at), row.attempts, _time(row.next_at),
        _time(row.delivered_at), _time(row.failed_at), row.status, row.error, msgspec.Raw(row.payload.encode()),
    )  # fmt: skip


def _time(at: int | None) -> str | None:
    return None if at is None else rfc3339(at)
