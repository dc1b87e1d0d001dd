"""Resolves host names by the system's resolver, in threads of its own: a slow name server holds up nothing else.

The resolver cannot be interrupted, so a look-up that nobody waits for any more keeps its thread until it ends.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import Final

HostLookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Resolves a host and port to addresses. Raises OSError."""

THREADS: Final = 4
"""Look-ups that run at once in this process."""


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """Returns the addresses of a host by the system's resolver. Raises OSError."""
    return await asyncio.wrap_future(_threads().submit(_resolved, host, port))


class BoundedLookup:
    """A ``HostLookup`` of which at most ``most`` run at once, those that nobody waits for any more included."""

    def __init__(self, most: int) -> None:
        self._free = asyncio.Semaphore(most)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Returns the addresses of a host, when it is its turn. Raises OSError."""
        loop = asyncio.get_running_loop()
        await self._free.acquire()

        def ended(_work: Future[Sequence[str]]) -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._free.release)

        work = _threads().submit(_resolved, host, port)
        work.add_done_callback(ended)
        return await asyncio.wrap_future(work)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="dns")


def _resolved(host: str, port: int) -> Sequence[str]:
    return [str(address[0]) for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
