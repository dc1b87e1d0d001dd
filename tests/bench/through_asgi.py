"""``python -m tests.bench.through_asgi PORT``: the server with its fast path off; every call goes through ASGI."""

from __future__ import annotations

import asyncio
import os
import sys

from grapevine.config.secret_keys import with_secret_keys
from grapevine.config.settings import load
from grapevine.serving.app import create_app
from grapevine.serving.runtime import loop_factory
from grapevine.serving.server import Server
from grapevine.serving.signals import run_until_signal
from grapevine.store.factory import make_store


async def main(port: str) -> None:
    """Serves until a signal ends it."""
    settings = with_secret_keys(load(os.environ))
    server = Server(create_app(settings, make_store(settings)), port=int(port), fast_path=False)

    async def announce() -> None:
        sys.stdout.write("ready\n")
        sys.stdout.flush()

    await run_until_signal([server], announce)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main(*sys.argv[1:]))
