"""Derives visit ids and guard keys from nonces."""

from __future__ import annotations

import secrets
from hashlib import blake2b
from typing import Final

from grapevine.domain import ids
from grapevine.domain.events import VisitEvent
from grapevine.store.repositories.salts import SaltRepository

GUARD_VISITOR: Final = 1
GUARD_VIEW: Final = 2
GUARD_UNLINKED: Final = 3
GUARD_CONVERSION: Final = 4
GUARD_CLICK: Final = 5
GUARD_CLICK_ID: Final = 7  # 6 is `receipts.GUARD_RECEIPT`
"""The kinds of events that a guard keeps from happening twice."""

_HASH_BYTES: Final = 16
_KEY_BYTES: Final = 32


class Nonces:
    """Keyed BLAKE2b (RFC 7693) over the key of an event that must happen once. ``key`` never changes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def identify(self, event: VisitEvent, attempt: int) -> tuple[int, int]:
        """The visit id of an arrival at the ``attempt``-th try, and the 32 bits that tell its retry from a collision.

        Both come from site, nonce and attempt. A visit that came with a token lives in the token's cell, any other one
        in a cell of its site.
        """
        bits = self._hash(f"visit {event.site_id} {event.nonce} {attempt}")
        token = event.token
        if token is None:
            cell = ids.cell_of_site(event.site_id, event.spread, bits & ids.CELLS - 1)
        else:
            cell = ids.cell_of(token.visit_id)
        return ids.pack(event.day, cell, bits >> 16 & 0xFFFF_FFFF), (bits >> 48 & 0xFFFF_FFFF) - 0x8000_0000

    def identify_link(self, site_id: int, spread: int, nonce: str, attempt: int, now: int) -> int:
        """Returns the visit id of a minted link at the ``attempt``-th try, in one of the cells of its site."""
        bits = self._hash(f"link {site_id} {nonce} {attempt}")
        cell = ids.cell_of_site(site_id, spread, bits & ids.CELLS - 1)
        return ids.pack(ids.day_at(now), cell, bits >> 16 & 0xFFFF_FFFF)

    def guard_key(self, *parts: object) -> int:
        """64 signed bits that stand for something that must happen once."""
        return (self._hash(" ".join(map(str, parts))) & (1 << 64) - 1) - (1 << 63)

    def _hash(self, text: str) -> int:
        return int.from_bytes(blake2b(text.encode(), digest_size=_HASH_BYTES, key=self._key).digest(), "big")


async def load_nonces(salts: SaltRepository) -> Nonces:
    """Returns the nonces of a database, whose key is made at the first call ever."""
    return Nonces(bytes.fromhex(await salts.salt("nonce", 0, secrets.token_hex(_KEY_BYTES))))
