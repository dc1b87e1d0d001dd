"""Submits events to a writer and awaits their outcomes."""

from __future__ import annotations

import asyncio

from grapevine.background.future import resolver
from grapevine.domain.events import Event, Outcome
from grapevine.writer.writer import Writer


async def submit(writer: Writer, event: Event) -> Outcome:
    """Submits an event and returns its outcome, or raises why it could not be stored."""
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    on_outcome = resolver(future)
    writer.submit(event, on_outcome)
    return await future
