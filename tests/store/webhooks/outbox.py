"""A store's outbox of webhooks, with a clock that the test moves."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import Any, Final

from msgspec.structs import replace
from standardwebhooks import Webhook

from grapevine.egress.policy import EgressPolicy
from grapevine.keyring.keyring import KeyRing
from grapevine.store.base import Store
from grapevine.store.repositories.webhooks import DeliveryRow, WebhookRow
from grapevine.webhooks.delivery import Sender
from grapevine.webhooks.sealed_secrets import SecretBox, place_of
from grapevine.webhooks.signing import event, new_id, new_secret
from tests.support.webhook_receiver import Received

SITE: Final = 7
HERE: Final = EgressPolicy(["127.0.0.0/8"])
RING: Final = KeyRing([b"k" * 32])


class Outbox:
    """A store's outbox with a clock that the test moves; it begins at the time it is."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.hooks = store.webhooks
        self.now = time.time_ns() // 1_000_000
        self.chance = 0.0

    def sender(self, egress: EgressPolicy = HERE, box: SecretBox = RING, **others: Any) -> Sender:
        return Sender(self.hooks, egress, lambda: self.now, lambda: self.chance, box, **others)

    async def endpoint(self, url: str, events: str = "spike.detected") -> WebhookRow:
        made = WebhookRow(
            new_id("wh", secrets.token_bytes), SITE, url, new_secret(secrets.token_bytes), events, self.now
        )
        await self.hooks.add(replace(made, secret=RING.seal(made.secret, place_of(made.webhook_id))))
        return made

    async def happen(self, number: int = 1, site: int = SITE, name: str = "spike.detected") -> int:
        happened = event(site, name, self.now, {"page": f"https://a.example/{number}", "title": "Brot & Käse"})
        return await self.hooks.publish(happened, lambda: new_id("msg", secrets.token_bytes))

    async def all(self, endpoint: WebhookRow) -> list[DeliveryRow]:
        return await self.hooks.deliveries(SITE, endpoint.webhook_id, 100)

    async def only(self, endpoint: WebhookRow) -> DeliveryRow:
        (row,) = await self.all(endpoint)
        return row

    async def wait_until_due(self, endpoint: WebhookRow) -> None:
        """Moves the clock to the moment at which an event is sent next; while a pause lasts, none is."""
        due = min((row.next_at for row in await self.all(endpoint) if row.next_at is not None), default=self.now)
        self.now = max(due, (await self.reread(endpoint)).paused_until or 0)

    async def reread(self, endpoint: WebhookRow) -> WebhookRow:
        found = await self.hooks.webhook(SITE, endpoint.webhook_id)
        assert found is not None
        return found


def signed(received: Received, secret: str) -> bool:
    """Whether the specification's own implementation signs these bytes the same at that time."""
    headers = received.headers
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    return headers["webhook-signature"] == Webhook(secret).sign(headers["webhook-id"], at, received.body.decode())
