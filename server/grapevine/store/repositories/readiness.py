"""Shows that the store takes writes, by one that is as large as a visit's."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

from grapevine.store.query_runner import Runner

_NAME: Final = "store"
_RANDOM_BYTES: Final = 16
_REPEATED: Final = 1_250
"""Times 32 digits: 40 KB. A visit alone writes nine to twelve pages of 4 KB to SQLite's log, and a disk that has no
room for as much must not count as one that takes writes."""


async def prove_writable(transaction: Callable[[], AbstractAsyncContextManager[Runner]]) -> bool:
    """Writes, reads back and commits a row. Returns False when it reads back differently. Raises StoreError."""
    filler = secrets.token_hex(_RANDOM_BYTES) * _REPEATED  # SQLite writes no page that stays as it is
    async with transaction() as change:
        await change.run("write_readiness", name=_NAME, filler=filler)
        ((found,),) = await change.run("read_readiness", name=_NAME)
    return bool(found == filler)
