"""The keys of a process: which one signs, which a database refuses, and with which words."""

from __future__ import annotations

import re

import pytest

from grapevine.errors import SettingError
from grapevine.keyring.derivation import fingerprint
from grapevine.keyring.keyring import KeyRing, signing_order
from grapevine.store.repositories.fingerprints import KnownKey

OLD, NEW, STRANGE = b"the-old-key-of-two", b"the-new-key-of-two", b"a-key-from-elsewhere"
BOTH = [KnownKey(fingerprint(OLD), 1), KnownKey(fingerprint(NEW), 2)]
WAITING = [KnownKey(fingerprint(NEW), None), KnownKey(fingerprint(OLD), 1)]


@pytest.mark.parametrize(
    ("keys", "known", "expected"),
    [
        ([OLD, NEW], [], (OLD, NEW)),
        ([NEW, OLD], BOTH, (OLD, NEW)),
        ([OLD, NEW], WAITING, (NEW, OLD)),
        ([OLD], WAITING, (OLD,)),
    ],
)
def test_the_key_that_signs_is_the_last(keys: list[bytes], known: list[KnownKey], expected: tuple[bytes, ...]) -> None:
    assert signing_order(keys, known) == expected


@pytest.mark.parametrize(
    ("keys", "known", "says"),
    [
        ([STRANGE], BOTH, f"the keys {fingerprint(OLD)}, {fingerprint(NEW)}, which signs, are missing and the key"),
        ([OLD], BOTH, f"the key {fingerprint(NEW)}, which signs, is missing. Links that were shared would be refused"),
        ([NEW], BOTH, f"the key {fingerprint(OLD)} is missing. Links that were shared would be refused"),
        ([OLD, NEW, STRANGE], BOTH, f"the key {fingerprint(STRANGE)} is not known to the database. It may be another"),
        ([NEW], WAITING, f"the key {fingerprint(OLD)}, which signs, is missing."),
        ([], WAITING, f"the key {fingerprint(OLD)}, which signs, is missing."),
    ],
)
def test_other_keys_are_refused_with_the_reason_and_the_way_out(
    keys: list[bytes], known: list[KnownKey], says: str
) -> None:
    with pytest.raises(SettingError, match=f"^secret_keys: .*{re.escape(says)}.*grapevine secret accept$") as caught:
        signing_order(keys, known)
    assert not any(key.decode() in str(caught.value) for key in (OLD, NEW, STRANGE))


def test_a_ring_seals_under_the_key_that_signs_and_opens_with_all() -> None:
    ring = KeyRing([OLD])
    sealed = ring.seal("secret", "here")
    assert ring.is_current(sealed)
    ring.keys = (OLD, NEW)
    assert not ring.is_current(sealed)
    assert ring.unseal(sealed, "here") == "secret"
    assert not ring.is_current("a plain one of an earlier version")
    assert ring.unseal("a plain one of an earlier version", "here") == "a plain one of an earlier version"
