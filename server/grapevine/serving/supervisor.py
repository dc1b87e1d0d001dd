"""Several serving processes on one address and one PostgreSQL database, kept running by a parent.

The parent only watches. It binds the address and keeps the listening sockets, so that a dead worker's waiting
connections go to its replacement. A worker ends when its standard input ends, so none outlives the parent, however that
ends (docs/decisions/0008; why this is not uvicorn's own supervisor: 0024).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from grapevine.collect.rate_limit import shared_memory
from grapevine.config.settings import Settings
from grapevine.errors import GrapevineError
from grapevine.serving.server import bind
from grapevine.serving.signals import run_until_signal
from grapevine.serving.worker import READY
from grapevine.telemetry.rows import shared_rows

log = logging.getLogger(__name__)

SETTLED_SECONDS: Final = 10.0
"""A worker that ends sooner after its start counts as one that failed at once."""

MOST_DEATHS: Final = 3
"""After so many failures at once in a row the whole server gives up."""

_COMMAND: Final = (sys.executable, "-P", "-m", "grapevine.serving.worker")


def listeners(host: str, port: int, number: int) -> list[socket.socket]:
    """Returns a listening socket for each of ``number`` workers. Raises GrapevineError when the address is taken.

    On Linux each is a socket of its own, and the kernel spreads connections evenly over them. Elsewhere all are the
    same socket, and the first idle worker takes the next connection.
    """
    first = bind(host, port)
    if sys.platform != "linux":
        return [first, *(first.dup() for _ in range(number - 1))]
    # An exclusive socket shows that the address is free: SO_REUSEPORT alone would join another server's sockets.
    address = first.getsockname()
    first.close()
    found: list[socket.socket] = []
    try:
        while len(found) < number:
            found.append(bind(*address[:2], shared=True))
    except GrapevineError:
        for listener in found:
            listener.close()
        raise
    return found


async def supervise(
    settings: Settings,
    sockets: Sequence[socket.socket],
    announce: Callable[[], Awaitable[None]],
    command: Sequence[str] = _COMMAND,
) -> None:
    """Keeps a worker running on each socket until SIGTERM or SIGINT; a second SIGINT skips requests in flight.

    ``settings`` are complete: with secret keys, on a migrated database. ``announce`` is called once, when all workers
    serve. Raises GrapevineError when a worker fails at once again and again, or did not drain in good order.
    """
    line = msgspec.json.encode(settings) + b"\n"
    memory = shared_memory(), shared_rows(len(sockets))
    try:
        workers = [WorkerProcess(number, listener, memory, command, line) for number, listener in enumerate(sockets, 1)]
        await run_until_signal(workers, announce)
    finally:
        for descriptor in memory:
            os.close(descriptor)


class WorkerProcess:
    """The process that serves one listening socket, and its replacements. It reads ``settings`` on standard input.

    ``memory`` has the descriptors of the memory of the rate limits and of the metrics, which all workers share.
    """

    def __init__(
        self,
        number: int,
        listener: socket.socket,
        memory: tuple[int, int],
        command: Sequence[str],
        settings: bytes,
    ) -> None:
        self.ready = asyncio.Event()
        self._number = number
        self._name = f"worker {number}"
        self._listener = listener
        self._memory = memory
        self._command = command
        self._settings = settings
        self._process: Process | None = None
        self._stopping = False

    async def work(self) -> None:
        """Keeps a process running until ``stop``.

        Raises GrapevineError when it fails at once again and again, or did not drain in good order.
        """
        deaths = 0
        while not self._stopping:
            started_at = time.monotonic()
            process = await self._start()
            if await _line(process) == READY:
                log.info("%s serves as process %d", self._name, process.pid)
                self.ready.set()
            ended = _ending(await process.wait())
            if self._stopping:
                if ended != "ended":
                    raise GrapevineError(f"{self._name} (process {process.pid}) {ended} while it drained")
                return
            deaths = deaths + 1 if time.monotonic() - started_at < SETTLED_SECONDS else 0
            if deaths >= MOST_DEATHS:
                raise GrapevineError(
                    f"{self._name} {ended} {deaths} times within {SETTLED_SECONDS:.0f} s of its start; the log says why"
                )
            log.error("%s (process %d) %s; another takes its place", self._name, process.pid, ended)

    def stop(self, *, at_once: bool = False) -> None:
        """Lets the process drain and end; ``at_once`` without waiting for requests in flight."""
        self._stopping = True
        self._listener.close()
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        if at_once:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)

    async def _start(self) -> Process:
        # A session of its own: Ctrl+C in a terminal signals the parent alone, which passes on what it means.
        inherited = self._listener.fileno(), *self._memory
        arguments = map(str, (*inherited, self._number))
        self._process = process = await asyncio.create_subprocess_exec(
            *self._command, *arguments, stdin=PIPE, stdout=PIPE, pass_fds=inherited, start_new_session=True
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
