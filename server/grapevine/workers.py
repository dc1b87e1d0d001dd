"""Several serving processes on one address and one database: started, replaced when they die, ended together.

The parent only watches. It binds the address, so that a worker that is gone leaves its waiting connections to the next
one; a worker goes when its standard input ends, so none outlives the parent, whatever becomes of that
(docs/decisions/0008).
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import IO, Final

import msgspec

from grapevine.errors import GrapevineError
from grapevine.listening import bound
from grapevine.settings import Settings
from grapevine.worker import READY

log = logging.getLogger(__name__)

SETTLED_SECONDS: Final = 10.0
"""A worker that lived shorter died at once."""

MOST_DEATHS: Final = 3
"""So many times in a row one may die at once before the whole server gives up."""


def listeners(host: str, port: int, number: int) -> list[socket.socket]:
    """A listening socket for each of ``number`` workers. Raises GrapevineError when the address is taken.

    On Linux each is a socket of its own, and the kernel gives each the like part of all connections. Elsewhere all are
    the same one, and whoever is idle takes the next connection.
    """
    first = bound(host, port)
    if sys.platform != "linux":
        return [first, *(first.dup() for _ in range(number - 1))]
    # The exclusive one has shown that the address is free: shared sockets alone would join another server's.
    address = first.getsockname()
    first.close()
    found: list[socket.socket] = []
    try:
        while len(found) < number:
            found.append(bound(*address[:2], shared=True))
    except GrapevineError:
        for listener in found:
            listener.close()
        raise
    return found


async def serve(
    settings: Settings,
    sockets: Sequence[socket.socket],
    announce: Callable[[], Awaitable[None]],
    command: Sequence[str] = (sys.executable, "-P", "-m", "grapevine.worker"),
) -> None:
    """Runs a worker on each socket until SIGTERM or SIGINT; a second SIGINT does not wait for requests in flight.

    ``settings`` are complete: with secret keys, on a migrated database. ``announce`` is called once, when all of them
    serve. Raises GrapevineError when a worker dies at once again and again, or could not end in good order.
    """
    with tempfile.TemporaryFile() as turn:
        await _keep(
            [_Worker(n, command, settings, (listener, turn)) for n, listener in enumerate(sockets, 1)], announce
        )


async def _keep(crew: Sequence[_Worker], announce: Callable[[], Awaitable[None]]) -> None:
    stopping = asyncio.Event()
    failures: list[GrapevineError] = []

    def stop(*, impatient: bool = False) -> None:
        for worker in crew:
            worker.stop(at_once=impatient and stopping.is_set())
        stopping.set()

    async def keep(worker: _Worker) -> None:
        try:
            await worker.keep()
        except GrapevineError as error:
            failures.append(error)
            stop()

    async def beside() -> None:
        for worker in crew:
            await worker.ready.wait()
        await announce()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_signal_handler(signal.SIGINT, lambda: stop(impatient=True))
    try:
        async with asyncio.TaskGroup() as group:
            for worker in crew:
                group.create_task(keep(worker))
            companion = group.create_task(beside())
            await stopping.wait()
            companion.cancel()
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        loop.remove_signal_handler(signal.SIGINT)
        stop()
    if failures:
        raise failures[0]


class _Worker:
    """One worker's place: its socket, and the process that serves on it now."""

    def __init__(
        self, number: int, command: Sequence[str], settings: Settings, files: tuple[socket.socket, IO[bytes]]
    ) -> None:
        self.ready = asyncio.Event()
        self._number = number
        self._command = command
        self._settings = msgspec.json.encode(settings) + b"\n"
        self._listener, self._turn = files
        self._process: Process | None = None
        self._stopping = False

    async def keep(self) -> None:
        """Keeps a process serving until ``stop``. Raises GrapevineError when that is no use, or it ended badly."""
        deaths = 0
        while not self._stopping:
            started_at = time.monotonic()
            process = await self._start()
            if await _line(process) == READY:
                log.info("worker %d serves as process %d", self._number, process.pid)
                self.ready.set()
            ended = _ending(await process.wait())
            if self._stopping:
                if ended != "ended":
                    raise GrapevineError(f"worker {self._number} (process {process.pid}) {ended} while it drained")
                return
            deaths = deaths + 1 if time.monotonic() - started_at < SETTLED_SECONDS else 0
            if deaths >= MOST_DEATHS:
                raise GrapevineError(
                    f"worker {self._number} {ended} {deaths} times within {SETTLED_SECONDS:.0f} s of its start; "
                    "the log says why"
                )
            log.error("worker %d (process %d) %s; another takes its place", self._number, process.pid, ended)

    def stop(self, *, at_once: bool = False) -> None:
        """Lets the process finish what it has begun; ``at_once`` without waiting for requests in flight."""
        self._stopping = True
        self._listener.close()
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        if at_once:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)

    async def _start(self) -> Process:
        files = (self._listener.fileno(), self._turn.fileno())
        # A session of its own: Ctrl+C in a terminal is for the parent, which passes on what it means.
        self._process = process = await asyncio.create_subprocess_exec(
            *self._command, *map(str, files), stdin=PIPE, stdout=PIPE, pass_fds=files, start_new_session=True
        )
        if process.stdin is not None:
            process.stdin.write(self._settings)
            if self._stopping:
                process.stdin.close()
        return process


async def _line(process: Process) -> bytes:
    return await process.stdout.readline() if process.stdout is not None else b""


def _ending(status: int) -> str:
    if status == 0:
        return "ended"
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"failed with status {status}"
