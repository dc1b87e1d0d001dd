"""Sealed texts: opened with their key in their place alone, and refused when a single byte is another."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.keyring.encryption import SealError, is_sealed, key_name, seal, sealed_with_nonce, unseal

KEY, OTHER = b"a-key-of-an-installation", b"another-key-of-the-same"
PLACE = "webhook wh_1"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_format_is_what_databases_have_stored() -> None:
    nonce = bytes(range(16))
    encrypt = hmac.digest(KEY, b"grapevine.seal.encrypt", "sha256")
    stream = hmac.digest(encrypt, nonce + bytes(8), "sha256") + hmac.digest(encrypt, nonce + bytes(7) + b"\1", "sha256")
    ciphertext = bytes(one ^ other for one, other in zip(SECRET.encode(), stream, strict=False))
    name = hmac.digest(KEY, b"grapevine.key.fingerprint", "sha256").hex()[:16]
    parts = [b"sealed1", name.encode(), PLACE.encode(), nonce, ciphertext]
    text = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    tag = hmac.new(hmac.digest(KEY, b"grapevine.seal.authenticate", "sha256"), text, hashlib.sha256).digest()
    expected = base64.urlsafe_b64encode(nonce + ciphertext + tag).decode()
    assert sealed_with_nonce(SECRET, KEY, PLACE, nonce) == f"sealed1.{name}.{expected}"


@given(st.text(max_size=200), st.binary(min_size=16, max_size=80))
def test_what_is_sealed_can_be_opened(text: str, key: bytes) -> None:
    sealed = seal(text, key, PLACE)
    assert is_sealed(sealed)
    assert unseal(sealed, [OTHER, key], PLACE) == text


def test_two_seals_of_one_text_have_nothing_in_common() -> None:
    one, other = (base64.urlsafe_b64decode(seal(SECRET, KEY, PLACE).split(".")[2]) for _ in range(2))
    assert len(one) == 16 + len(SECRET) + 32
    assert sum(a == b for a, b in zip(one, other, strict=True)) < len(one) // 4
    assert SECRET.encode()[6:] not in one


def test_every_changed_byte_is_noticed() -> None:
    version, name, encoded = seal(SECRET, KEY, PLACE).split(".")
    body = base64.urlsafe_b64decode(encoded)
    for index in range(len(body)):
        changed = body[:index] + bytes([body[index] ^ 1]) + body[index + 1 :]
        with pytest.raises(SealError, match="changed, or belongs elsewhere"):
            unseal(f"{version}.{name}.{base64.urlsafe_b64encode(changed).decode()}", [KEY], PLACE)


def test_it_belongs_to_its_place_and_its_key() -> None:
    sealed = seal(SECRET, KEY, PLACE)
    with pytest.raises(SealError, match="belongs elsewhere"):
        unseal(sealed, [KEY], "webhook wh_2")
    with pytest.raises(SealError, match=f"under the key {key_name(sealed)}, which is not among the secret keys"):
        unseal(sealed, [OTHER], PLACE)
    relabelled = sealed.replace(key_name(sealed), key_name(seal("", OTHER, PLACE)))
    with pytest.raises(SealError, match="belongs elsewhere"):
        unseal(relabelled, [KEY, OTHER], PLACE)


@pytest.mark.parametrize(
    "text", ["", "sealed1", "sealed1.x", "sealed1.x.y", "sealed1.x.!!!!", "sealed2.x.eA==", "sealed1.é.é", SECRET]
)
def test_what_is_no_sealed_text_is_refused(text: str) -> None:
    with pytest.raises(SealError, match="it is no sealed text"):
        unseal(text, [KEY], PLACE)
