"""``grapevine migrate``: updates the schema, and distributes the tables over Citus's workers."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from grapevine.cli.arguments import Commands, count
from grapevine.cli.context import CommandContext, counted
from grapevine.config.settings import Settings, database_path, redacted_database, redacted_url
from grapevine.errors import Invalid, SettingError
from grapevine.store.factory import schema_version

if TYPE_CHECKING:
    from grapevine.store.postgres.citus import Step

_MOST_SHARDS: Final = 64_000  # Citus's own bound


def register(commands: Commands) -> None:
    """Adds the command ``migrate`` to the parser."""
    parser = commands.add(
        "migrate",
        migrate,
        "bring the database's schema up to date",
        examples=("grapevine migrate", "grapevine migrate --distribute --shards 32"),
        more="`grapevine serve` does the same at its start; a database that is not there yet is made.",
    )
    parser.add_argument(
        "--distribute",
        action="store_true",
        help="then distribute the tables and their rows over Citus's workers; stop the servers first",
    )
    parser.add_argument(
        "--shards",
        type=_shards,
        metavar="N",
        help="with --distribute: number of shards (default: the server's citus.shard_count)",
    )


async def migrate(context: CommandContext, arguments: Namespace) -> int:
    """Opens the store, which migrates it; prints both versions; distributes the tables with ``--distribute``."""
    settings = context.settings()
    _check(settings, arguments)
    before = await schema_version(settings)
    async with context.store(settings, make=True):
        after = await schema_version(settings)
    answer: dict[str, Any] = {"database": redacted_url(settings.database), "before": before, "after": after}
    if not arguments.json:
        context.say(_said(settings, before, after))
    if arguments.distribute:
        answer["tables"] = steps = []
        async with aclosing(_steps(context, settings, arguments.shards)) as found:
            async for step in found:
                steps.append(step._asdict())
                if not arguments.json:
                    context.say(_line(step))
        if not steps and not arguments.json:
            context.say("All tables are distributed: there is nothing to do.")
    if arguments.json:
        context.say_json(answer)
    return 0


def _check(settings: Settings, arguments: Namespace) -> None:
    if arguments.shards and not arguments.distribute:
        raise Invalid.of("--shards", "goes with --distribute")
    if arguments.distribute and database_path(settings) is not None:
        raise SettingError(
            f"database: the file {redacted_database(settings)} cannot be distributed, only a PostgreSQL database with "
            "the extension citus can: move there with `grapevine copy` and set GRAPEVINE_DATABASE=postgresql://…"
        )


def _steps(context: CommandContext, settings: Settings, shards: int | None) -> AsyncGenerator[Step]:
    from grapevine.store.postgres.citus import distribute  # needs the PostgreSQL package, which is there by now

    return distribute(settings.database, context.now(), shards)


def _said(settings: Settings, before: int, after: int) -> str:
    if before == after:
        return f"The schema of {redacted_database(settings)} is up to date (version {after})."
    return f"The schema of {redacted_database(settings)} went from version {before} to {after}."


def _line(step: Step) -> str:
    if step.did == "cleaned":
        return f"{step.table}: {_size(step.bytes)} freed on the coordinator, the rows had moved"
    where = f"by cell, {counted(step.shards, 'shard')}" if step.did == "distributed" else "to every node"
    return f"{step.table}: {step.did} {where}{f', {_size(step.bytes)} moved' if step.bytes else ''}"


def _size(number: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if number < 1024:
            return f"{number:,.0f} {unit}"
        number /= 1024
    return f"{number:,.1f} GiB"


def _shards(text: str) -> int:
    number = count(text)
    if not 1 <= number <= _MOST_SHARDS:
        raise ArgumentTypeError(f"{text!r} is no number of shards: 1 to {_MOST_SHARDS}")
    return number
