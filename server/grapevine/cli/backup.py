"""``grapevine backup`` and ``grapevine restore``: one file with every row of one moment, and back."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from grapevine.cli.arguments import Commands
from grapevine.cli.context import CommandContext, counted
from grapevine.cli.copy import copy_progress
from grapevine.cli.doctor import are_well, examined

if TYPE_CHECKING:
    from grapevine.store.copy.backup import BackupSummary

_NO_KEYS: Final = (
    "What tokens are signed with is not in it: keep GRAPEVINE_SECRET_KEYS, or the file secret-keys beside a SQLite "
    "database, in another place (--with-keys writes them to a file of their own)."
)


def register(commands: Commands) -> None:
    """Adds the commands ``backup`` and ``restore`` to the parser."""
    parser = commands.add(
        "backup",
        backup,
        "write every row of one moment into one file, while the servers go on",
        examples=("grapevine backup grapevine-2026-11-30.backup",),
        more="The file is a SQLite database, also when the database is PostgreSQL, which only its owner can read. It "
        "holds no visitor salts, no sessions of the dashboard and no secret keys. It is there whole or not at all; "
        "nothing is overwritten.",
    )
    parser.add_argument(
        "file", metavar="FILE", type=Path, help="the file to write, such as grapevine-2026-11-30.backup"
    )
    parser.add_argument(
        "--with-keys",
        action="store_true",
        help="write the secret keys to FILE.keys",
    )
    parser = commands.add(
        "restore",
        restore,
        "restore a backup into an empty database, and check it",
        examples=("grapevine restore grapevine-2026-11-30.backup",),
        more="The database that the settings name must be empty or not there yet, SQLite or PostgreSQL. Every row is "
        "compared, then everything is checked as `grapevine doctor` does. An interrupted restore starts over when the "
        "same command is run again. Keys in FILE.keys become those of a SQLite database that has none.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="a file that `grapevine backup` wrote")


async def backup(context: CommandContext, arguments: Namespace) -> int:
    """Writes the backup and prints what is in it."""
    from grapevine.keyring.encryption import is_sealed
    from grapevine.store.copy.backup import back_up

    settings = context.settings()
    await context.require_database(settings)
    with copy_progress(context) as progress:
        done = await back_up(
            settings, arguments.file, progress, context.now(), is_sealed, with_keys=arguments.with_keys
        )
    if arguments.json:
        context.say_json(done)
    else:
        _say(context, done)
    return 0


def _say(context: CommandContext, done: BackupSummary) -> None:
    context.say(f"Wrote {done.source} to {done.file}: {done.bytes / 1e6:,.1f} MB in {done.seconds:,.1f} s.")
    context.say(f"The keys are in {done.keys}; keep it apart from the backup." if done.keys else _NO_KEYS)
    if done.endpoints:
        context.say(f"{counted(done.endpoints, 'webhook')} will be disabled after a restore, without a secret.")


async def restore(context: CommandContext, arguments: Namespace) -> int:
    """Restores the backup, then prints what `doctor` finds. Returns 1 when that finds something to fix."""
    from grapevine.store.copy.restore import restore, restore_keys

    settings = context.settings()
    with copy_progress(context) as progress:
        done = await restore(settings, arguments.file, progress, context.now())
    keys = restore_keys(settings, arguments.file)
    if not arguments.json:
        context.say(f"Restored {counted(done.rows, 'row')} of {arguments.file} into {done.target}; all are the same.")
        if keys is not None:
            context.say(f"The keys of the backup are in {keys}.")
    found = await examined(context, settings, silent=arguments.json)
    if arguments.json:
        context.say_json(
            {
                "file": str(arguments.file),
                "target": done.target,
                "rows": done.rows,
                "keys": None if keys is None else str(keys),
                "ok": are_well(found),
                "checks": found,
            }
        )
    return 0 if are_well(found) else 1
