"""Verifies receipts and revocations with public keys alone: no database, no network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from grapevine.domain.urls import UrlError, origin_of
from grapevine.errors import GrapevineError
from grapevine.receipts.document import RECEIPT_TYPE, REVOCATION_TYPE, Receipt, Revocation
from grapevine.receipts.ed25519 import PUBLIC_BYTES, is_signed, require_signatures, thumbprint
from grapevine.receipts.jws import NotSigned, decoded, parse

MOST_KEYS: Final = 1_000
"""Keys of a set that are read: ten times as many as a server shows."""

Keys = Mapping[str, bytes]
"""Public keys of 32 bytes by their ``kid``."""

_S = TypeVar("_S", Receipt, Revocation)


class UnknownKey(GrapevineError):
    """The key that is named is not among those given; ``kid`` is its name."""

    def __init__(self, kid: str) -> None:
        super().__init__(f"it is signed with the key {kid}, which is not among the keys given")
        self.kid = kid


class Altered(GrapevineError):
    """The signature is not one of this text."""


class _Key(msgspec.Struct, frozen=True):
    kty: str = ""
    crv: str = ""
    kid: str = ""
    x: str = ""


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[_Key]


def read_keys(data: bytes) -> dict[str, bytes]:
    """Returns the Ed25519 keys of a JSON Web Key Set by their ``kid``; keys of other kinds are passed over.

    A key whose name is not its thumbprint is refused: so no set can give one key the name of another. Raises NotSigned.
    """
    try:
        found = msgspec.json.decode(data, type=_KeySet)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotSigned(f"they are no JSON Web Key Set: {error}") from None
    if len(found.keys) > MOST_KEYS:
        raise NotSigned(f"they are {len(found.keys)} keys, and at most {MOST_KEYS} are read")
    keys: dict[str, bytes] = {}
    for each in found.keys:
        if (each.kty, each.crv) != ("OKP", "Ed25519"):
            continue
        public_key = decoded(each.x)
        if len(public_key) != PUBLIC_BYTES or each.kid != thumbprint(each.x):
            raise NotSigned(f"the key {each.kid[:50]!r} is not the one that its name stands for")
        keys[each.kid] = public_key
    return keys


def verify_receipt(text: str, keys: Keys) -> Receipt:
    """Returns what a receipt says. Raises NotSigned, UnknownKey, Altered, SignaturesMissing."""
    return _verified(text, keys, RECEIPT_TYPE, Receipt)


def verify_revocation(text: str, keys: Keys) -> Revocation:
    """Returns what a revocation says. Raises as ``verify_receipt``."""
    return _verified(text, keys, REVOCATION_TYPE, Revocation)


def claimed(text: str) -> Receipt:
    """Returns what a text claims to be a receipt of, without any check of its signature: where its keys are asked for.
    Raises NotSigned."""
    return _payload(parse(text).payload, Receipt)


def issuer_origin(address: str) -> str:
    """Returns the origin that the address of a server stands for, however it is written. Raises UrlError where it is
    more than an origin, or none."""
    origin = origin_of(address)
    parts = urlsplit(address)
    if parts.path not in ("", "/") or "?" in address or "#" in address:
        raise UrlError(f"is more than the address of a server; that is {origin}")
    return origin


def _verified(text: str, keys: Keys, typ: str, kind: type[_S]) -> _S:
    require_signatures()
    read = parse(text)
    if read.header.typ != typ:
        raise NotSigned(f"its type is {read.header.typ[:40]!r}, not {typ}")
    public_key = keys.get(read.header.kid)
    if public_key is None:
        raise UnknownKey(read.header.kid)
    if not is_signed(public_key, read.signature, read.signed):
        raise Altered("the signature is not one of this text: a character of it was changed, or somebody else made it")
    return _payload(read.payload, kind)


def _payload(data: bytes, kind: type[_S]) -> _S:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotSigned(f"what it says is not in a form that this version reads: {error}") from None
