"""``grapevine serve``."""

from __future__ import annotations

from argparse import Namespace
from typing import Final

from grapevine.cli.arguments import Commands, count, port
from grapevine.cli.context import CommandContext
from grapevine.config.settings import shown
from grapevine.errors import SettingError, StoreError

MOST_WORKERS: Final = 64


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add(
        "serve",
        serve,
        "run the server",
        more="SIGTERM ends it: requests in flight are answered and every accepted event is stored before it exits.",
        prints_json=False,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=port, default=8000, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--workers", type=count, default=1, metavar="N", help="processes that work (default: %(default)s)"
    )


async def serve(context: CommandContext, arguments: Namespace) -> int:
    """Runs the server until a signal ends it."""
    from grapevine.background.cleanup import destroy_salts
    from grapevine.config import logging
    from grapevine.serving import server as listening
    from grapevine.serving import supervisor
    from grapevine.serving.app import create_app
    from grapevine.store.copy.unfinished import REMEDY, unfinished_copy
    from grapevine.store.factory import make_store

    if not 1 <= arguments.workers <= MOST_WORKERS:
        raise SettingError(f"--workers {arguments.workers}: must be 1 to {MOST_WORKERS}")
    settings = context.settings_with_keys()
    logging.configure(settings.log)
    source = await unfinished_copy(settings)
    if source is not None:
        raise StoreError(
            f"{shown(settings)} is a copy of {source} that was begun and not ended: {REMEDY}; serve it then"
        )
    async with context.store(settings) as store:  # a database that cannot be used is one clear line, not a traceback
        sites = await store.registry.sites()
        await destroy_salts(store, context.now())  # nor one that cannot be written to

    async def announce(url: str) -> None:
        context.say(f"Grapevine is ready: {url}")
        if not sites:
            context.say("It has no site yet; add one with: grapevine site add NAME --origin https://example.com")

    if arguments.workers == 1:
        server = listening.Server(create_app(settings, make_store(settings)), arguments.host, arguments.port)
        await listening.serve([server], lambda: announce(server.url))
    else:
        listeners = supervisor.listeners(
            arguments.host, arguments.port, supervisor.serving(settings, arguments.workers)
        )
        await supervisor.serve(settings, listeners, lambda: announce(listening.url_of(listeners[0])))
    return 0
