"""Fingerprints and derived keys: HMAC-SHA-256, the same for ever."""

from __future__ import annotations

import hashlib
import hmac

from grapevine.keyring.derivation import FINGERPRINT_LENGTH, derived, fingerprint

KEY = b"a-key-of-an-installation"


def test_a_fingerprint_is_what_databases_have_stored() -> None:
    expected = hmac.new(KEY, b"grapevine.key.fingerprint", hashlib.sha256).hexdigest()
    assert fingerprint(KEY) == expected[:FINGERPRINT_LENGTH] == "ae56e2dadd263faf"


def test_each_purpose_has_a_key_of_its_own() -> None:
    keys = {derived(key, purpose) for key in (KEY, KEY + b"x") for purpose in (b"one", b"other")}
    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}
