"""Several processes that write into one SQLite file by turns.

SQLite lets one write at a time, too, but who finds the file locked sleeps and tries again, up to 100 ms a time, while
others pass. A lock of the operating system wakes the next in line at once, and falls with the process that holds it.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
from concurrent.futures import ThreadPoolExecutor


class Turn:
    """The right to write, as an async context manager; within a process, whoever wants it holds a lock of its own.

    ``descriptor`` is that of an empty file that all these processes have open; its lock is the turn. Whoever writes
    without it is kept apart by SQLite as ever.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._line: ThreadPoolExecutor | None = None

    def close(self) -> None:
        """Ends the thread that waits."""
        if self._line is not None:
            self._line.shutdown()
            self._line = None

    async def __aenter__(self) -> None:
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise
            await self._wait()

    async def __aexit__(self, *_: object) -> None:
        self._give()

    async def _wait(self) -> None:
        if self._line is None:
            self._line = ThreadPoolExecutor(1, "grapevine-turn")
        loop = asyncio.get_running_loop()
        taken = loop.run_in_executor(self._line, fcntl.lockf, self._descriptor, fcntl.LOCK_EX)
        try:
            await asyncio.shield(taken)
        except asyncio.CancelledError:
            await asyncio.wait([taken])
            self._give()
            raise

    def _give(self) -> None:
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN)
