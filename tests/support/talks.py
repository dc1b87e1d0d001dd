"""The connections of a server that a test runs in its own event loop, closed when the test ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_STEPS_TO_TALK: Final = 8
"""More turns of the event loop than lie between accepting a connection and the first line of its handler."""


class Talks:
    """The handlers of connections that are open."""

    def __init__(self) -> None:
        self._open: set[asyncio.Task[None]] = set()

    @contextmanager
    def talking(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        """Counts the task that handles a connection, and closes it afterwards. The other side may leave at any time."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            yield
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def end(self, *servers: asyncio.Server) -> None:
        """Closes servers, the connections that are open, and those that were accepted a moment ago.

        A server that closes between accepting a connection and making its transport would leave that open. So it
        accepts no more, the loop comes to the handlers of those that it has accepted, and only then it closes.
        """
        loop = asyncio.get_running_loop()
        for server in servers:
            for each in server.sockets:
                loop.remove_reader(each.fileno())
        for _ in range(_STEPS_TO_TALK):
            await asyncio.sleep(0)
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        for server in servers:
            server.close()
            await server.wait_closed()
