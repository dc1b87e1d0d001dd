"""``grapevine serve``."""

from __future__ import annotations

from argparse import Namespace

from grapevine.cli.options import Commands, count, port
from grapevine.cli.shell import Shell
from grapevine.errors import SettingError


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
        "--workers", type=count, default=1, metavar="N", help="processes; SQLite takes one (default: %(default)s)"
    )


async def serve(shell: Shell, arguments: Namespace) -> int:
    """Runs the server until a signal ends it."""
    from grapevine import listening, logs
    from grapevine.app import create_app
    from grapevine.installation import make_store

    if arguments.workers != 1:
        raise SettingError(f"--workers {arguments.workers}: this version runs one process, which suits its SQLite file")
    settings = shell.settings_with_keys()
    logs.configure(settings.log)
    async with shell.store(settings) as store:  # a database that cannot be used is one clear line, not a traceback
        sites = await store.registry.sites()
    server = listening.Server(create_app(settings, make_store(settings)), arguments.host, arguments.port)

    async def announce() -> None:
        shell.say(f"Grapevine is ready: {server.url}")
        if not sites:
            shell.say("It has no site yet; add one with: grapevine site add NAME --origin https://example.com")

    await listening.serve([server], announce)
    return 0
