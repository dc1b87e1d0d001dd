"""JSON Web Signature, compact serialization (RFC 7515), with Ed25519 alone (RFC 8037), read strictly.

One spelling each: base64url without padding whose unused bits are zero, exactly three header fields. Other
algorithms, ``none`` among them, and headers that change how a signature is verified (``crit``, ``jwk``, ``x5u`` …) are
refused before any key is looked at.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final, NamedTuple

import msgspec

from grapevine.errors import GrapevineError
from grapevine.receipts.document import Header

MOST_BYTES: Final = 256 * 1024
"""Of a signed text. A receipt with 200 hops of five marks each has a quarter of it."""

_PARTS: Final = 3
_SIGNATURE_BYTES: Final = 64


class NotSigned(GrapevineError):
    """A text is no signature of the kind that is read here; the text says why."""


class SignedText(NamedTuple):
    """The parts of a signed text; nothing of it is verified. ``signed`` are the bytes that the signature is of."""

    header: Header
    payload: bytes
    signed: bytes
    signature: bytes


def signing_input(header: Header, payload: msgspec.Struct) -> bytes:
    """Returns the bytes to sign."""
    return f"{encoded(msgspec.json.encode(header))}.{encoded(msgspec.json.encode(payload))}".encode()


def compact(signed: bytes, signature: bytes) -> str:
    """Returns the signed text."""
    return f"{signed.decode()}.{encoded(signature)}"


def parse(text: str) -> SignedText:
    """Returns the parts of a signed text. Raises NotSigned."""
    if len(text) > MOST_BYTES:
        raise NotSigned(f"it has more than {MOST_BYTES} characters")
    parts = text.split(".")
    if len(parts) != _PARTS:
        raise NotSigned("it does not consist of three parts with a dot between them")
    header, payload, signature = (decoded(part) for part in parts)
    try:
        read = msgspec.json.decode(header, type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotSigned(f"its header is not one of a receipt: {error}") from None
    if len(signature) != _SIGNATURE_BYTES:
        raise NotSigned(f"its signature has {len(signature)} bytes, not {_SIGNATURE_BYTES}")
    return SignedText(read, payload, f"{parts[0]}.{parts[1]}".encode(), signature)


def encoded(data: bytes) -> str:
    """Returns base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Returns the bytes that base64url without padding spells. Raises NotSigned for every other spelling."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise NotSigned("a part of it is not base64url") from None
    if encoded(data) != text:
        raise NotSigned("a part of it is base64url in another spelling than the usual one")
    return data
