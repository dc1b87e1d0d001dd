"""What the operator's own database knows of a receipt that its server issued: the site's public keys, and whether it is
revoked."""

from __future__ import annotations

import msgspec

from grapevine.domain import ids
from grapevine.errors import GrapevineError
from grapevine.receipts.document import Reason, Receipt, Revocation
from grapevine.receipts.jws import decoded
from grapevine.receipts.verification import Keys
from grapevine.store.base import Store


class OtherSite(GrapevineError):
    """A receipt names a site that this database has not; the text says which."""


class Unknown(GrapevineError):
    """The database does not know the receipt, or not any more."""


async def own_keys(store: Store, claimed: Receipt) -> Keys:
    """Returns the public keys of the site that a receipt claims to be of. Raises OtherSite."""
    rows = await store.receipts.keys(await _site_id(store, claimed))
    return {row.kid: decoded(row.public_key) for row in rows}


async def own_revocation(store: Store, receipt: Receipt) -> Revocation | None:
    """Returns what the revocation of a verified receipt says; None where the receipt is good. Raises OtherSite,
    Unknown."""
    row = await store.receipts.by_id(await _site_id(store, receipt), receipt.receipt)
    if row is None:
        raise Unknown("this database does not know the receipt any more: the visit of its conversion is not there")
    if row.revoked_at is None:
        return None
    day = ids.day_date(ids.day_at(row.revoked_at)).isoformat()
    reason: Reason = msgspec.convert(row.reason, Reason)
    return Revocation(iss=receipt.iss, site=receipt.site, receipt=receipt.receipt, revoked=day, reason=reason)


async def _site_id(store: Store, receipt: Receipt) -> int:
    for row in await store.sites.sites():
        if row.key == receipt.site:
            return row.site_id
    raise OtherSite(f"it is a receipt of the site {receipt.site[:40]!r}, which is none")
