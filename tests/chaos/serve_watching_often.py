"""The server of ``serve_reading_often``, which also looks for spikes and silences all the time, and for deliveries that
are due."""

from __future__ import annotations

import asyncio
import secrets
import sys
from typing import Final

import uvloop

from grapevine.analytics import spike_watch
from grapevine.analytics.silence_watch import SilenceWatch
from grapevine.analytics.spike_watch import SpikeWatch
from grapevine.background.leases import Leases
from grapevine.background.periodic import log_failures
from grapevine.mentions import checking
from grapevine.mentions.feeds import polling
from grapevine.web.state import AppState
from grapevine.webhooks import delivery
from tests.chaos.serve_with_clock import main

_EVERY_SECONDS: Final = 0.05


async def watching(state: AppState) -> None:
    """Looks at all sites, again and again. The server's own watches wait for five minutes, and for the next hour."""
    leases = Leases(state.store.leases, state.clock, "watching")
    spikes, silences = (
        kind(state.store, state.sites, state.clock, leases, secrets.token_bytes, state.sender.notify)
        for kind in (SpikeWatch, SilenceWatch)
    )
    while True:
        await log_failures("spikes", spikes.look())
        await log_failures("silences", silences.look())
        await asyncio.sleep(_EVERY_SECONDS)


if __name__ == "__main__":
    polling.EVERY_SECONDS = checking.POLL_SECONDS = delivery.POLL_SECONDS = _EVERY_SECONDS  # type: ignore[misc]
    spike_watch.LOOK_MS = 200  # type: ignore[misc]
    uvloop.run(main(*sys.argv[1:], companion=watching))
