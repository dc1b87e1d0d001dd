"""The keys that receipts are signed with: one for each site and secret key."""

from __future__ import annotations

from typing import Final

from grapevine.keyring.derivation import derived
from grapevine.receipts.ed25519 import SigningKey
from grapevine.store.rows import SiteRow

_PURPOSE: Final = b"grapevine.receipt.ed25519"


def signing_key(secret_key: bytes, site: SiteRow) -> SigningKey:
    """Returns the key of a site's receipts that belongs to a secret key. Raises SignaturesMissing.

    The site's salt is in it: after the deletion of a site its secret key alone signs no receipt any more.
    """
    return SigningKey(derived(secret_key, b"\0".join((_PURPOSE, site.key.encode(), site.salt.encode()))))
