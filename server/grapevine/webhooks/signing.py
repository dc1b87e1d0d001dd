"""Payloads of webhooks, and the headers that prove their sender.

The signature is that of Standard Webhooks 1.0.0, section "Signature scheme": HMAC-SHA256 over ``id.timestamp.payload``.
The key is the secret's bytes, which stand in base64 behind ``whsec_``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from grapevine.domain import ids
from grapevine.domain.periods import rfc3339
from grapevine.store.repositories.webhooks import Event

EVENTS: Final = (
    "share.proven",
    "cascade.milestone",
    "conversion.created",
    "answer.created",
    "mention.created",
    "spike.detected",
    "site.silent",
)
"""All events that an endpoint can subscribe to."""

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  # a prefix, no secret
_SECRET_BYTES: Final = 32
_ID_BYTES: Final = 16

Random = Callable[[int], bytes]
"""Returns that many random bytes."""


def event(site_id: int, name: str, at: int, data: Mapping[str, Any] | msgspec.Struct) -> Event:
    """Returns the event ``name`` at ``at`` (UTC milliseconds), with a payload shaped by the specification.

    ``data`` about a visit has to hold the visit's id, its own or that of ``via`` or ``link``, by which an erasure finds
    the event; of an event about a cascade that is its first visit, ``root``.
    """
    fields = msgspec.to_builtins(data)
    return Event(
        site_id=site_id,
        name=name,
        payload=msgspec.json.encode({"type": name, "timestamp": rfc3339(at), "data": fields}).decode(),
        at=at,
        visit_id=_visit_named(fields) or _visit_named(fields, "root"),
        via_id=_visit_named(fields.get("via")),
        link_id=_visit_named(fields.get("link")),
    )


def _visit_named(fields: Mapping[str, Any] | None, name: str = "visit") -> int | None:
    return ids.visit_number(fields[name]) if fields and fields.get(name) else None


def new_secret(random: Random) -> str:
    """Returns a new secret for one endpoint."""
    return SECRET_PREFIX + base64.b64encode(random(_SECRET_BYTES)).decode()


def new_id(prefix: str, random: Random) -> str:
    """Returns an unguessable id. It has no ``.``, because that separates the parts of the signed text."""
    return f"{prefix}_{random(_ID_BYTES).hex()}"


def headers(message_id: str, at: int, payload: bytes, secret: str) -> dict[str, str]:
    """Returns the headers of an attempt at ``at`` (UTC milliseconds).

    All attempts of a delivery have the same id; each has its own time.
    """
    timestamp = at // 1000
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = hmac.new(key, f"{message_id}.{timestamp}.".encode() + payload, hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "user-agent": "Grapevine-Webhooks",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
