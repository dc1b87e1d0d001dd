"""The server of ``grapevine serve`` with a clock that a test moves and timeouts that a test shortens.

``python -m tests.chaos.serve_with_clock OFFSET_FILE [NAME=SECONDS …]``: the file holds by how many milliseconds the
clock is wrong (8 bytes); each NAME is an argument of ``Server``.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import uvloop

from grapevine.config.secret_keys import with_secret_keys
from grapevine.config.settings import load
from grapevine.domain.periods import Clock
from grapevine.serving.app import create_app, system_clock
from grapevine.serving.fast_path.limits import ConnectionsPerAddress
from grapevine.serving.server import Server
from grapevine.serving.signals import run_until_signal
from grapevine.store.factory import make_store
from grapevine.web.state import AppState


class OffsetFile:
    """How wrong the clock of another process is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.set(0)

    def set(self, milliseconds: int) -> None:
        """Makes the clock wrong by so much, at once."""
        with self.path.open("r+b" if self.path.exists() else "wb") as file:
            file.write(struct.pack("q", milliseconds))


def launched(offset: OffsetFile, **seconds: float) -> list[str]:
    """The command for ``Installation.serving``."""
    return [
        "-m",
        "tests.chaos.serve_with_clock",
        str(offset.path),
        *(f"{name}={value}" for name, value in seconds.items()),
    ]


def wrong_clock(path: Path) -> Clock:
    """A clock whose error is the number in the file."""
    with path.open("rb") as file:
        offset = mmap.mmap(file.fileno(), 8, prot=mmap.PROT_READ)
    return lambda: system_clock() + int(struct.unpack("q", offset[:8])[0])


async def _nothing(_state: AppState) -> None:
    pass


async def main(
    offset: str, *limits: str, companion: Callable[[AppState], Coroutine[Any, Any, None]] = _nothing
) -> None:
    """Serves until a signal ends it. ``companion`` runs while the server does."""
    settings = with_secret_keys(load(os.environ))
    app = create_app(settings, make_store(settings), wrong_clock(Path(offset)), companion=companion)
    named: dict[str, Any] = {name: float(value) for name, value in (limit.split("=") for limit in limits)}
    addresses = ConnectionsPerAddress(settings.connections, settings.trusted_proxies)
    server = Server(app, "127.0.0.1", 0, addresses=addresses, **named)

    async def announce() -> None:
        sys.stdout.write(f"Grapevine is ready: {server.url}\n")
        sys.stdout.flush()

    await run_until_signal([server], announce)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
