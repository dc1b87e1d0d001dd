"""Parameters of the calls about receipts."""

from __future__ import annotations

from typing import Annotated

import msgspec

ConversionId = Annotated[str, msgspec.Meta(examples=["7MbT2kQ9xZa"])]


class ConversionPath(msgspec.Struct, frozen=True):
    """The path of the receipt of one conversion."""

    conversion: ConversionId
    """The conversion: 11 letters and digits, as in exports and webhooks."""


class ConversionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The names of a conversion that was reported with an id."""

    goal: Annotated[str, msgspec.Meta(examples=["order"])]
    """Its goal."""
    id: Annotated[str, msgspec.Meta(examples=["A-1001"])]
    """The id that it was reported with, such as the number of an order."""


class ReceiptPath(msgspec.Struct, frozen=True):
    """The path of one receipt."""

    receipt: Annotated[str, msgspec.Meta(examples=["5f0c3e1f7a9b4d2e8c6a1b3d5e7f9021"])]
    """The id of the receipt, as the receipt says it."""


class SiteQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The site of a call that needs no key."""

    site: Annotated[str, msgspec.Meta(examples=["k7Rz0XaVn2fQ"])]
    """The public key of the site, as the receipt says it."""
