"""The receipt of a conversion as the API tells it to the site's owner."""

from __future__ import annotations

from typing import Literal

import msgspec

from grapevine.analytics.links import LinkNames
from grapevine.receipts.document import Receipt, ReceiptId, Revocation

Missing = Literal["refunded", "verdict", "too-many"]


class KnownSharer(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a pseudonym stands for: a minted link of yours, by the names that you gave it."""

    sharer: str
    """The pseudonym."""
    link: LinkNames
    """The link."""


class RevokedReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier receipt of the conversion."""

    receipt: ReceiptId
    """Its id."""
    document: str
    """Its signed revocation."""
    says: Revocation
    """What that says."""


class ConversionReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt of a conversion, and what became of earlier ones."""

    conversion: str
    """The conversion."""
    document: str | None
    """The receipt, signed: a JSON Web Signature. This is what you hand on."""
    says: Receipt | None
    """What the receipt says."""
    missing: Missing | None
    """Why there is none: all money was paid back; the visit is taken for a program's; too many were revoked. Where this
    is null, too, it was revoked while you asked: ask again."""
    sharers: list[KnownSharer]
    """The pseudonyms that stand for minted links of yours. Only you see this."""
    revoked: list[RevokedReceipt]
    """Earlier receipts of this conversion, the oldest first."""
