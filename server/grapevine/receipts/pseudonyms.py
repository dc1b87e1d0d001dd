"""Pseudonyms of those who shared: HMAC-SHA-256 (RFC 2104) under a random key that each receipt has for itself.

So two receipts about one person have nothing in common, and once the key is gone no pseudonym leads to anybody.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from grapevine.receipts.jws import decoded, encoded

_KEY_BYTES: Final = 32
_PSEUDONYM_BYTES: Final = 16


def new_salt() -> str:
    """Returns the key of a new receipt's pseudonyms: 256 random bits, base64url."""
    return encoded(secrets.token_bytes(_KEY_BYTES))


def pseudonym(salt: str, visit_id: int) -> str:
    """Returns the pseudonym of a visit in a receipt: 128 bits, base64url (22 characters)."""
    return encoded(hmac.digest(decoded(salt), visit_id.to_bytes(8, "big"), "sha256")[:_PSEUDONYM_BYTES])
