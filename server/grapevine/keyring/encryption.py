"""Authenticated encryption of a short text under a secret key, from the standard library (docs/decisions/0045).

Encrypt-then-MAC (Bellare and Namprempre 2000): the text XOR a keystream, then HMAC-SHA-256 over everything. The
keystream is HMAC-SHA-256 of nonce and counter, a pseudorandom function in counter mode (NIST SP 800-108, 4.1). Both
keys are derived from the secret key, each for its purpose. A nonce has 128 random bits; one that repeated would show
how two texts differ, which is not to be expected before 2⁶⁴ of them.

    sealed1.FINGERPRINT.BASE64URL(nonce ‖ ciphertext ‖ tag)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

from grapevine.errors import GrapevineError
from grapevine.keyring.derivation import derived, fingerprint

_VERSION: Final = "sealed1"
_NONCE_BYTES: Final = 16
_TAG_BYTES: Final = 32
_ENCRYPT: Final = b"grapevine.seal.encrypt"
_AUTHENTICATE: Final = b"grapevine.seal.authenticate"


class SealError(GrapevineError):
    """A sealed text cannot be opened: its key is missing, it was changed, or it belongs elsewhere."""


def seal(text: str, key: bytes, place: str) -> str:
    """Returns ``text`` encrypted under ``key``; it can be opened as that of the same ``place`` only."""
    return sealed_with_nonce(text, key, place, secrets.token_bytes(_NONCE_BYTES))


def sealed_with_nonce(text: str, key: bytes, place: str, nonce: bytes) -> str:
    """As ``seal``, with a given nonce of 16 bytes, which no other text may have."""
    ciphertext = _xor(text.encode(), key, nonce)
    name = fingerprint(key)
    body = nonce + ciphertext + _tag(key, name, place, nonce, ciphertext)
    return f"{_VERSION}.{name}.{base64.urlsafe_b64encode(body).decode()}"


def is_sealed(text: str) -> bool:
    """Returns whether ``text`` is a sealed one."""
    return text.startswith(f"{_VERSION}.")


def key_name(sealed: str) -> str:
    """Returns the fingerprint of the key under which a text is sealed."""
    return sealed.split(".")[1]


def unseal(sealed: str, keys: Iterable[bytes], place: str) -> str:
    """Returns the text in ``sealed``. Raises SealError."""
    try:
        version, name, encoded = sealed.split(".")
        body = base64.b64decode(encoded, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise SealError("it is no sealed text") from None
    if version != _VERSION or len(body) < _NONCE_BYTES + _TAG_BYTES:
        raise SealError("it is no sealed text")
    key = next((each for each in keys if fingerprint(each) == name), None)
    if key is None:
        raise SealError(f"it is encrypted under the key {name}, which is not among the secret keys")
    nonce, ciphertext, tag = body[:_NONCE_BYTES], body[_NONCE_BYTES:-_TAG_BYTES], body[-_TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(key, name, place, nonce, ciphertext)):
        raise SealError("it was changed, or belongs elsewhere")
    return _xor(ciphertext, key, nonce).decode()


def _tag(key: bytes, name: str, place: str, nonce: bytes, ciphertext: bytes) -> bytes:
    """Returns the tag of 32 bytes; each part is preceded by its length, so that no two sets of parts are one text."""
    mac = hmac.new(derived(key, _AUTHENTICATE), digestmod=hashlib.sha256)
    for part in (_VERSION.encode(), name.encode(), place.encode(), nonce, ciphertext):
        mac.update(len(part).to_bytes(8, "big") + part)
    return mac.digest()


def _xor(text: bytes, key: bytes, nonce: bytes) -> bytes:
    own = derived(key, _ENCRYPT)
    stream = b"".join(
        derived(own, nonce + counter.to_bytes(8, "big"))
        for counter in range(-(-len(text) // hashlib.sha256().digest_size))
    )
    return bytes(one ^ other for one, other in zip(text, stream, strict=False))
