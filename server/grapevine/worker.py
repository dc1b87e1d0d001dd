"""One of several serving processes: ``python -m grapevine.worker LISTENER TURN``, started by ``workers.serve`` alone.

Both are descriptors: of a listening socket, and of the file whose lock says whose turn it is to write. Standard input
brings the settings in one line and then stays open for as long as this process is wanted: its end, which also comes
when the parent was killed, means to finish and go. One line on standard output says that it serves.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import Final

import msgspec

from grapevine import listening, logs
from grapevine.app import create_app
from grapevine.errors import GrapevineError
from grapevine.installation import make_store
from grapevine.loops import loop_factory
from grapevine.settings import Settings

READY: Final = b"ready\n"

log = logging.getLogger("grapevine.worker")


def main(listener: str, turn: str) -> int:
    """Serves until its standard input ends, or a signal comes; 0 when everything accepted was stored."""
    told = sys.stdin.buffer.readline()
    if not told:
        return 0
    settings = msgspec.json.decode(told, type=Settings)
    logs.configure(settings.log)
    try:
        with socket.socket(fileno=int(listener)) as bound, asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_serve(settings, bound, int(turn)))
    except GrapevineError as error:
        log.error("%s", error)
        return 1
    return 0


async def _serve(settings: Settings, listener: socket.socket, turn: int) -> None:
    server = listening.Server(create_app(settings, make_store(settings, turn)), listener=listener)

    async def meanwhile() -> None:
        with suppress(BrokenPipeError):
            os.write(sys.stdout.fileno(), READY)
        await _end_of_input()
        signal.raise_signal(signal.SIGTERM)

    await listening.serve([server], meanwhile)


async def _end_of_input() -> None:
    loop, ended, source = asyncio.get_running_loop(), asyncio.Event(), sys.stdin.fileno()

    def read() -> None:
        if not os.read(source, 4096):
            ended.set()

    loop.add_reader(source, read)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(source)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
