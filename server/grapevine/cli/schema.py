"""``grapevine migrate``: the database brought up to date."""

from __future__ import annotations

from argparse import Namespace

from grapevine.cli.options import Commands
from grapevine.cli.shell import Shell
from grapevine.installation import schema_version
from grapevine.settings import shown, shown_url


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
    before = await schema_version(settings)
    async with shell.store(settings):
        after = await schema_version(settings)
    if arguments.json:
        shell.say_json({"database": shown_url(settings.database), "before": before, "after": after})
    elif before == after:
        shell.say(f"The schema of {shown(settings)} is up to date (version {after}).")
    else:
        shell.say(f"The schema of {shown(settings)} went from version {before} to {after}.")
    return 0
