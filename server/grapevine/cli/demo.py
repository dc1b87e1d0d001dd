"""``grapevine demo``: a server and a demo site on a throw-away database."""

from __future__ import annotations

import tempfile
import time
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from grapevine.cli.arguments import Commands, count, port
from grapevine.cli.context import CommandContext
from grapevine.cli.progress import visit_progress
from grapevine.config.settings import SQLITE, Settings
from grapevine.sites.management import add_site

if TYPE_CHECKING:
    from grapevine.simulate.player import Target

HOST = "127.0.0.1"


def register(commands: Commands) -> None:
    """Adds the command ``demo`` to the parser."""
    parser = commands.add(
        "demo",
        demo,
        "run a server and a small site that embeds it, on a throw-away database",
        more="Settings and GRAPEVINE_* are left aside. --json prints one line: server, site_url, site, key, database; "
        "the last is what GRAPEVINE_DATABASE takes, so other commands can look into the demo.",
    )
    parser.add_argument("--port", type=port, default=8000, help="port of the server (default: %(default)s)")
    parser.add_argument("--site-port", type=port, default=8001, help="port of the demo site (default: %(default)s)")
    parser.add_argument("--traffic", type=count, default=0, metavar="N", help="play N visits over real HTTP")


async def demo(context: CommandContext, arguments: Namespace) -> int:
    """Runs the demo until a signal ends it."""
    from grapevine.config import logging
    from grapevine.config.secret_keys import with_secret_keys
    from grapevine.demo.site import demo_folder
    from grapevine.serving import server as listening
    from grapevine.serving.app import create_app
    from grapevine.serving.signals import run_until_signal
    from grapevine.simulate.player import Target
    from grapevine.store.factory import make_store
    from grapevine.web.demo_site import demo_site

    logging.configure("text")
    with tempfile.TemporaryDirectory(prefix="grapevine-demo-") as folder:
        database = f"{SQLITE}{Path(folder, 'demo.sqlite3')}"
        proxies = (HOST,)  # the traffic comes from many addresses
        settings = with_secret_keys(Settings(database=database, trusted_proxies=proxies, rate_limit=0))
        server = listening.Server(create_app(settings, make_store(settings)), HOST, arguments.port)
        values: dict[str, str] = {"GRAPEVINE": server.url}
        site = listening.Server(demo_site(demo_folder(), values), HOST, arguments.site_port)
        origins = [site.url, site.url.replace(HOST, "localhost")]
        async with context.store(settings) as store:
            added = await add_site(store, "Lees (demo)", origins, context.now())
        values["SITE"] = added.row.key

        async def present() -> None:
            if arguments.json:
                facts = {
                    "server": server.url,
                    "site_url": site.url,
                    "site": added.row.key,
                    "key": added.key.secret,
                    "database": database,
                }
                context.say_json(facts, one_line=True)
            else:
                _welcome(context, server.url, site.url, added.key.secret)
            if arguments.traffic:
                await _play(context, server.url, Target(added.row.key, site.url), arguments.traffic)
            elif not arguments.json:
                context.say(
                    "To see numbers at once: grapevine demo --traffic 1000 (or: make demo ARGS='--traffic 1000')"
                )

        await run_until_signal([server, site], present)
    return 0


def _welcome(context: CommandContext, server: str, site: str, key: str) -> None:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_row("Demo site", f"{site}/")
    table.add_row("Dashboard", f"{server}/")
    table.add_row("API key", key)
    context.say("Grapevine is running. Ctrl+C stops it and throws everything away.\n")
    context.out.print(table)
    context.say(
        "\nCopy a link on the demo site, open it in another browser, copy it there: the dashboard shows the chain."
    )


async def _play(context: CommandContext, server: str, target: Target, visits: int) -> None:
    from grapevine.simulate.expected import ExpectedResults
    from grapevine.simulate.player import Player, player_client
    from grapevine.simulate.presets import demo_world

    world = demo_world(visits)
    started = time.monotonic()
    async with player_client(server) as client:
        with visit_progress(context, visits) as advance:
            await Player(client, target, world, context.now, on_visit=advance).play()
    seconds = time.monotonic() - started
    results = ExpectedResults(world.truth)
    numbers = {name: int(number or 0) for name, number in results.numbers.items()}
    context.err.print(
        f"Played {visits:,} visits in {seconds:.1f} s ({visits / seconds:,.0f} visits/s): "
        f"{numbers['views'] - visits:,} more views, {numbers['shares.reported']:,} shares, "
        f"{numbers['returns']:,} returns down to depth {results.deepest}, {len(results.unfurls):,} previews; "
        f"{numbers.get('drops.robot', 0):,} robots were refused.",
        soft_wrap=True,
    )
