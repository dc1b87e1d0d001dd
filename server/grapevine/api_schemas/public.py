"""Responses of calls that need no key, other than the collect calls."""

from __future__ import annotations

from typing import Literal

import msgspec


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
