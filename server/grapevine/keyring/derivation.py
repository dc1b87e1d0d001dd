"""What is derived from a secret key: its public fingerprint, and a key for each purpose."""

from __future__ import annotations

import hmac
from typing import Final

FINGERPRINT_LENGTH: Final = 16
_FINGERPRINT: Final = b"grapevine.key.fingerprint"


def fingerprint(key: bytes) -> str:
    """Returns a key's public name, 64 bits in hex. Nothing that the key signs or encrypts follows from it."""
    return derived(key, _FINGERPRINT).hex()[:FINGERPRINT_LENGTH]


def derived(key: bytes, purpose: bytes) -> bytes:
    """Returns the 32 bytes that belong to a key and a purpose: HMAC-SHA-256 (RFC 2104) as a pseudorandom function."""
    return hmac.digest(key, purpose, "sha256")
