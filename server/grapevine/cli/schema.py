"""``grapevine migrate``: the database brought up to date."""

from __future__ import annotations

from argparse import Namespace

from grapevine.cli.options import Commands
from grapevine.cli.shell import Shell
from grapevine.settings import database_path
from grapevine.store.version import sqlite_version


def register(commands: Commands) -> None:
    """Adds the command."""
    commands.add(
        "migrate",
        migrate,
        "bring the database's schema up to date",
        more="`grapevine serve` does the same at its start; a database that is not there yet is made.",
    )


async def migrate(shell: Shell, arguments: Namespace) -> int:
    """Opens the store, which migrates it, and says from which version to which."""
    settings = shell.settings()
    path = database_path(settings)
    before = sqlite_version(path)
    async with shell.store(settings):
        after = sqlite_version(path)
    if arguments.json:
        shell.say_json({"database": settings.database, "before": before, "after": after})
    elif before == after:
        shell.say(f"The schema of {path} is up to date (version {after}).")
    else:
        shell.say(f"The schema of {path} went from version {before} to {after}.")
    return 0
