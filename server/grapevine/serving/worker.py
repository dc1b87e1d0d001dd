"""One of several serving processes: ``python -m grapevine.serving.worker LISTENER BUCKETS ROWS NUMBER``, started by the
supervisor.

LISTENER is the descriptor of a listening socket, BUCKETS that of the memory of the rate limits, ROWS that of the
metrics, of which the worker with this NUMBER (1, 2, …) writes one row. Standard input brings
the settings in one line and then stays open; when it ends, because the supervisor asks for that or was killed, the
worker drains and exits. One line on standard output reports that the worker serves.
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

from grapevine.collect.rate_limit import Memory, attached
from grapevine.config import logging as log_output
from grapevine.config.settings import Settings
from grapevine.errors import GrapevineError
from grapevine.serving.app import create_app
from grapevine.serving.fast_path.limits import ConnectionsPerAddress
from grapevine.serving.runtime import loop_factory
from grapevine.serving.server import Server
from grapevine.serving.signals import run_until_signal
from grapevine.store.factory import make_store
from grapevine.telemetry.rows import Rows
from grapevine.web.server_metrics.figures import new_rows

log = logging.getLogger("grapevine.serving.worker")

READY: Final = b"ready\n"


def main(listener: str, buckets: str, rows: str, number: str) -> int:
    """Serves until its standard input ends or a signal comes. Returns 0 when every accepted event was stored."""
    settings = read_settings()
    if settings is None:
        return 0
    try:
        with socket.socket(fileno=int(listener)) as bound, asyncio.Runner(loop_factory=loop_factory()) as runner:
            shared = attached(int(buckets)), new_rows(int(number), int(rows))
            runner.run(_serve(settings, bound, *shared))
    except GrapevineError as error:
        log.error("%s", error)
        return 1
    return 0


def read_settings() -> Settings | None:
    """Reads the settings from standard input and configures the log; None when the parent is gone already."""
    line = sys.stdin.buffer.readline()
    if not line:
        return None
    settings = msgspec.json.decode(line, type=Settings)
    log_output.configure(settings.log)
    return settings


def report_ready() -> None:
    """Writes the ready line to standard output, for the supervisor."""
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), READY)


async def parent_gone() -> None:
    """Returns when standard input ends: the supervisor closed it, or was killed."""
    loop, ended, source = asyncio.get_running_loop(), asyncio.Event(), sys.stdin.fileno()

    def read() -> None:
        if not os.read(source, 4096):
            ended.set()

    loop.add_reader(source, read)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(source)


async def _serve(settings: Settings, listener: socket.socket, buckets: Memory, rows: Rows) -> None:
    async def until_parent_is_gone() -> None:
        report_ready()
        await parent_gone()
        signal.raise_signal(signal.SIGTERM)

    addresses = ConnectionsPerAddress(settings.connections, settings.trusted_proxies)
    app = create_app(settings, make_store(settings), buckets=buckets, rows=rows)
    server = Server(app, listener=listener, addresses=addresses)
    await run_until_signal([server], until_parent_is_gone)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
