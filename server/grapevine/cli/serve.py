"""``grapevine serve``: runs the server."""

from __future__ import annotations

from argparse import Namespace
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from grapevine.cli.arguments import Commands, count, port
from grapevine.cli.context import CommandContext
from grapevine.config.settings import Settings, database_path
from grapevine.errors import SettingError

MOST_WORKERS: Final = 64


def register(commands: Commands) -> None:
    """Adds the command ``serve`` to the parser."""
    parser = commands.add(
        "serve",
        serve,
        "run the server",
        examples=("grapevine serve", "grapevine serve --host 0.0.0.0 --port 80"),
        more="SIGTERM ends it: requests in flight are answered and every accepted event is stored before it exits.",
        prints_json=False,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=port, default=8000, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--workers",
        type=count,
        default=1,
        metavar="N",
        help="serving processes; more than one needs PostgreSQL (default: %(default)s)",
    )


async def serve(context: CommandContext, arguments: Namespace) -> int:
    """Runs the server until a signal ends it."""
    from grapevine.background.cleanup import destroy_salts
    from grapevine.config import logging
    from grapevine.serving import supervisor
    from grapevine.serving.app import create_app
    from grapevine.serving.fast_path.limits import ConnectionsPerAddress
    from grapevine.serving.server import Server, url_of
    from grapevine.serving.signals import run_until_signal
    from grapevine.store.factory import make_store

    _check_workers(arguments.workers, context.settings())
    logging.configure(context.settings().log)
    async with context.store_and_keys(make=True) as (
        store,
        settings,
    ):  # a database that cannot be used is one clear line, not a traceback
        sites = await store.sites.sites()
        await destroy_salts(store, context.now())  # nor one that cannot be written to

    async def announce(url: str) -> None:
        context.say(f"Grapevine is ready: {url}")
        hint = _address_hint(settings, url)
        if hint:
            context.say(hint)
        if not sites:
            context.say("It has no site yet; add one with: grapevine site add NAME --origin https://example.com")
            context.say("Type that in another window; Grapevine is ready for it, and needs no restart.")

    if arguments.workers == 1:
        addresses = ConnectionsPerAddress(settings.connections, settings.trusted_proxies)
        app = create_app(settings, make_store(settings))
        server = Server(app, arguments.host, arguments.port, addresses=addresses)
        await run_until_signal([server], lambda: announce(server.url))
    else:
        listeners = supervisor.listeners(arguments.host, arguments.port, arguments.workers)
        await supervisor.supervise(settings, listeners, lambda: announce(url_of(listeners[0])))
    return 0


def _address_hint(settings: Settings, url: str) -> str:
    """Returns what snippets and QR codes name, where that may not be the address that browsers use; else nothing."""
    host = urlsplit(url).hostname or ""
    if settings.base_url is not None or (ip_address(host).is_loopback and not settings.trusted_proxies):
        return ""
    named = "the address of this machine that a request came to" if ip_address(host).is_unspecified else url
    return f"Snippets and QR codes name {named}. Set GRAPEVINE_BASE_URL where browsers use another, such as a proxy's."


def _check_workers(number: int, settings: Settings) -> None:
    if not 1 <= number <= MOST_WORKERS:
        raise SettingError(f"--workers {number}: must be 1 to {MOST_WORKERS}")
    if number > 1 and database_path(settings) is not None:
        raise SettingError(
            f"--workers {number}: one SQLite file has one serving process; leave --workers out, or serve a PostgreSQL "
            "database that GRAPEVINE_DATABASE names (`grapevine copy` moves the data there)"
        )
