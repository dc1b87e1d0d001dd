"""Stores the secrets of webhooks encrypted under the server's secret key, and again under a new one."""

from __future__ import annotations

from typing import Protocol

from grapevine.keyring.encryption import SealError
from grapevine.store.repositories.webhooks import WebhookRepository


class SecretBox(Protocol):
    """What encrypts a secret; one can be opened at its own ``place`` only (``keyring.KeyRing``)."""

    def seal(self, text: str, place: str) -> str:
        """Returns ``text`` encrypted under the newest key."""
        ...

    def unseal(self, text: str, place: str) -> str:
        """Returns the text that was sealed. Raises SealError."""
        ...

    def is_current(self, text: str) -> bool:
        """Returns whether ``text`` is sealed under the newest key."""
        ...


def place_of(webhook_id: str) -> str:
    """Returns the place of an endpoint's secret: in another endpoint's row it cannot be opened."""
    return f"webhook {webhook_id}"


async def seal_all(hooks: WebhookRepository, box: SecretBox) -> list[str]:
    """Encrypts every secret under the newest key: plain ones of earlier versions, and those under an older key. Those
    under a key that is gone stay as they are; returns their endpoints."""
    lost = []
    for webhook_id, stored in await hooks.secrets():
        if stored and not box.is_current(stored):  # one that came from a backup may be missing
            place = place_of(webhook_id)
            try:
                secret = box.unseal(stored, place)
            except SealError:
                lost.append(webhook_id)
            else:
                await hooks.replace_secret(webhook_id, stored, box.seal(secret, place))
    return lost
