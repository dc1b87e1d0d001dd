"""The signatures of receipts: the vectors of RFC 8037, keys of a site, and what another library makes of them."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from grapevine.errors import GrapevineError
from grapevine.receipts.document import RECEIPT_TYPE, Header, PublicKeys
from grapevine.receipts.ed25519 import SignaturesMissing, SigningKey, is_signed, jwk, require_signatures, thumbprint
from grapevine.receipts.jws import compact, decoded, encoded, signing_input
from grapevine.receipts.keys import signing_key
from grapevine.receipts.pseudonyms import new_salt, pseudonym
from grapevine.receipts.verification import read_keys, verify_receipt
from tests.unit.receipts.made_receipts import RECEIPT, site_row

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")

SEED = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
PUBLIC = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
KID = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
SIGNED = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
SIGNATURE = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"


def test_keys_and_signatures_are_those_of_rfc_8037() -> None:
    key = SigningKey(decoded(SEED))
    assert (key.public_key, key.kid, thumbprint(PUBLIC)) == (PUBLIC, KID, KID)  # A.2, A.3
    assert encoded(key.sign(SIGNED.encode())) == SIGNATURE  # A.4
    assert is_signed(decoded(PUBLIC), decoded(SIGNATURE), SIGNED.encode())  # A.5
    assert not is_signed(decoded(PUBLIC), decoded(SIGNATURE), SIGNED.encode() + b".")
    assert not is_signed(bytes(31), decoded(SIGNATURE), SIGNED.encode())


def test_another_library_verifies_a_receipt_with_the_key_set() -> None:
    key = signing_key(b"a-secret-key-of-an-installation", site_row("site-a"))
    signed = signing_input(Header(alg="EdDSA", kid=key.kid, typ=RECEIPT_TYPE), RECEIPT)
    text = compact(signed, key.sign(signed))
    known = json.loads(json.dumps({"keys": [as_json(key)]}))
    read = jws.deserialize_compact(text, KeySet.import_key_set(known), algorithms=["EdDSA"])
    assert json.loads(read.payload)["receipt"] == RECEIPT.receipt
    assert verify_receipt(text, read_keys(json.dumps(known).encode())) == RECEIPT


def as_json(key: SigningKey) -> dict[str, str]:
    import msgspec

    return dict(json.loads(msgspec.json.encode(PublicKeys(keys=[jwk(key.kid, key.public_key)])))["keys"][0])


def test_each_secret_key_and_site_has_a_key_of_its_own() -> None:
    one, other = b"a-secret-key-of-an-installation", b"another-secret-key-of-the-same."
    rows = [site_row("site-a"), site_row("site-b"), site_row("site-a", salt="ff" * 16)]
    made = [signing_key(secret, row).kid for secret in (one, other) for row in rows]
    assert len(set(made)) == len(made)
    assert signing_key(one, rows[0]).kid == made[0]


def test_a_private_key_is_never_printed() -> None:
    secret = b"a-secret-key-of-an-installation"
    key = signing_key(secret, site_row("site-a"))
    assert repr(key) == f"SigningKey(kid='{key.kid}')"
    assert secret.decode() not in f"{key} {key!r} {vars(key)}"


def test_a_pseudonym_says_nothing_without_its_key() -> None:
    salts = [new_salt() for _ in range(50)]
    made = [pseudonym(salt, visit) for salt in salts for visit in (1, 2, 1 << 59)]
    assert len(set(made)) == len(made)
    assert {len(each) for each in made} == {22}
    assert pseudonym(salts[0], 1) == made[0]


def test_without_the_package_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(
        name: str,
        given: Mapping[str, Any] | None = None,
        local: Mapping[str, Any] | None = None,
        wanted: Sequence[str] = (),
        level: int = 0,
    ) -> Any:
        if name.startswith("cryptography"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, given, local, wanted, level)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SignaturesMissing, match=r"need the package cryptography .*: pip install 'grapevine-share\["):
        require_signatures()
    assert issubclass(SignaturesMissing, GrapevineError)
