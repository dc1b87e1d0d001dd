"""Looks once a second whether another process changed something that this one remembers: one query for all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from grapevine.errors import StoreError
from grapevine.store.repositories.live import LiveRepository

_LOOK_SECONDS: Final = 1.0

Look = Callable[[Mapping[str, int]], Awaitable[None]]
"""Called at each look with the numbers that rise with each change, by name."""


async def watch_versions(repository: LiveRepository, looks: Sequence[Look]) -> None:
    """Calls ``looks`` once a second."""
    while True:
        with suppress(StoreError):  # other parts say so in the log
            versions = await repository.versions()
            for look in looks:
                await look(versions)
        await asyncio.sleep(_LOOK_SECONDS)
