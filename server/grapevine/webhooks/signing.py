"""What is sent to a webhook: the payload, and the headers that prove who sent it.

The scheme is that of Standard Webhooks 1.0.0, section "Signature scheme": HMAC-SHA256 over ``id.timestamp.payload``
with the secret's bytes, which are base64 behind ``whsec_``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from grapevine.domain.periods import rfc3339
from grapevine.store.repositories.webhooks import Event

EVENTS: Final = ("spike.detected",)
"""The events that are sent."""

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  # what it begins with
_SECRET_BYTES: Final = 32
_ID_BYTES: Final = 16

Random = Callable[[int], bytes]
"""So many random bytes."""


def event(site_id: int, name: str, at: int, data: Mapping[str, Any]) -> Event:
    """An event that happened at ``at`` (UTC milliseconds), as the specification says that payloads should be."""
    payload = msgspec.json.encode({"type": name, "timestamp": rfc3339(at), "data": data})
    return Event(site_id, name, payload.decode(), at)


def new_secret(random: Random) -> str:
    """A secret for one endpoint."""
    return SECRET_PREFIX + base64.b64encode(random(_SECRET_BYTES)).decode()


def new_id(prefix: str, random: Random) -> str:
    """An id that nobody can guess; it holds no ``.``, which would blur what is signed."""
    return f"{prefix}_{random(_ID_BYTES).hex()}"


def headers(message_id: str, at: int, payload: bytes, secret: str) -> dict[str, str]:
    """The headers of an attempt at ``at`` (UTC milliseconds). Every attempt has the same id and a time of its own."""
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
