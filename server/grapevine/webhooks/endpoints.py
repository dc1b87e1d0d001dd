"""The webhook endpoints of a site: list, add, change and remove them, and list their deliveries.

An endpoint's secret is shown once, when the endpoint is added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from grapevine.domain import cursors
from grapevine.domain.periods import rfc3339
from grapevine.domain.redaction import redacted_repr
from grapevine.egress.policy import EgressPolicy, EgressRefused
from grapevine.errors import Conflict, Invalid, NotFound
from grapevine.store.repositories.webhooks import (
    DeliveryRow,
    ResumeTimes,
    TooManyWebhooks,
    WebhookRepository,
    WebhookRow,
)
from grapevine.store.rows import KeptAnswer
from grapevine.webhooks.retry_schedule import CLAIM_MS
from grapevine.webhooks.sealed_secrets import SecretBox, place_of
from grapevine.webhooks.signing import EVENTS, Random, new_id, new_secret

MOST_ENDPOINTS: Final = 20
"""Endpoints of one site, also when many are added at once: each of them gets every event."""
MOST_DELIVERIES: Final = 100
MOST_RESENT: Final = 10_000
"""Failed events that one call sends again."""
_SWITCHED_OFF: Final = "switched off"
_TRIED_ANEW: Final[Mapping[str, Any]] = MappingProxyType(
    {"failing_since": None, "paused_at": None, "paused_until": None}
)

_Event = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*EVENTS]})]
_State = Annotated[str, msgspec.Meta(extra_json_schema={"enum": ["pending", "delivered", "failed"]})]


class EndpointChanges(msgspec.Struct, forbid_unknown_fields=True):
    """Changes of an endpoint. What is not sent, or null, stays as it is."""

    url: str | None = None
    """The URL that events are sent to."""
    events: list[_Event] | None = None
    """The events to send."""
    enabled: bool | None = None
    """Whether events are sent."""


class NewEndpoint(msgspec.Struct, forbid_unknown_fields=True):
    """A new endpoint."""

    url: str
    """The https URL that events are sent to."""
    events: list[_Event] | None = None
    """The events to send; without it, all of them."""


class Disabled(msgspec.Struct, frozen=True):
    """Why an endpoint gets no events."""

    at: str
    """Since when."""
    reason: str
    """Why, in a few words."""


class Paused(msgspec.Struct, frozen=True):
    """Why an endpoint is tried with one event now and then, while the others wait."""

    at: str
    """Since when."""
    reason: str
    """What came of the last attempt."""
    next_at: str
    """When it is tried next."""


class ResendRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Which failed events to send again."""

    since: str
    """Those that happened at this time (RFC 3339) or later."""


class Resent(msgspec.Struct, frozen=True):
    """How many failed events are sent again."""

    resent: int
    """So many are due now."""
    more: bool
    """Whether there may be more than were taken at once: then repeat the call."""


class Endpoint(msgspec.Struct, frozen=True):
    """An endpoint."""

    id: str
    """Its id."""
    url: str
    """The URL that events are sent to."""
    events: list[_Event]
    """The events that are sent."""
    created_at: str
    """When it was added."""
    enabled: bool
    """Whether events are sent."""
    disabled: Disabled | None
    """Why it gets no events; null while it gets them."""
    paused: Paused | None
    """Why its events wait; null while they are sent."""


class AddedEndpoint(Endpoint, frozen=True):
    """An endpoint that was added a moment ago."""

    secret: str
    """What signs the events that are sent there (Standard Webhooks). It is shown this once."""

    def __repr__(self) -> str:
        return redacted_repr(self)


class Delivery(msgspec.Struct, frozen=True):
    """The delivery of one event to an endpoint."""

    id: str
    """The id of the event."""
    event: _Event
    """The kind of event."""
    state: _State
    """Whether it waits for an attempt, was delivered, or was given up."""
    at: str
    """When the event happened."""
    attempts: int
    """How often it was sent."""
    next_at: str | None
    """When it will be sent again; null when it will not."""
    delivered_at: str | None
    """When it was delivered."""
    failed_at: str | None
    """When it was given up."""
    status: int | None
    """The HTTP status of the last attempt."""
    error: str | None
    """Why the last attempt failed."""
    payload: msgspec.Raw
    """What is sent."""


async def list_endpoints(hooks: WebhookRepository, site_id: int) -> list[Endpoint]:
    """Returns a site's endpoints, the oldest first."""
    return [_endpoint(row) for row in await hooks.webhooks(site_id)]


async def get(hooks: WebhookRepository, site_id: int, webhook_id: str) -> Endpoint:
    """Returns one endpoint. Raises NotFound."""
    return _endpoint(await _row(hooks, site_id, webhook_id))


async def add(
    hooks: WebhookRepository,
    egress: EgressPolicy,
    box: SecretBox,
    site_id: int,
    wanted: NewEndpoint,
    now: int,
    random: Random,
    answer: Callable[[AddedEndpoint], KeptAnswer | None] = lambda _: None,
) -> AddedEndpoint:
    """Adds an endpoint. ``answer`` makes what is kept for a repeat of the request. Raises Invalid, AlreadyAnswered."""
    _check_url(egress, wanted.url)
    events = _events(EVENTS if wanted.events is None else wanted.events)
    webhook_id, secret = new_id("wh", random), new_secret(random)
    row = WebhookRow(
        webhook_id=webhook_id,
        site_id=site_id,
        url=wanted.url,
        secret=box.seal(secret, place_of(webhook_id)),
        events=events,
        created_at=now,
    )
    added = AddedEndpoint(**msgspec.structs.asdict(_endpoint(row)), secret=secret)
    try:
        await hooks.add(row, answer(added), MOST_ENDPOINTS)
    except TooManyWebhooks:
        detail = f"would be one more than the {MOST_ENDPOINTS} endpoints that a site can have"
        raise Invalid.of("url", detail) from None
    return added


async def change(
    hooks: WebhookRepository, egress: EgressPolicy, site_id: int, webhook_id: str, changes: EndpointChanges, now: int
) -> Endpoint:
    """Changes an endpoint. Disabling it gives up its pending deliveries; enabling one that fails, or giving it another
    address, makes them due. Raises Invalid, NotFound."""
    fields: dict[str, Any] = {}
    if changes.url is not None:
        _check_url(egress, changes.url)
        fields["url"] = changes.url
    if changes.events is not None:
        fields["events"] = _events(changes.events)

    def changed(row: WebhookRow) -> WebhookRow:
        if changes.enabled is True and not row.secret:
            detail = "is not possible: the endpoint came from a backup without its secret; add it anew"
            raise Invalid.of("enabled", detail)
        switched: dict[str, Any] = {}
        if changes.enabled is True:
            switched = {"disabled_at": None, "reason": None, **_TRIED_ANEW}
        elif changes.enabled is False and row.disabled_at is None:
            switched = {"disabled_at": now, "reason": _SWITCHED_OFF, **_TRIED_ANEW}
        elif changes.url is not None and row.disabled_at is None:
            switched = {"reason": None, **_TRIED_ANEW}
        return msgspec.structs.replace(row, **fields, **switched)

    row = await hooks.change(site_id, webhook_id, changed, ResumeTimes(now, now + CLAIM_MS))
    if row is None:
        raise _unknown(webhook_id)
    return _endpoint(row)


async def remove(hooks: WebhookRepository, site_id: int, webhook_id: str) -> None:
    """Removes an endpoint. Raises NotFound."""
    if not await hooks.remove(site_id, webhook_id):
        raise _unknown(webhook_id)


class DeliveryPage(NamedTuple):
    """Some deliveries; ``next`` is the cursor of older ones, None after the oldest."""

    deliveries: list[Delivery]
    next: str | None


class _Position(NamedTuple):
    """Behind which delivery a page begins."""

    created_at: cursors.Number
    delivery_id: Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z_-]{1,80}$")]


async def deliveries(
    hooks: WebhookRepository, site_id: int, webhook_id: str, limit: int, cursor: str | None = None
) -> DeliveryPage:
    """Returns the deliveries of an endpoint, the newest first, ``limit`` at a time. Raises Invalid, NotFound."""
    cursors.check_limit(limit, MOST_DELIVERIES)
    await _row(hooks, site_id, webhook_id)
    asked = cursors.question("deliveries", webhook_id)
    if cursor is None:
        found = await hooks.deliveries(site_id, webhook_id, limit + 1)
    else:
        found = await hooks.deliveries(site_id, webhook_id, limit + 1, *cursors.read(cursor, asked, _Position))
    rows, following = found[:limit], None
    if len(found) > limit:
        following = cursors.written(asked, _Position(rows[-1].created_at, rows[-1].delivery_id))
    return DeliveryPage([_delivery(row) for row in rows], following)


async def retry(hooks: WebhookRepository, site_id: int, webhook_id: str, delivery_id: str, now: int) -> None:
    """Makes a delivery that succeeded or was given up due again. Raises Conflict, NotFound."""
    if (await _row(hooks, site_id, webhook_id)).disabled_at is not None:
        raise Conflict("The endpoint is disabled; enable it first.")
    if not await hooks.retry(site_id, webhook_id, delivery_id, now):
        raise NotFound("No event of this endpoint that was delivered or given up has that id.")


async def resend(hooks: WebhookRepository, site_id: int, webhook_id: str, since: int, now: int) -> Resent:
    """Makes the events due again that happened at ``since`` (UTC milliseconds) or later and were given up, the oldest
    first. Raises Conflict, NotFound."""
    if (await _row(hooks, site_id, webhook_id)).disabled_at is not None:
        raise Conflict("The endpoint is disabled; enable it first.")
    number = await hooks.resend(site_id, webhook_id, since, MOST_RESENT, now)
    return Resent(resent=number, more=number == MOST_RESENT)


async def _row(hooks: WebhookRepository, site_id: int, webhook_id: str) -> WebhookRow:
    row = await hooks.webhook(site_id, webhook_id)
    if row is None:
        raise _unknown(webhook_id)
    return row


def _unknown(webhook_id: str) -> NotFound:
    return NotFound(f"This site has no webhook {webhook_id[:40]!r}.")


def _check_url(egress: EgressPolicy, url: str) -> None:
    try:
        egress.check(url)
    except EgressRefused as error:
        raise Invalid.of("url", str(error)) from None


def _events(names: Sequence[str]) -> str:
    unknown = [name for name in names if name not in EVENTS]
    if unknown or not names:
        raise Invalid.of("events", f"must be some of {', '.join(EVENTS)}")
    return " ".join(dict.fromkeys(names))


def _endpoint(row: WebhookRow) -> Endpoint:
    disabled = None if row.disabled_at is None else Disabled(at=rfc3339(row.disabled_at), reason=row.reason or "")
    return Endpoint(
        id=row.webhook_id,
        url=row.url,
        events=row.events.split(),
        created_at=rfc3339(row.created_at),
        enabled=disabled is None,
        disabled=disabled,
        paused=_paused(row),
    )


def _paused(row: WebhookRow) -> Paused | None:
    if row.disabled_at is not None or row.paused_at is None or row.paused_until is None:
        return None
    return Paused(at=rfc3339(row.paused_at), reason=row.reason or "", next_at=rfc3339(row.paused_until))


def _delivery(row: DeliveryRow) -> Delivery:
    state = "delivered" if row.delivered_at is not None else "pending" if row.next_at is not None else "failed"
    return Delivery(
        id=row.delivery_id,
        event=row.event,
        state=state,
        at=rfc3339(row.created_at),
        attempts=row.attempts,
        next_at=_rfc3339(row.next_at),
        delivered_at=_rfc3339(row.delivered_at),
        failed_at=_rfc3339(row.failed_at),
        status=row.status,
        error=row.error,
        payload=msgspec.Raw(row.payload.encode()),
    )


def _rfc3339(at: int | None) -> str | None:
    return None if at is None else rfc3339(at)
