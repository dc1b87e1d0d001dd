"""Several processes on one address and one database: started, replaced when they die, ended together.

The parent only watches. It binds the address, so that a worker that is gone leaves its waiting connections to the next
one; a worker goes when its standard input ends, so none outlives the parent, whatever becomes of that
(docs/decisions/0008). On SQLite the last of them serves nobody, and records for all others (docs/decisions/0020).
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
from pathlib import Path
from typing import Final

import msgspec

from grapevine.config.settings import Settings, database_path
from grapevine.errors import GrapevineError
from grapevine.serving.server import bound
from grapevine.serving.supervised import READY

log = logging.getLogger(__name__)

SETTLED_SECONDS: Final = 10.0
"""A worker that lived shorter died at once."""

MOST_DEATHS: Final = 3
"""So many times in a row one may die at once before the whole server gives up."""


_PYTHON: Final = (sys.executable, "-P", "-m")


def serving(settings: Settings, number: int) -> int:
    """How many of ``number`` workers serve: on SQLite the last of them records for the others."""
    return number if database_path(settings) is None else max(1, number - 1)


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
    command: Sequence[str] = (*_PYTHON, "grapevine.serving.worker"),
) -> None:
    """Runs a worker on each socket, and on SQLite one that records for them, until SIGTERM or SIGINT; a second SIGINT
    does not wait for requests in flight.

    ``settings`` are complete: with secret keys, on a migrated database. ``announce`` is called once, when all of them
    serve. Raises GrapevineError when a worker dies at once again and again, or could not end in good order.
    """
    with tempfile.TemporaryFile() as turn, tempfile.TemporaryDirectory(prefix="grapevine-") as folder:
        told, place = msgspec.json.encode(settings) + b"\n", []
        crew, behind = [], []
        if database_path(settings) is not None:
            place = [str(Path(folder, "recording"))]
            recording = [*_PYTHON, "grapevine.recording.process", str(turn.fileno()), *place]
            behind.append(_Worker(len(sockets) + 1, "records", recording, told, (turn.fileno(),)))
        for number, listener in enumerate(sockets, 1):
            files = (listener.fileno(), turn.fileno())
            words = [*command, *map(str, files), *place]
            crew.append(_Worker(number, "serves", words, told, files, listener))
        await _keep(crew, behind, announce)


async def _keep(crew: Sequence[_Worker], behind: Sequence[_Worker], announce: Callable[[], Awaitable[None]]) -> None:
    """``behind`` are those that the crew cannot do without: they stop when all of the crew have ended."""
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
        for worker in (*behind, *crew):
            await worker.ready.wait()
        await announce()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_signal_handler(signal.SIGINT, lambda: stop(impatient=True))
    try:
        async with asyncio.TaskGroup() as group:
            for worker in behind:
                group.create_task(keep(worker))
            kept = [group.create_task(keep(worker)) for worker in crew]
            companion = group.create_task(beside())
            await stopping.wait()
            companion.cancel()
            await asyncio.wait(kept)
            for worker in behind:
                worker.stop()
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        loop.remove_signal_handler(signal.SIGINT)
        stop()
        for worker in behind:
            worker.stop()
    if failures:
        raise failures[0]


class _Worker:
    """One worker's place: what it ``does``, with which ``files`` and which listener, and the process that does it now.

    The process is ``told`` what to do on its standard input.
    """

    def __init__(
        self, number: int, does: str, command: Sequence[str], told: bytes, files: Sequence[int],
        listener: socket.socket | None = None,
    ) -> None:  # fmt: skip
        self.ready = asyncio.Event()
        self._name = f"worker {number}"
        self._does = does
        self._command = command
        self._told = told
        self._files = files
        self._listener = listener
        self._process: Process | None = None
        self._stopping = False

    async def keep(self) -> None:
        """Keeps a process serving until ``stop``. Raises GrapevineError when that is no use, or it ended badly."""
        deaths = 0
        while not self._stopping:
            started_at = time.monotonic()
            process = await self._start()
            if await _line(process) == READY:
                log.info("%s %s as process %d", self._name, self._does, process.pid)
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
        """Lets the process finish what it has begun; ``at_once`` without waiting for requests in flight."""
        self._stopping = True
        if self._listener is not None:
            self._listener.close()
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        if at_once:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)

    async def _start(self) -> Process:
        # A session of its own: Ctrl+C in a terminal is for the parent, which passes on what it means.
        self._process = process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, pass_fds=self._files, start_new_session=True
        )
        if process.stdin is not None:
            process.stdin.write(self._told)
            if self._stopping:
                process.stdin.close()
        return process


async def _line(process: Process) -> bytes:
    return await process.stdout.readline() if process.stdout is not None else b""


def _ending(status: int) -> str:
    if status == 0:
        return "ended"
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"failed with status {status}"
