"""Responses of calls that need no key, other than the collect calls."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

LEAST_PIXELS: Final = 100
MOST_PIXELS: Final = 1_200
"""Wide and high: ten centimetres in print at 300 dots an inch, and 15 milliseconds to draw. SVG has no such bound."""
USUAL_PIXELS: Final = 600


class ShareCounts(msgspec.Struct):
    """All shares of a page, and those of each channel that it was ever shared through."""

    total: int
    """Shares that were reported or proven since the page was first shared."""
    channels: dict[str, int]
    """Shares by the name of their channel."""


class ProcessHealth(msgspec.Struct, frozen=True):
    """The state of the process that was asked."""

    status: Literal["ok"]
    """Always `ok`: a process that does not run returns nothing."""
    version: str
    """The version of Grapevine."""


class StoreReadiness(msgspec.Struct, frozen=True):
    """Whether the process can store what it is sent."""

    status: Literal["ready", "store-not-writable"]
    """`ready` where the store takes writes, or did so less than a second ago."""


class FollowQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of a short link. All others are ignored."""

    at: Annotated[str | None, msgspec.Meta(examples=["table-4"])] = None
    """The name of a place of a minted link: the redirect has that place's token. A name that it does not have, or more
    than one, is ignored."""


class PictureQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of a QR code. All others are ignored."""

    at: Annotated[str | None, msgspec.Meta(examples=["table-4"])] = None
    """The name of a place of a minted link: the code leads there with that place's token."""


class PixelsQuery(PictureQuery, frozen=True, kw_only=True):
    """The parameters of a QR code in pixels. All others are ignored."""

    size: Annotated[int, msgspec.Meta(ge=LEAST_PIXELS, le=MOST_PIXELS)] = USUAL_PIXELS
    """How wide and high the picture is at most, in pixels: each square of the code is a whole number of them."""
