"""One of several serving processes: ``python -m grapevine.serving.worker LISTENER TURN [PATH]``.


LISTENER and TURN are descriptors: of a listening socket, and of the file whose lock says whose turn it is to write.
PATH is where another process records for this one.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from functools import partial

from grapevine.config.settings import Settings
from grapevine.errors import GrapevineError
from grapevine.recording.remote import elsewhere
from grapevine.serving import server
from grapevine.serving.app import create_app, inside
from grapevine.serving.loops import loop_factory
from grapevine.serving.supervised import say_ready, settings_told, unwanted
from grapevine.store.factory import make_store

log = logging.getLogger("grapevine.serving.worker")


def main(listener: str, turn: str, path: str | None = None) -> int:
    """Serves until its standard input ends, or a signal comes; 0 when everything accepted was stored."""
    settings = settings_told()
    if settings is None:
        return 0
    try:
        with socket.socket(fileno=int(listener)) as bound, asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_serve(settings, bound, int(turn), path))
    except GrapevineError as error:
        log.error("%s", error)
        return 1
    return 0


async def _serve(settings: Settings, listener: socket.socket, turn: int, path: str | None) -> None:
    recording = inside if path is None else partial(elsewhere, path)
    app = create_app(settings, make_store(settings, turn), recording=recording)

    async def meanwhile() -> None:
        say_ready()
        await unwanted()
        signal.raise_signal(signal.SIGTERM)

    await server.serve([server.Server(app, listener=listener)], meanwhile)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
