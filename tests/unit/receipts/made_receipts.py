"""A receipt, and sites whose keys sign it."""

from __future__ import annotations

import msgspec

from grapevine.receipts.document import RECEIPT_TYPE, Header, PaidGoal, Receipt, ReceiptHop, Revocation
from grapevine.receipts.ed25519 import SigningKey
from grapevine.receipts.jws import compact, signing_input
from grapevine.receipts.keys import signing_key
from grapevine.store.rows import SiteRow

ISSUER = "https://share.example.com"
RECEIPT = Receipt(
    iss=ISSUER,
    site="site-a",
    receipt="5f0c3e1f7a9b4d2e8c6a1b3d5e7f9021",
    issued="2026-11-21",
    conversion=PaidGoal(goal="order", day="2026-11-20", amount="49.00", currency="EUR", reported_by="key"),
    rule="binomial-half/1",
    marks=["same-network"],
    hops=[
        ReceiptHop(sharer="a" * 22, channel="whatsapp", day="2026-11-20", generation=1, marks=[], credit="3.00"),
        ReceiptHop(
            sharer="b" * 22, channel="link", day="2026-11-19", generation=2, marks=["same-network"], credit="1.00"
        ),
    ],
)
REVOCATION = Revocation(iss=ISSUER, site="site-a", receipt=RECEIPT.receipt, revoked="2026-11-25", reason="refund")


def site_row(key: str, salt: str = "01" * 16) -> SiteRow:
    return SiteRow(
        site_id=1, key=key, name=key, salt=salt, param="gv", place="auto", query="*", created_at=0, origins=()
    )


def key_of(site: str = "site-a", secret: bytes = b"a-secret-key-of-an-installation") -> SigningKey:
    return signing_key(secret, site_row(site))


def signed(payload: msgspec.Struct = RECEIPT, key: SigningKey | None = None, typ: str = RECEIPT_TYPE) -> str:
    key = key or key_of()
    data = signing_input(Header(alg="EdDSA", kid=key.kid, typ=typ), payload)
    return compact(data, key.sign(data))
