"""``grapevine demo --tour``: leads a newcomer through a chain of three visits, in plain lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from grapevine.analytics.cascades import read_cascade
from grapevine.cli.cascades import print_cascade
from grapevine.cli.context import CommandContext
from grapevine.demo.tour import Tour
from grapevine.demo.tour_events import TourEvents
from grapevine.sites.cache import Site
from grapevine.store.base import Store

_POLL_SECONDS: Final = 0.4


async def give_tour(
    context: CommandContext, store: Store, site: Site, origin: str, since: int, signed_in: Callable[[str], str]
) -> None:
    """Runs the tour of the demo site at ``origin`` until the chain of three stands, and draws it.

    What people did from ``since`` (UTC ms) on is a part of it. ``signed_in`` returns the URL that opens a path of the
    dashboard signed in.
    """
    events = TourEvents(store, site.site_id, since)
    context.say("\nThe tour: share a link from browser to browser. Each step waits for you; Ctrl+C ends the demo.\n")
    root = await _walk(context, Tour(origin), events)
    context.say("\nThis is your chain; “depth” says how often the link was passed on before a visit:\n")
    print_cascade(context, await read_cascade(store, site, root, context.now()))
    context.say(f"\nThe same on the dashboard: {signed_in(f'/cascades/{root}')}")
    context.say("The demo goes on until you press Ctrl+C.")


async def _walk(context: CommandContext, tour: Tour, events: TourEvents) -> str:
    """Returns the first visit of the chain of three as soon as it stands."""
    context.say(tour.next)
    while True:
        for event in await events.new():
            for line in tour.saw(event):
                context.say(line)
            if tour.root is not None:
                return tour.root
        await asyncio.sleep(_POLL_SECONDS)
