"""Deletes minted links: one, or all of a campaign or an external id, a few a transaction.

Each transaction deletes some links whole, so a deletion may be stopped at any moment, and the same call deletes the
rest.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from grapevine.store.repositories.links import LinkRow
from grapevine.writer.eraser import Eraser

AT_ONCE: Final = 25
"""Links of one transaction: some milliseconds, for which requests of a running server wait on SQLite."""

Pause = Callable[[float], Awaitable[object]]


async def delete_links(eraser: Eraser, links: Sequence[LinkRow], pause: Pause = asyncio.sleep) -> int:
    """Deletes links of one site. Returns how many of them were there. Raises StoreError.

    It rests after each transaction for as long as that took, so that others have half of the store.
    """
    deleted = 0
    for start in range(0, len(links), AT_ONCE):
        some = links[start : start + AT_ONCE]
        begun = time.perf_counter()
        deleted += await eraser.delete_links(some[0].site_id, [link.visit_id for link in some])
        if start + AT_ONCE < len(links):
            await pause(time.perf_counter() - begun)
    return deleted
