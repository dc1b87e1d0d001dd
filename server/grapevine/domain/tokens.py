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

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Final, NamedTuple

import msgspec
from itsdangerous import Signer

from grapevine.domain import channels, ids

LENGTH: Final = 23
VERSION: Final = 1
LAST_N: Final = 7
"""The highest share number a token can carry: the eighth act on a channel and all later ones."""

_PAYLOAD_BYTES: Final = 9
_SIGNATURE_BYTES: Final = 8
_SIGNATURE_BITS: Final = 64
_TOKEN_BYTES: Final = 17
_TOO_LARGE: Final = 1 << 136
_CODES: Final = frozenset({*channels.NAMES, channels.SESSION})
_SHIFTED_CODES: Final = tuple(code << 127 for code in range(128))
_SLICES: Final = Struct(">8Q").unpack
_SLICE: Final = 7
"""The bits of a channel's code that choose its slice."""


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
    """The content of a valid token: the ``n``-th share through ``channel`` (a code) in visit ``visit_id``."""

    visit_id: int
    channel: int
    n: int

    @property
    def is_session(self) -> bool:
        """Whether the token is the visit's own credential, not a share token."""
        return self.channel == channels.SESSION


class Unverified(msgspec.Struct, frozen=True, gc=False):
    """What a text says that is shaped like a token, and the signature that has to be found behind ``start`` in the hash
    of ``message``."""

    token: Token
    message: bytes
    start: int
    signature: bytes


class Tokens:
    """Mints and reads the tokens of one site.

    ``keys`` are the server's secrets from oldest to newest, ``salt`` is the site's own. Deriving a key costs as much as
    minting several tokens, so an instance is kept per site.
    """

    def __init__(self, keys: Sequence[bytes], salt: bytes) -> None:
        signer = Signer(
            list(keys), salt=b"grapevine.share." + salt, key_derivation="hmac", digest_method=hashlib.sha512
        )
        # Each token copies an HMAC that has hashed its key, which is cheaper than hashing the key for every token.
        self._macs = [hmac.new(signer.derive_key(key), digestmod="sha512").copy for key in reversed(signer.secret_keys)]

    def visit_named(self, text: str) -> int:
        """Returns the visit that a token of this site, or a visit's id, names. Raises TokenError."""
        number = ids.visit_number(text)
        return self.read(text).visit_id if number is None else number

    def mint(self, visit_id: int, codes: Iterable[int], n: int = 0) -> list[str]:
        """The tokens of the ``n``-th share in a visit through each of the channels ``codes``, in their order."""
        visit, token_text = VERSION << 70 | n << 60 | visit_id, ids.token_text
        shifted = visit << _SIGNATURE_BITS
        groups: dict[int, tuple[int, ...]] = {}
        minted = []
        for code in codes:
            group = code >> 3
            slices = groups.get(group)
            if slices is None:
                mac = self._macs[0]()
                mac.update((visit | group << 66).to_bytes(_PAYLOAD_BYTES, "big"))
                slices = groups[group] = _SLICES(mac.digest())
            minted.append(token_text(shifted | _SHIFTED_CODES[code] | slices[code & _SLICE]))
        return minted

    def mint_one(self, visit_id: int, code: int, n: int = 0) -> str:
        """The token of the ``n``-th share through one channel: cheaper than a list of one. Raises ValueError for an
        ``n`` above ``LAST_N``, which would reach into the channel."""
        if n > LAST_N:
            raise ValueError(f"a token has no room for the number {n}")
        visit = VERSION << 70 | n << 60 | visit_id
        mac = self._macs[0]()
        mac.update((visit | code >> 3 << 66).to_bytes(_PAYLOAD_BYTES, "big"))
        slices = _SLICES(mac.digest())
        return ids.token_text(visit << _SIGNATURE_BITS | _SHIFTED_CODES[code] | slices[code & _SLICE])

    def session(self, visit_id: int) -> str:
        """The visit's own credential, which never goes into a URL."""
        return self.mint_one(visit_id, channels.SESSION)

    def is_session_of(self, text: str, visit_id: int) -> bool:
        """Whether ``text`` is the visit's session, signed by the newest key: writing that anew costs less than reading
        ``text``. False says nothing of one that an older key signed."""
        return text.isascii() and hmac.compare_digest(self.session(visit_id), text)

    def read(self, text: str) -> Token:
        """Returns the content of ``text``, a share token or a session. Raises NotAToken or BadSignature."""
        unverified = parse(text)
        if not self.signed(unverified):
            raise BadSignature("no key of this site signed it")
        return unverified.token

    def signed(self, unverified: Unverified) -> bool:
        """Whether a key of this site signed a token."""
        start = unverified.start
        for new_mac in self._macs:
            mac = new_mac()
            mac.update(unverified.message)
            if hmac.compare_digest(mac.digest()[start : start + _SIGNATURE_BYTES], unverified.signature):
                return True
        return False


def parse(text: str) -> Unverified:
    """Returns what ``text`` says, whoever signed it.

    Raises NotAToken, or BadSignature where no site can have signed it.
    """
    value = ids.token_number(text) if len(text) == LENGTH else None
    if value is None:
        raise NotAToken(_why_not(text))
    if value >= _TOO_LARGE:
        raise BadSignature("the number it spells is larger than any token")
    payload = value >> _SIGNATURE_BITS
    code = payload >> 63 & 0x7F
    if payload >> 70 != VERSION:
        raise BadSignature(f"it is of version {payload >> 70}, and this server knows version {VERSION} only")
    if code not in _CODES:
        raise BadSignature(f"it names channel {code}, which does not exist")
    return Unverified(
        token=Token(payload & (1 << 60) - 1, code, payload >> 60 & LAST_N),
        message=(payload & ~(_SLICE << 63)).to_bytes(_PAYLOAD_BYTES, "big"),
        start=(code & _SLICE) * _SIGNATURE_BYTES,
        signature=value.to_bytes(_TOKEN_BYTES, "big")[_PAYLOAD_BYTES:],
    )


def next_n(n: int) -> int:
    """The number of the share after the ``n``-th on the same channel."""
    return min(n + 1, LAST_N)


def _why_not(text: str) -> str:
    if len(text) != LENGTH:
        count = f"{len(text)} character{'' if len(text) == 1 else 's'}"
        return f"it has {count}, and a token has {LENGTH}"
    position, wrong = next((at, one) for at, one in enumerate(text, 1) if one not in ids.ALPHABET)
    return f"{wrong!r} at place {position} is no letter or digit from 0-9, A-Z, a-z"
