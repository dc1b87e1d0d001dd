"""The lines of docs/receipts.md that verify a receipt with another library do that, and no more."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from grapevine.receipts.document import REVOCATION_TYPE, PublicKeys, Receipt
from grapevine.receipts.ed25519 import jwk
from tests.unit.receipts.made_receipts import REVOCATION, key_of, signed


@pytest.fixture(scope="module")
def page(project_root: Path) -> str:
    return (project_root / "docs/receipts.md").read_text("utf-8")


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")
def test_ten_lines_verify_a_receipt(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 10
    key = key_of()
    (tmp_path / "keys.json").write_bytes(msgspec.json.encode(PublicKeys(keys=[jwk(key.kid, key.public_key)])))
    monkeypatch.chdir(tmp_path)

    def verified(text: str) -> dict[str, object]:
        Path("receipt.jws").write_text(text)
        found: dict[str, object] = {}
        exec(compile(code, "docs/receipts.md", "exec"), found)  # noqa: S102 - our own page
        return found

    assert verified(signed())["says"]["conversion"]["amount"] == "49.00"  # type: ignore[index]
    for wrong in (signed()[:-2] + "AA", signed(key=key_of("site-b")), signed(REVOCATION, typ=REVOCATION_TYPE)):
        with pytest.raises(Exception):  # noqa: B017, PT011 - the library has many
            verified(wrong)


def test_the_example_is_a_receipt(page: str) -> None:
    (text,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    says = msgspec.convert(json.loads(text), Receipt)
    assert json.loads(msgspec.json.encode(says)) == json.loads(text)
