"""Lists of things that lower layers define, as objects that can get more fields."""

from __future__ import annotations

import msgspec

from grapevine.analytics.spikes import SpikeView


class SpikeList(msgspec.Struct, frozen=True):
    """Spikes, the newest first."""

    spikes: list[SpikeView]
    """The spikes that were raised in the period."""
