"""Receipts that somebody altered, forged or made up: each is refused, and says why."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.receipts.document import REVOCATION_TYPE, PublicKeys
from grapevine.receipts.ed25519 import jwk
from grapevine.receipts.jws import MOST_BYTES, NotSigned, decoded, encoded, parse
from grapevine.receipts.verification import (
    MOST_KEYS,
    Altered,
    Keys,
    UnknownKey,
    claimed,
    read_keys,
    verify_receipt,
    verify_revocation,
)
from tests.unit.receipts.made_receipts import RECEIPT, REVOCATION, key_of, signed

OURS = key_of()
TEXT = signed()
HEADER, PAYLOAD, SIGNATURE = TEXT.split(".")


def keys_of(*keys: Any) -> Keys:
    return read_keys(msgspec.json.encode(PublicKeys(keys=[jwk(key.kid, key.public_key) for key in keys])))


KEYS = keys_of(OURS)


def header(**fields: Any) -> str:
    return encoded(json.dumps({"alg": "EdDSA", "kid": OURS.kid, "typ": "grapevine-receipt+json"} | fields).encode())


def signed_header(text: str) -> str:
    """A receipt whose header is another one, and which its key signed like that."""
    data = f"{text}.{PAYLOAD}".encode()
    return f"{data.decode()}.{encoded(OURS.sign(data))}"


def test_a_good_one_is_read() -> None:
    assert verify_receipt(TEXT, KEYS) == claimed(TEXT) == RECEIPT
    revocation = signed(REVOCATION, typ=REVOCATION_TYPE)
    assert verify_revocation(revocation, KEYS) == REVOCATION


def test_every_changed_character_is_noticed() -> None:
    for position, character in enumerate(TEXT):
        changed = TEXT[:position] + chr(ord(character) ^ 1 << position % 7) + TEXT[position + 1 :]
        with pytest.raises((NotSigned, Altered, UnknownKey)):
            verify_receipt(changed, KEYS)


def test_other_algorithms_and_headers_are_refused_before_any_key() -> None:
    confused = hmac.digest(decoded(OURS.public_key), f"{header(alg='HS256')}.{PAYLOAD}".encode(), "sha512")
    for text in (
        f"{header(alg='none')}.{PAYLOAD}.",
        f"{header(alg='none')}.{PAYLOAD}.{SIGNATURE}",
        f"{header(alg='None')}.{PAYLOAD}.{SIGNATURE}",
        f"{header(alg='HS256')}.{PAYLOAD}.{encoded(confused)}",
        f"{header(alg='HS512')}.{PAYLOAD}.{encoded(confused)}",
        signed_header(header(alg="Ed25519")),
        signed_header(header(alg="eddsa")),
        signed_header(header(alg=["EdDSA"])),
        signed_header(header(crit=["b64"], b64=False)),
        signed_header(header(crit=[])),
        signed_header(header(jwk={"kty": "OKP", "crv": "Ed25519", "x": OURS.public_key})),
        signed_header(header(jku="https://evil.example/keys")),
        signed_header(header(x5u="https://evil.example/keys")),
        signed_header(header(kid="../../etc/passwd")),
        signed_header(header(kid=None)),
        signed_header(header(typ="grapevine-revocation+json")),
        signed_header(header(typ="JWT")),
        signed_header(encoded(b"[]")),
        signed_header(encoded(b"{}")),
        signed_header(encoded(b"\xff")),
        signed_header(encoded(b'{"alg":"EdDSA"' + b"[" * 10_000)),
    ):
        with pytest.raises(NotSigned):
            verify_receipt(text, KEYS)


def test_the_key_is_the_one_that_is_named() -> None:
    other_site, other_secret = key_of("site-b"), key_of(secret=b"another-secret-key-of-the-same.")
    for key in (other_site, other_secret):
        with pytest.raises(UnknownKey, match=key.kid):
            verify_receipt(signed(key=key), KEYS)
        data = f"{HEADER}.{PAYLOAD}".encode()  # it says that our key signed it
        with pytest.raises(Altered):
            verify_receipt(f"{data.decode()}.{encoded(key.sign(data))}", keys_of(OURS, key))
    swapped = f"{header(kid=other_site.kid)}.{PAYLOAD}.{SIGNATURE}"
    with pytest.raises(Altered):
        verify_receipt(swapped, keys_of(OURS, other_site))


def test_no_key_set_gives_a_key_the_name_of_another() -> None:
    other = key_of("site-b")
    for entry in (
        {"kty": "OKP", "crv": "Ed25519", "kid": OURS.kid, "x": other.public_key},
        {"kty": "OKP", "crv": "Ed25519", "kid": "", "x": OURS.public_key},
        {"kty": "OKP", "crv": "Ed25519", "kid": OURS.kid, "x": OURS.public_key + "="},
        {"kty": "OKP", "crv": "Ed25519", "kid": OURS.kid, "x": "AA"},
    ):
        with pytest.raises(NotSigned):
            read_keys(json.dumps({"keys": [entry]}).encode())
    foreign = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": OURS.kid}
    assert read_keys(json.dumps({"keys": [foreign]}).encode()) == {}
    for text in (
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"keys":' + b"[" * 100_000,
        json.dumps({"keys": [foreign] * (MOST_KEYS + 1)}).encode(),
    ):
        with pytest.raises(NotSigned):
            read_keys(text)


def test_one_spelling_of_each_part() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(SIGNATURE[-1])
    unused = SIGNATURE[:-1] + alphabet[last ^ 1]  # 64 bytes leave four bits of the last character unused
    for signature in (f"{SIGNATURE}==", unused, f"{SIGNATURE}\n", f" {SIGNATURE}", f"{SIGNATURE}A", SIGNATURE[:-1], ""):
        with pytest.raises(NotSigned):
            parse(f"{HEADER}.{PAYLOAD}.{signature}")
    standard = base64.b64encode(bytes([251, 255, 190])).decode()
    with pytest.raises(NotSigned):
        decoded(standard)
    for text in ("", ".", "..", "...", f"{TEXT}.", f".{TEXT}", f"{HEADER}.{PAYLOAD}", "é.é.é", "\0.\0.\0"):
        with pytest.raises(NotSigned):
            parse(text)


def test_a_huge_text_is_refused_unread() -> None:
    with pytest.raises(NotSigned, match=f"more than {MOST_BYTES}"):
        parse("." * (MOST_BYTES + 1))


def test_a_signed_text_that_is_no_receipt_is_refused() -> None:
    class Other(msgspec.Struct):
        format: str = "grapevine-receipt/2"

    with pytest.raises(NotSigned, match="not in a form that this version reads"):
        verify_receipt(signed(Other()), KEYS)
    with pytest.raises(NotSigned, match="its type is"):
        verify_receipt(signed(REVOCATION, typ=REVOCATION_TYPE), KEYS)
    with pytest.raises(NotSigned, match="its type is"):
        verify_revocation(TEXT, KEYS)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: f"{HEADER}.{encoded(data)}.{SIGNATURE}"))
def test_whatever_else_there_is_is_no_receipt(text: str) -> None:
    if text != TEXT:
        with pytest.raises((NotSigned, Altered, UnknownKey)):
            verify_receipt(text, KEYS)
