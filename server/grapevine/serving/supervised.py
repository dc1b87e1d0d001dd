"""What a process does that ``workers.serve`` has started: hear the settings, say that it is ready, and go in time.

Standard input brings the settings in one line and then stays open for as long as the process is wanted: its end, which
also comes when the parent was killed, means to finish and go. One line on standard output says that it works.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from typing import Final

import msgspec

from grapevine.config import logging
from grapevine.config.settings import Settings

READY: Final = b"ready\n"


def settings_told() -> Settings | None:
    """What the parent says first, from when on the log is configured; None when the process is not wanted any more."""
    told = sys.stdin.buffer.readline()
    if not told:
        return None
    settings = msgspec.json.decode(told, type=Settings)
    logging.configure(settings.log)
    return settings


def say_ready() -> None:
    """Tells the parent."""
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), READY)


async def unwanted() -> None:
    """Returns when the process is not wanted any more."""
    loop, ended, source = asyncio.get_running_loop(), asyncio.Event(), sys.stdin.fileno()

    def read() -> None:
        if not os.read(source, 4096):
            ended.set()

    loop.add_reader(source, read)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(source)
