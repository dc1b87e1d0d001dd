"""``grapevine demo``: a server and a demo site on a throw-away database, with a past that is filled in behind them."""

from __future__ import annotations

import tempfile
import time
from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from grapevine.cli.arguments import Commands, count, port
from grapevine.cli.context import CommandContext, counted
from grapevine.cli.progress import time_progress, visit_progress
from grapevine.cli.tour import give_tour
from grapevine.config.settings import SQLITE, Settings
from grapevine.errors import Invalid
from grapevine.sites.cache import Site
from grapevine.sites.management import add_site

if TYPE_CHECKING:
    from grapevine.demo.filling import Filling

HOST: Final = "127.0.0.1"
HISTORY_DAYS: Final = 30
"""What the dashboard shows at first."""
MOST_HISTORY_DAYS: Final = 365
"""A year is filled in within minutes. What is older than the retention of 400 days would be deleted at once."""

_HINT: Final = (
    "Copy a link on the demo site, open it in another browser, copy it there: the dashboard shows the chain.\n"
    "Step by step, here in the terminal: grapevine demo --tour (or: make demo ARGS=--tour)"
)


class Demo(NamedTuple):
    """A demo that runs: its addresses, the site's public key and an admin API key, where the database is, and the link
    that opens the dashboard signed in; ``history`` days are filled in."""

    server: str
    site_url: str
    site: str
    key: str
    database: str
    sign_in: str
    history: int

    def __repr__(self) -> str:
        """Returns where it runs, without what opens it."""
        return f"Demo(server={self.server!r}, site_url={self.site_url!r})"


def register(commands: Commands) -> None:
    """Adds the command ``demo`` to the parser."""
    parser = commands.add(
        "demo",
        demo,
        "run a server and a small site that embeds it, on a throw-away database",
        examples=("grapevine demo", "grapevine demo --tour", "grapevine demo --history 7 --traffic 1000"),
        more="Settings and GRAPEVINE_* are left aside. --json prints one line as soon as the server answers: server, "
        "site_url, site, key, database, sign_in, history; database is what GRAPEVINE_DATABASE takes, so other commands "
        "can look into the demo. A second line follows when the history is there.",
    )
    parser.add_argument("--port", type=port, default=8000, help="port of the server (default: %(default)s)")
    parser.add_argument("--site-port", type=port, default=8001, help="port of the demo site (default: %(default)s)")
    parser.add_argument("--traffic", type=count, default=0, metavar="N", help="play N visits over real HTTP")
    parser.add_argument(
        "--history",
        type=_days,
        default=HISTORY_DAYS,
        metavar="DAYS",
        help="fill in so many days that have passed, 0 for none (default: %(default)s)",
    )
    parser.add_argument("--tour", action="store_true", help="say step by step how to share a link, and what came of it")


async def demo(context: CommandContext, arguments: Namespace) -> int:
    """Runs the demo until a signal ends it. Raises Invalid for options that exclude each other."""
    if arguments.tour and (arguments.json or arguments.traffic):
        other = "--json" if arguments.json else "--traffic"
        raise Invalid(f"--tour talks with a person who shares links by hand; leave {other} out")
    from grapevine.config.logging import configure
    from grapevine.config.secret_keys import with_secret_keys
    from grapevine.demo.filling import Filling
    from grapevine.demo.site import demo_folder
    from grapevine.serving import server as listening
    from grapevine.serving.app import create_app
    from grapevine.serving.signals import run_until_signal
    from grapevine.simulate.player import Target
    from grapevine.store.factory import make_store
    from grapevine.web.dashboard.sign_in_link import SignInLink
    from grapevine.web.demo_site import demo_site

    configure("text")
    with tempfile.TemporaryDirectory(prefix="grapevine-demo-") as folder:
        database = f"{SQLITE}{Path(folder, 'demo.sqlite3')}"
        proxies = (HOST,)  # the traffic comes from many addresses
        settings = with_secret_keys(Settings(database=database, trusted_proxies=proxies, rate_limit=0))
        values: dict[str, str] = {}
        site = listening.Server(demo_site(demo_folder(), values), HOST, arguments.site_port)
        origins = [site.url, site.url.replace(HOST, "localhost")]
        async with context.store(settings, make=True) as store:
            added = await add_site(store, "Lees (demo)", origins, context.now())
        link = SignInLink(added.key.row.key_id)
        filling = Filling(Target(added.row.key, site.url), context.now(), arguments.history)
        app = create_app(settings, make_store(settings), sign_in_link=link, companion=filling.run)
        server = listening.Server(app, HOST, arguments.port)
        values |= {"GRAPEVINE": server.url, "SITE": added.row.key}

        def signed_in(path: str) -> str:
            return server.url + link.path(path)

        secret, history = added.key.secret, arguments.history
        running = Demo(server.url, site.url, added.row.key, secret, database, signed_in("/"), history)

        async def present() -> None:
            """What the command does while the server runs, one step after the other."""
            since = context.now()
            _announce(context, running, as_json=arguments.json)
            if not (arguments.json or arguments.tour):
                context.say(f"\n{_HINT}")
            if arguments.history:
                await _fill(context, filling, server.url, as_json=arguments.json)
            if arguments.tour:
                async with context.store(settings, make=True) as store:
                    own = Site(added.row, settings.secret_keys)
                    await give_tour(context, store, own, site.url, since, signed_in)
            elif arguments.traffic:
                await _play(context, running, arguments.traffic)

        await run_until_signal([server, site], present)
    return 0


def _announce(context: CommandContext, running: Demo, *, as_json: bool) -> None:
    """Says where everything is, as soon as the server answers."""
    if as_json:
        context.say_json(running._asdict(), one_line=True)
        return
    context.say("Grapevine is running. Ctrl+C stops it and throws everything away.\n")
    context.say(f"Dashboard  {running.sign_in}")
    context.say(f"Demo site  {running.site_url}/")
    context.say(f"API key    {running.key}")


async def _fill(context: CommandContext, filling: Filling, server: str, *, as_json: bool) -> None:
    """Fills in the days that have passed, behind a progress bar, and says what is there and what to look at first."""
    days = counted(filling.days, "day")
    with time_progress(context, f"Filling in {days}", filling.start, filling.end) as reached:
        filled = await filling.finish(reached)
    if as_json:
        context.say_json({"filled": filled._asdict()}, one_line=True)
        return
    chains = counted(filled.cascades, "chain") + " of shared links"
    if filled.cascades:
        longest, most = counted(filled.deepest, "time"), counted(filled.largest - 1, "visit")
        chains += f" (the longest was passed on {longest}, the largest brought {most})"
    goals = counted(filled.conversions, "goal")
    context.say(f"\nFilled in {days}: {counted(filled.visits, 'visit')}, {chains}, {goals} reached.")
    context.say("Look at these first, once the first link has signed you in:")
    context.say(f"  {server}/cascades     who passed what on to whom")
    context.say(f"  {server}/direct       how much of the direct traffic is private sharing")
    context.say(f"  {server}/links        what became of a letter, a printed card, a word on the radio")
    context.say(f"  {server}/conversions  what sharing was worth")


def _days(text: str) -> int:
    """Parses a number of days of history."""
    days = count(text)
    if days > MOST_HISTORY_DAYS:
        raise ArgumentTypeError(f"{text} days are too many: at most {MOST_HISTORY_DAYS}")
    return days


async def _play(context: CommandContext, running: Demo, visits: int) -> None:
    """Plays simulated visits over real HTTP, behind a progress bar."""
    from grapevine.simulate.expected import ExpectedResults
    from grapevine.simulate.player import Player, Target, player_client
    from grapevine.simulate.presets import demo_world

    world = demo_world(visits)
    started = time.monotonic()
    async with player_client(running.server) as client:
        with visit_progress(context, visits) as advance:
            target = Target(running.site, running.site_url)
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
