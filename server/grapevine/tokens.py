"""Share tokens: 23 letters and digits that name one share and that only this server can have written.

A token is 17 bytes as one base62 number, most significant digit first:

    payload    72 bits   version 2 | channel 7 | n 3 | visit id 60, big-endian
    signature  64 bits   the (channel mod 8)-th eight bytes of HMAC-SHA-512(site key, payload with the channel's
                         low three bits zeroed)

The slices of one HMAC are independent of each other, so one hash signs eight channels of a visit, and every bit of the
payload is bound: the zeroed bits choose the slice. A **session** is the same format with channel code 127; it speaks
for the visit itself and is refused wherever a share token is wanted.

Keys come from itsdangerous: a list from oldest to newest, of which the newest signs and all verify, derived per
purpose and site by HMAC-SHA-512.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from itsdangerous import Signer
from itsdangerous.signer import SigningAlgorithm

from grapevine import channels, ids

LENGTH: Final = 23
VERSION: Final = 1
LAST_N: Final = 7
"""The highest share number a token can carry: the eighth act on a channel and all later ones."""

_PAYLOAD_BYTES: Final = 9
_SIGNATURE_BYTES: Final = 8
_SIGNATURE_BITS: Final = 64
_TOO_LARGE: Final = 1 << 136
_SLICE_BITS: Final = 7 << 63


class TokenError(ValueError):
    """A text that is no valid token of the site. ``reason`` is the contract's name for why."""

    reason: str


class NotAToken(TokenError):
    """Wrong length or alphabet: this was never a token."""

    reason = "not-a-token"


class BadSignature(TokenError):
    """Shaped like a token, but not signed by a key of this site, or not spelled the one way a token is spelled."""

    reason = "bad-signature"


class Token(NamedTuple):
    """What a valid token says: the ``n``-th share through the channel ``channel`` (a code) in visit ``visit_id``."""

    visit_id: int
    channel: int
    n: int

    @property
    def is_session(self) -> bool:
        """Whether it is the visit's own credential instead of a share."""
        return self.channel == channels.SESSION


class _WholeDigest(SigningAlgorithm):
    """HMAC-SHA-512 with all 64 bytes kept; the token's channel picks its eight of them."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha512")


class Tokens:
    """Mints and reads the tokens of one site.

    ``keys`` are the server's secrets from oldest to newest, ``salt`` is the site's own. Deriving a key costs as much as
    minting several tokens, so an instance is kept per site.
    """

    def __init__(self, keys: Sequence[bytes], salt: bytes) -> None:
        signer = Signer(
            list(keys),
            salt=b"grapevine.share." + salt,
            key_derivation="hmac",
            digest_method="sha512",
            algorithm=_WholeDigest(),
        )
        self._digest = signer.algorithm.get_signature
        self._derived = [signer.derive_key(key) for key in reversed(signer.secret_keys)]

    def mint(self, visit_id: int, codes: Iterable[int], n: int = 0) -> list[str]:
        """The tokens of the ``n``-th share in a visit through each of the channels ``codes``, in their order."""
        digests: dict[int, bytes] = {}
        minted = []
        for code in codes:
            payload = VERSION << 70 | code << 63 | n << 60 | visit_id
            unsliced = payload & ~_SLICE_BITS
            digest = digests.get(unsliced)
            if digest is None:
                digest = digests[unsliced] = self._digest(self._derived[0], unsliced.to_bytes(_PAYLOAD_BYTES, "big"))
            signature = int.from_bytes(_eighth(digest, code), "big")
            minted.append(ids.to_base62(payload << _SIGNATURE_BITS | signature, LENGTH))
        return minted

    def session(self, visit_id: int) -> str:
        """The visit's own credential, which never goes into a URL."""
        return self.mint(visit_id, (channels.SESSION,))[0]

    def read(self, text: str) -> Token:
        """What ``text`` says, share token or session. Raises NotAToken or BadSignature."""
        value = ids.from_base62(text) if len(text) == LENGTH else None
        if value is None:
            raise NotAToken(_why_not(text))
        if value >= _TOO_LARGE:
            raise BadSignature("the number it spells is larger than any token")
        payload = value >> _SIGNATURE_BITS
        code = payload >> 63 & 0x7F
        if payload >> 70 != VERSION:
            raise BadSignature(f"it is of version {payload >> 70}, and this server knows version {VERSION} only")
        if code not in channels.NAMES and code != channels.SESSION:
            raise BadSignature(f"it names channel {code}, which does not exist")
        signature = (value & (1 << _SIGNATURE_BITS) - 1).to_bytes(_SIGNATURE_BYTES, "big")
        signed = (payload & ~_SLICE_BITS).to_bytes(_PAYLOAD_BYTES, "big")
        for key in self._derived:
            if hmac.compare_digest(_eighth(self._digest(key, signed), code), signature):
                return Token(payload & (1 << 60) - 1, code, payload >> 60 & LAST_N)
        raise BadSignature("no key of this site signed it")


def next_n(n: int) -> int:
    """The number of the share after the ``n``-th on the same channel."""
    return min(n + 1, LAST_N)


def _why_not(text: str) -> str:
    if len(text) != LENGTH:
        count = f"{len(text)} character{'' if len(text) == 1 else 's'}"
        return f"it has {count}, and a token has {LENGTH}"
    place, wrong = next((place, one) for place, one in enumerate(text, 1) if one not in ids.ALPHABET)
    return f"{wrong!r} at place {place} is no letter or digit from 0-9, A-Z, a-z"


def _eighth(digest: bytes, code: int) -> bytes:
    start = code % 8 * _SIGNATURE_BYTES
    return digest[start : start + _SIGNATURE_BYTES]
